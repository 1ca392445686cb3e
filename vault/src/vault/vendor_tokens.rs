//! Vendors' tokens that cards become on their way through the vault. The vault passes sealed cards on and cannot open them.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tracing::Instrument;

use super::secrets::encrypt_details;
use super::{Failure, Refused, Vault};
use crate::audit::{Action, By, Entry, Refusal};
use crate::event::EventKey;
use crate::id::VendorTokenId;
use crate::keys::mac::MacKey;
use crate::merchant::Merchant;
use crate::object::VendorTokenObject;
use crate::seal;
use crate::store::{NewEvent, Passing, Seal, StoreError, StoredVendorToken, Trouble};
use crate::time::Timestamp;
use crate::token::Line;
use crate::vendor::account::{self, Name};
use crate::vendor::fault::{Fault, FaultCode};
use crate::vendor::sealed::Sealed;
use crate::vendor::thales_d1::Credentials;
use crate::vendor::token::{Facts, Relayed, State, VendorToken};
use crate::vendor::{Account, Failed, ThalesD1, ThalesPci};

/// How long passing a sealed card on may take, all tries and pauses included.
const LONGEST_PASSING: Duration = Duration::from_secs(120);

/// After this nobody is passing it on any more: the process that did is gone.
const LOST_AFTER: Duration = LONGEST_PASSING.saturating_add(Duration::from_secs(30));

/// How often a change is tried that meets others: each time another one succeeds.
const MOST_MEETINGS: u32 = 20;

/// A merchant's account with a vendor that gets cards through the vault, and the way there.
enum Way<'a> {
    ThalesD1(&'a ThalesD1, account::ThalesD1),
    ThalesPci(&'a ThalesPci, account::ThalesPci),
}

/// What a payment with a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// One payment.
    OneTime,
    /// The first of several, which its holder agrees to.
    RecurringFirst,
    /// One of those that follow: the network wants no cryptogram for them.
    RecurringLater,
}

impl Vault {
    /// Passes a sealed card on to a vendor, which makes a token of it: once, however often and wherever it comes. Goes on to
    /// its end once begun, whether or not anybody waits for it.
    ///
    /// # Errors
    /// [`VendorTokenError`]
    pub async fn pass_on(
        self: &Arc<Self>,
        merchant: Merchant,
        vendor: Relayed,
        jwe: String,
    ) -> Result<VendorToken, VendorTokenError> {
        let vault = Arc::clone(self);
        let passing = async move { vault.pass_on_to_the_end(&merchant, vendor, &jwe).await };
        // What the log says of it has the request's ids.
        self.relaying.spawn(passing.in_current_span()).await.map_err(|_| Failure::Panicked)?
    }

    async fn pass_on_to_the_end(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        jwe: &str,
    ) -> Result<VendorToken, VendorTokenError> {
        let way = self.way(merchant, vendor).await?;
        let sealed = way.sealed(jwe)?;
        let now = self.clock.now();
        let (hash, vendor_key) = (sealed.hash(), sealed.key());
        let seal = Seal { merchant: &merchant.id, vendor, hash, vendor_key };
        // By a clock that is not trusted, nothing that is on its way is lost.
        let lost_before =
            self.clock.trust().map_or(Timestamp::from_unix_seconds(0), |()| now.minus(LOST_AFTER));
        match self.store.begin_passing(seal, now, lost_before).await? {
            Passing::Anothers => return Err(VendorTokenError::Anothers),
            Passing::Begun => {}
            Passing::Lost => return Err(VendorTokenError::Lost(vendor)),
            Passing::Made(token) => return Ok(self.shown_vendor_token(merchant, token).await?),
            Passing::UnderWay => return Err(VendorTokenError::UnderWay),
        }
        let (token_id, state) = match timeout(LONGEST_PASSING, way.create(self, &sealed)).await {
            Ok(Ok(made)) => made,
            Ok(Err(failed @ Failed::Unknown(_))) => {
                self.store.lose(seal).await?;
                return Err(told(failed));
            }
            Ok(Err(failed)) => {
                self.store.take_back(seal).await?;
                return Err(told(failed));
            }
            Err(_) => {
                self.store.lose(seal).await?;
                tracing::error!("a vendor took too long; what it did is not known");
                return Err(VendorTokenError::Lost(vendor));
            }
        };
        let token = VendorToken {
            id: VendorTokenId::random(merchant.mode),
            vendor,
            token_id,
            state,
            facts: Facts::default(),
            updated_at: None,
            created_at: now,
        };
        let stored = self.stored_vendor_token(merchant, &token)?;
        let event = self.vendor_token_event(merchant, EventKey::VendorTokenCreate, &token)?;
        let kept = self.store.finish_passing(seal, &stored, &event).await?;
        self.news.notify_one();
        Ok(self.shown_vendor_token(merchant, kept).await?)
    }

