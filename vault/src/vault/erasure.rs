//! Deleted means deleted: what names a person goes wherever it is.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::charges::ChargeDetails;
use super::secrets::encrypt_details;
use super::{Failure, Vault};
use crate::acquirer::LONGEST_CHARGE;
use crate::erasure::Erasure;
use crate::id::{CardId, CustomerId};
use crate::merchant::Merchant;
use crate::store::{Due, Personal, StoreError, Trouble};
use crate::token::{Billing, Details};

/// Erasures that one call looks for.
const AT_ONCE: u32 = 64;

/// Rows that are read at a time.
const PAGE: u32 = 100;

/// A charge that was under way when its customer was deleted tells of its end by what it knew. So everything is looked
/// through once more after it has ended.
const AGAIN_AFTER: Duration = LONGEST_CHARGE.saturating_add(Duration::from_secs(10 * 60));

/// How often a row may change under one's hands before it is left for the next time.
const MOST_MEETINGS: usize = 8;

impl Vault {
    /// Does the erasures whose turn it is, and says how many. What a process dies over another one does.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn erase_due(&self) -> Result<u64, Failure> {
        let mut done = 0;
        for (merchant, erasure, due) in self.store.due_erasures(self.clock.now(), AT_ONCE).await? {
            let merchant = self.owner(&merchant).await?;
            self.erase(&merchant, &erasure).await?;
            let again_at = match due {
                Due::First => Some(self.clock.now().plus(AGAIN_AFTER)),
                Due::Again => None,
            };
            self.store.erased(&merchant.id, &erasure, again_at).await?;
            done += 1;
        }
        Ok(done)
    }

    /// The same at once for whoever has deleted something. If it fails, maintenance does it.
    pub(super) async fn erase_now(&self) {
        if let Err(error) = self.erase_due().await {
            tracing::error!(%error, "what names a deleted person is not gone yet; it is tried again");
        }
    }

    async fn erase(&self, merchant: &Merchant, erasure: &Erasure) -> Result<(), Failure> {
        match erasure {
            Erasure::Customer(customer) => {
                self.erase_events(merchant, erasure, customer.as_str()).await?;
                self.erase_charges(merchant, erasure, customer, None).await?;
                self.erase_tokens(merchant, customer).await
            }
            Erasure::Card { customer, card } => {
                self.erase_events(merchant, erasure, customer.as_str()).await?;
                self.erase_events(merchant, erasure, card.as_str()).await?;
                self.erase_charges(merchant, erasure, customer, Some(card)).await?;
                self.erase_tokens(merchant, customer).await
            }
            Erasure::CardToo(card) => self.erase_events(merchant, erasure, card.as_str()).await,
            Erasure::VendorToken(id) => self.erase_events(merchant, erasure, id.as_str()).await,
        }
    }

    async fn erase_events(
        &self,
        merchant: &Merchant,
        erasure: &Erasure,
        object: &str,
    ) -> Result<(), Failure> {
        let redacted = |mut data: Map<String, Value>| {
            erasure.redact(&mut data);
            data
        };
        self.redact(merchant, Personal::EventsAbout(object), redacted).await
    }

    /// Charges stay without the holder, and without the merchant's own words when the customer goes.
    async fn erase_charges(
        &self,
        merchant: &Merchant,
        erasure: &Erasure,
        customer: &CustomerId,
        card: Option<&CardId>,
    ) -> Result<(), Failure> {
        let of = Personal::ChargesOf(customer, card);
        let redacted = |details: ChargeDetails| match card {
            Some(_) => {
                let card = nobodys(details.card.clone());
                details.with_card(card)
            }
            None => ChargeDetails::without_words(nobodys(details.card)),
        };
        self.redact(merchant, of, redacted).await?;
        // Each charge has told of itself.
        let mut after = String::new();
        loop {
            let charges = self.store.personal_rows(&merchant.id, of, &after, PAGE).await?;
            let Some(last) = charges.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for charge in &charges {
                self.erase_events(merchant, erasure, &charge.id).await?;
            }
        }
    }

    async fn erase_tokens(&self, merchant: &Merchant, customer: &CustomerId) -> Result<(), Failure> {
        self.redact(merchant, Personal::TokensOf(customer), nobodys).await
    }

    /// Puts other details into rows, page by page.
    async fn redact<T: DeserializeOwned + Serialize>(
        &self,
        merchant: &Merchant,
        of: Personal<'_>,
        redacted: impl Fn(T) -> T,
    ) -> Result<(), Failure> {
        // A row may be put under a newer key meanwhile. Whoever does that is done with it, so this comes to an end.
        for _ in 0..MOST_MEETINGS {
            let (mut after, mut met) = (String::new(), false);
            loop {
                let rows = self.store.personal_rows(&merchant.id, of, &after, PAGE).await?;
                let Some(last) = rows.last() else { break };
                after.clone_from(&last.id);
                for row in rows {
                    let details: T = self.details(merchant, &row.id, &row.details).await?;
                    let details = redacted(details);
                    let details = self.encrypting(|key| encrypt_details(key, merchant, &row.id, &details))?;
                    met |= !self.store.redact(&merchant.id, of, &row, &details).await?;
                }
            }
            if !met {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(Trouble::Busy).into())
    }
}

/// A card's details with nothing of its holder.
fn nobodys(details: Details) -> Details {
    Details { name: None, billing: Billing::default(), ..details }
}
