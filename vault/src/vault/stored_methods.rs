//! What acquirers keep of customers' cards.

use serde::{Deserialize, Serialize};

use super::charges::ChargeDetails;
use super::secrets::encrypt_details;
use super::{Failure, Vault};
use crate::acquirer::{Acquirer, Keeping, Name, StoredMethod};
use crate::charge::Source;
use crate::id::{CardId, CustomerId, MethodId};
use crate::merchant::Merchant;
use crate::store::{MethodChange, MethodRow, NewMethod, StoredCharge};
use crate::token::Details;

/// A card that an acquirer keeps.
pub(super) struct KnownMethod {
    pub(super) id: MethodId,
    pub(super) name: StoredMethod,
}

/// What is kept encrypted of a card that an acquirer keeps.
#[derive(Debug, Deserialize, Serialize)]
struct MethodDetails {
    method: StoredMethod,
    /// The account under which the acquirer knows it.
    account: String,
    /// The card: who writes to the database cannot have another one charged.
    card: String,
}

impl Vault {
    /// What an acquirer keeps of a customer's card under the account that it is asked with.
    pub(super) async fn known_method(
        &self,
        merchant: &Merchant,
        (customer, card): (&CustomerId, &CardId),
        (name, acquirer): (Name, &dyn Acquirer),
    ) -> Result<Option<KnownMethod>, Failure> {
        let Some(account) = acquirer.account() else { return Ok(None) };
        let row = self.store.stored_method(&merchant.id, customer, card, name).await?;
        let Some(MethodRow { id, details }) = row else { return Ok(None) };
        let details: MethodDetails = self.details(merchant, id.as_str(), &details).await?;
        if details.card != card.as_str() {
            return Err(Failure::Tampered);
        }
        Ok((details.account == account).then_some(KnownMethod { id, name: details.method }))
    }

    /// What becomes of what an acquirer keeps of a charge's card. `asked` is what it was asked with, and its account.
    ///
    /// Where it cannot be said, it stays: what came of the charge matters more, and the next one sends the card.
    pub(super) async fn method_change(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        kept: Keeping,
        asked: (Option<MethodId>, Option<&str>),
    ) -> MethodChange {
        match (kept, asked) {
            (Keeping::Gone, (Some(id), _)) => MethodChange::Forget(id),
            (Keeping::Kept(method), (None, Some(account))) => {
                match self.new_method(merchant, charge, method, account).await {
                    Ok(new) => new.map_or(MethodChange::Keep, MethodChange::Put),
                    Err(error) => {
                        tracing::error!(%error, charge = %charge.id, "a card that an acquirer keeps was not noted");
                        MethodChange::Keep
                    }
                }
            }
            _ => MethodChange::Keep,
        }
    }

    /// What is to be kept of a customer's card that an acquirer keeps; nothing if the customer has it no more, or with
    /// another expiry.
    async fn new_method(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        method: StoredMethod,
        account: &str,
    ) -> Result<Option<NewMethod>, Failure> {
        let Source::Card { customer, card: Some(card) } = &charge.source else { return Ok(None) };
        let Some(stored) = self.store.card(&merchant.id, customer, card).await? else { return Ok(None) };
        let now: Details = self.details(merchant, card.as_str(), &stored.details).await?;
        let then: ChargeDetails = self.details(merchant, charge.id.as_str(), &charge.card.details).await?;
        let expiry = |details: &Details| (details.expiration_month, details.expiration_year);
        if expiry(&now) != expiry(&then.card) {
            return Ok(None);
        }
        let id = MethodId::random(merchant.mode);
        let details = MethodDetails { method, account: account.into(), card: card.to_string() };
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &details))?;
        Ok(Some(NewMethod {
            method: MethodRow { id, details },
            customer: customer.clone(),
            card: card.clone(),
            card_details: stored.details,
            acquirer: charge.acquirer.name,
            created_at: self.clock.now(),
        }))
    }
}