    /// A merchant's token of a vendor, as the vendor has told of it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn vendor_token(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        token_id: &Name,
    ) -> Result<Option<VendorToken>, Failure> {
        match self.store.vendor_token(&merchant.id, vendor, token_id).await? {
            Some(stored) => Ok(Some(self.shown_vendor_token(merchant, stored).await?)),
            None => Ok(None),
        }
    }

    /// Deletes a token at its vendor, and here. Goes on to its end once begun. Asking again is safe, whatever came of it.
    ///
    /// # Errors
    /// [`VendorTokenError`]
    pub async fn delete_vendor_token(
        self: &Arc<Self>,
        merchant: Merchant,
        by: By,
        vendor: Relayed,
        token_id: Name,
    ) -> Result<(), VendorTokenError> {
        let vault = Arc::clone(self);
        let deleting = async move {
            let way = vault.way(&merchant, vendor).await?;
            vault.usable(&merchant, vendor, &token_id).await?;
            way.delete(&vault, &token_id).await.map_err(told)?;
            let (action, subject) = (Action::DeleteVendorToken, token_id.as_str());
            let entry = vault.audit_entry(Some(&merchant.id), by, action, subject, None);
            let key = vault.audit_key()?;
            let deleted = |token: VendorToken| match token.state {
                State::Deleted => None,
                _ => Some(VendorToken { state: State::Deleted, ..token }),
            };
            vault.change_vendor_token(&merchant, vendor, &token_id, &deleted, Some((&key, &entry))).await?;
            Ok(())
        };
        self.relaying.spawn(deleting.in_current_span()).await.map_err(|_| Failure::Panicked)?
    }

    /// The card behind a PCI token, sealed to the merchant's own key. The audit says to whom and why before it is asked for.
    ///
    /// # Errors
    /// [`VendorTokenError`]
    pub async fn detokenize_vendor_token(
        &self,
        merchant: &Merchant,
        by: By,
        token_id: &Name,
        reason: Line,
    ) -> Result<String, VendorTokenError> {
        let Way::ThalesPci(pci, account) = self.way(merchant, Relayed::ThalesPci).await? else {
            return Err(VendorTokenError::NotSetUp);
        };
        if pci.settings.detokenize_path.is_none() {
            return Err(VendorTokenError::NotSetUp);
        }
        self.usable_for(merchant, Relayed::ThalesPci, token_id, &by, Action::Detokenize).await?;
        let subject = token_id.as_str();
        self.audit(Some(&merchant.id), by, Action::Detokenize, subject, Some(reason)).await?;
        match pci.detokenize(&account, token_id, &self.pauses).await {
            Some(answer) => answer.map_err(told),
            None => Err(VendorTokenError::NotSetUp),
        }
    }

    /// What a payment with a token of D1 is made with. The audit says for whom and why before it is asked for.
    ///
    /// # Errors
    /// [`VendorTokenError`]
    pub async fn payment_credentials(
        &self,
        merchant: &Merchant,
        by: By,
        token_id: &Name,
        purpose: Use,
        reason: Line,
    ) -> Result<Credentials, VendorTokenError> {
        let Way::ThalesD1(d1, account) = self.way(merchant, Relayed::ThalesD1).await? else {
            return Err(VendorTokenError::NotSetUp);
        };
        self.usable_for(merchant, Relayed::ThalesD1, token_id, &by, Action::PayWithVendorToken).await?;
        let subject = token_id.as_str();
        self.audit(Some(&merchant.id), by, Action::PayWithVendorToken, subject, Some(reason)).await?;
        let credentials = match purpose {
            Use::OneTime | Use::RecurringFirst => d1.cryptogram(&account, token_id, &self.clock).await,
            Use::RecurringLater => d1.credentials(&account, token_id, &self.clock).await,
        };
        credentials.map_err(told)
    }

    /// The way to a vendor that a merchant has an account with.
    async fn way(&self, merchant: &Merchant, vendor: Relayed) -> Result<Way<'_>, VendorTokenError> {
        let not_allowed = || VendorTokenError::NotAllowed(vendor);
        let account = self.account(merchant, vendor.profile()).await?.ok_or_else(not_allowed)?;
        let way = match account {
            Account::ThalesD1(account) => {
                self.vendors.thales_d1.of(merchant.mode).map(|d1| Way::ThalesD1(d1, account))
            }
            Account::ThalesPci(account) => {
                self.vendors.thales_pci.of(merchant.mode).map(|pci| Way::ThalesPci(pci, account))
            }
            Account::Omise(_) | Account::PaymentOptions(_) => None,
        };
        way.ok_or_else(not_allowed)
    }

    /// Refuses a token that there is not, or not any more, and tells of it.
    async fn usable_for(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        token_id: &Name,
        by: &By,
        action: Action,
    ) -> Result<(), VendorTokenError> {
        let usable = self.usable(merchant, vendor, token_id).await;
        let (subject, why) = match &usable {
            Err(VendorTokenError::Deleted) => (token_id.as_str(), Refusal::Deleted),
            // The caller made the name up: it may be anything.
            Err(VendorTokenError::Missing) => (vendor.profile().as_str(), Refusal::NotFound),
            _ => return usable,
        };
        let (merchant, by, subject) = (Some(merchant.id.clone()), by.clone(), subject.to_owned());
        self.refuse(Refused { merchant, by, action, subject, why }).await;
        usable
    }

    /// Refuses a token that there is not, or not any more.
    async fn usable(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        token_id: &Name,
    ) -> Result<(), VendorTokenError> {
        match self.store.vendor_token(&merchant.id, vendor, token_id).await? {
            Some(token) if token.state == State::Deleted => Err(VendorTokenError::Deleted),
            Some(_) => Ok(()),
            None => Err(VendorTokenError::Missing),
        }
    }

    /// Changes a token as it is at that very moment, and tells of it; nothing, where there is nothing to change.
    pub(super) async fn change_vendor_token(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        token_id: &Name,
        change: &(dyn Fn(VendorToken) -> Option<VendorToken> + Sync),
        audit: Option<(&MacKey, &Entry)>,
    ) -> Result<(), Failure> {
        for _ in 0..MOST_MEETINGS {
            let Some(before) = self.store.vendor_token(&merchant.id, vendor, token_id).await? else {
                return Ok(());
            };
            let shown = self.shown_vendor_token(merchant, before.clone()).await?;
            let Some(mut after) = change(shown) else { return Ok(()) };
            if after.state == State::Deleted {
                // Nothing of the card stays but what tells it from the merchant's others.
                after.facts = Facts { card_last_digits: after.facts.card_last_digits, ..Facts::default() };
            }
            let key = match after.state {
                State::Deleted => EventKey::VendorTokenDestroy,
                State::Active | State::Suspended | State::Unknown => EventKey::VendorTokenUpdate,
            };
            let event = self.vendor_token_event(merchant, key, &after)?;
            let after = self.stored_vendor_token(merchant, &after)?;
            if self.store.change_vendor_token(&merchant.id, &before, &after, &event, audit).await? {
                if after.state == State::Deleted {
                    self.erase_now().await;
                }
                self.news.notify_one();
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(Trouble::Busy).into())
    }

    fn stored_vendor_token(
        &self,
        merchant: &Merchant,
        token: &VendorToken,
    ) -> Result<StoredVendorToken, Failure> {
        let details =
            self.encrypting(|key| encrypt_details(key, merchant, token.id.as_str(), &token.facts))?;
        Ok(StoredVendorToken {
            id: token.id.clone(),
            vendor: token.vendor,
            token_id: token.token_id.clone(),
            state: token.state.clone(),
            changed_at: token.updated_at,
            details,
            created_at: token.created_at,
        })
    }

    async fn shown_vendor_token(
        &self,
        merchant: &Merchant,
        stored: StoredVendorToken,
    ) -> Result<VendorToken, Failure> {
        let StoredVendorToken { id, vendor, token_id, state, changed_at, details, created_at } = stored;
        let facts = self.details(merchant, id.as_str(), &details).await?;
        Ok(VendorToken { id, vendor, token_id, state, facts, updated_at: changed_at, created_at })
    }

    fn vendor_token_event(
        &self,
        merchant: &Merchant,
        key: EventKey,
        token: &VendorToken,
    ) -> Result<NewEvent, Failure> {
        let object = VendorTokenObject::new(token, merchant.mode);
        self.new_event(merchant, key, token.id.as_str(), &object)
    }
}

impl Way<'_> {
    /// Reads a sealed card for one of the vendor's keys.
    fn sealed(&self, jwe: &str) -> Result<Sealed, seal::Refused> {
        match self {
            Self::ThalesD1(d1, _) => Sealed::parse(jwe, &d1.sealing_keys.get()),
            Self::ThalesPci(pci, _) => Sealed::parse(jwe, slice::from_ref(&*pci.sealing_key.get())),
        }
    }

    async fn create(&self, vault: &Vault, sealed: &Sealed) -> Result<(Name, State), Failed> {
        match self {
            Self::ThalesD1(d1, account) => d1.create(account, sealed, &vault.clock).await,
            Self::ThalesPci(pci, account) => {
                Ok((pci.create(account, sealed, &vault.pauses).await?, State::Active))
            }
        }
    }

    async fn delete(&self, vault: &Vault, token_id: &Name) -> Result<(), Failed> {
        match self {
            Self::ThalesD1(d1, account) => d1.delete(account, token_id, &vault.clock).await,
            Self::ThalesPci(pci, account) => pci.delete(account, token_id, &vault.pauses).await,
        }
    }
}

/// A vendor's failure, which the operator hears of, too.
fn told(failed: Failed) -> VendorTokenError {
    let Fault { profile, status, code, correlation_id } = failed.fault();
    tracing::warn!(
        vendor = profile.as_str(),
        status = status.map(|status| status.as_u16()),
        code = code.as_ref().map(FaultCode::as_str),
        correlation_id = correlation_id.as_str(),
        why = %failed,
        "a vendor did not do what it was asked for"
    );
    VendorTokenError::Vendor(failed)
}

/// Why nothing came of asking a vendor.
#[derive(Debug, Error)]
pub enum VendorTokenError {
    /// Another merchant has had the sealed card passed on. The sender's fault.
    #[error("the sealed card was passed on for another merchant")]
    Anothers,
    /// The token is deleted. The caller's fault.
    #[error("the token is deleted")]
    Deleted,
    /// The vault's own fault. What the vendor did is not known; the same sealed card again tells.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The sealed card was passed on, and what came of it is not known. Another seal may make a second token.
    #[error("it is not known what the vendor did")]
    Lost(Relayed),
    /// There is no such token. The caller's fault.
    #[error("there is no such token")]
    Missing,
    /// The merchant has no account with the vendor. The operator's to put right.
    #[error("the merchant has no account with the vendor")]
    NotAllowed(Relayed),
    /// The vendor is not set up for this. The operator's to put right.
    #[error("the vendor is not set up for this")]
    NotSetUp,
    /// The seal was refused before anybody was asked.
    #[error(transparent)]
    Refused(#[from] seal::Refused),
    /// The same sealed card is being passed on. Asking again in a moment tells what came of it.
    #[error("the sealed card is on its way")]
    UnderWay,
    /// The vendor did not do it, or may not have.
    #[error(transparent)]
    Vendor(Failed),
}

impl From<StoreError> for VendorTokenError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
