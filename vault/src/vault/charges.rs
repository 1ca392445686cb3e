//! Charges.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Instrument;

use super::secrets::encrypt_details;
use super::tokens::facts;
use super::{Failure, Vault};
use crate::acquirer::{Acquirer, Found, Inquiry, LONGEST_CHARGE, LONGEST_FIND, Outcome, Payment};
use crate::audit::{Action, Actor};
use crate::charge::{Charge, ChargeOutcome, ChargeStatus, FailureCode, Order, Source};
use crate::event::EventKey;
use crate::id::{ChargeId, MerchantId, TokenId};
use crate::idempotency::{Made, Request};
use crate::merchant::Merchant;
use crate::object::ChargeObject;
use crate::store::{Begun, NewCharge, NewEvent, SecurityCodeRow, Seen, StoreError, StoredCard, StoredCharge};
use crate::time::Timestamp;
use crate::token::{Details, Line, UsedBy};

/// When an acquirer is asked what became of a charge, should this process die over it: after it can have answered.
const ASK_AFTER: Duration = LONGEST_CHARGE.saturating_add(Duration::from_secs(30));

/// How long a look-up and storing what it told may take. Then another process may try.
const LEASE: Duration = LONGEST_FIND.saturating_add(Duration::from_secs(40));

/// Look-ups at once.
const LOOK_UPS: u32 = 16;

/// A charge is looked up again after as long as it has been pending for already, within these bounds.
const SOONEST_AGAIN: Duration = Duration::from_secs(10);
const LATEST_AGAIN: Duration = Duration::from_secs(60 * 60);

/// How long a payment may be on its way. One that an acquirer has not heard of after it never arrives.
const LONGEST_JOURNEY: Duration = Duration::from_secs(10 * 60);

/// What is kept of a charge beside its amount: nothing of it is anybody's but the merchant's.
#[derive(Debug, Deserialize, Serialize)]
struct ChargeDetails {
    card: Details,
    description: Option<Line>,
    metadata: Map<String, Value>,
}

/// The card of a charge, with its number.
struct Chargeable {
    /// What it was found by: a token, or a customer with the very card.
    source: Source,
    /// The id of what its ciphertexts belong to.
    owner: String,
    card: StoredCard,
}

impl Vault {
    /// Charges a token or a customer's card. Goes on to its end once begun, whether or not anybody waits for it.
    ///
    /// # Errors
    /// [`ChargeError`]
    pub async fn charge(
        self: &Arc<Self>,
        merchant: Merchant,
        actor: Actor,
        order: Order,
        request: Option<Request>,
    ) -> Result<Made<Charge>, ChargeError> {
        let acquirer = self.acquirers.of(merchant.mode).ok_or(ChargeError::NoAcquirer)?;
        let vault = Arc::clone(self);
        let charging = async move { vault.charge_with(&*acquirer, &merchant, actor, order, request).await };
        // What the log says of it has the request's ids.
        let charging = self.charging.spawn(charging.in_current_span());
        charging.await.map_err(|_| Failure::Panicked)?
    }

    async fn charge_with(
        &self,
        acquirer: &dyn Acquirer,
        merchant: &Merchant,
        actor: Actor,
        order: Order,
        request: Option<Request>,
    ) -> Result<Made<Charge>, ChargeError> {
        let now = self.clock.now();
        if let Some(request) = &request {
            // Its card may be gone by now, so this comes first.
            match self.store.seen(&merchant.id, request, now).await? {
                Seen::Never => {}
                Seen::Before(id) => {
                    let id = ChargeId::parse(&id).ok_or(ChargeError::Mismatch)?;
                    return self.charge_before(merchant, &id).await;
                }
                Seen::Otherwise => return Err(ChargeError::Mismatch),
            }
        }
        let found = self.chargeable(merchant, &order.source, now).await?;
        let card: Details = self.details(merchant, &found.owner, &found.card.details).await?;
        let id = ChargeId::random(merchant.mode);
        let kept = ChargeDetails {
            card: card.clone(),
            description: order.description.clone(),
            metadata: order.metadata.clone(),
        };
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &kept))?;
        let (order, shown) =
            (Order { source: found.source.clone(), ..order }, facts(found.card.clone(), card.clone()));
        let made = Charge { id, created_at: now, order, status: ChargeStatus::Pending, card: shown };
        let new = NewCharge {
            event: self.charge_event(merchant, EventKey::ChargeCreate, made.clone())?,
            charge: StoredCharge {
                id: made.id.clone(),
                source: found.source.clone(),
                card: StoredCard { pan: None, details, ..found.card.clone() },
                amount: made.order.amount,
                currency: made.order.currency.clone(),
                status: ChargeStatus::Pending,
                created_at: now,
            },
            ask_at: now.plus(ASK_AFTER),
            request,
        };
        let id = new.charge.id.as_str();
        let entry = self.audit_entry(Some(&merchant.id), actor, Action::Charge, id, None);
        let key = self.audit_key()?;
        let code = match self.store.begin_charge(&merchant.id, &new, (&key, &entry)).await? {
            Begun::Before(id) => return self.charge_before(merchant, &id).await,
            Begun::Mismatch => return Err(ChargeError::Mismatch),
            Begun::Pending(code) => {
                self.news.notify_one();
                code
            }
            Begun::UnknownToken => return Err(ChargeError::UnknownToken),
            Begun::Used { token, by } => return Err(ChargeError::Used { token, by }),
        };
        let charge = new.charge;
        let payment = match self.payment(merchant, &charge, &found, card.clone(), code).await {
            Ok(payment) => payment,
            Err(failure) => {
                // Nobody was asked for money, so this charge is not left pending.
                let outcome = ChargeOutcome::Failed(FailureCode::FailedProcessing);
                self.finish(merchant, &charge, outcome).await?;
                return Err(failure.into());
            }
        };
        let asked = timeout(LONGEST_CHARGE, acquirer.charge(&payment));
        let status = match asked.await.unwrap_or(Outcome::Unknown) {
            Outcome::Successful => self.finish(merchant, &charge, ChargeOutcome::Successful).await?,
            Outcome::Failed(code) => self.finish(merchant, &charge, ChargeOutcome::Failed(code)).await?,
            Outcome::Unknown => {
                self.counts.charge(merchant.mode, "unknown");
                tracing::warn!(charge = %charge.id, "an acquirer did not say what became of a charge");
                let ask_at = self.clock.now().plus(SOONEST_AGAIN);
                self.store.ask_later(&merchant.id, &charge.id, ask_at).await?;
                ChargeStatus::Pending
            }
        };
        Ok(Made::Now(Charge { status, ..made }))
    }

    fn charge_event(&self, merchant: &Merchant, key: EventKey, charge: Charge) -> Result<NewEvent, Failure> {
        let id = charge.id.to_string();
        self.new_event(merchant, key, &id, &ChargeObject::new(charge, merchant.mode))
    }

    /// What an earlier request made.
    async fn charge_before(&self, merchant: &Merchant, id: &ChargeId) -> Result<Made<Charge>, ChargeError> {
        let charge = self.charge_of(merchant, id).await?;
        Ok(Made::Before(charge.ok_or(Failure::Unreadable("idempotency key"))?))
    }

    /// Finds the card that a charge is to be made with.
    async fn chargeable(
        &self,
        merchant: &Merchant,
        source: &Source,
        now: Timestamp,
    ) -> Result<Chargeable, ChargeError> {
        match source {
            Source::Token(id) => {
                let token =
                    self.store.token(&merchant.id, id, now).await?.ok_or(ChargeError::UnknownToken)?;
                Ok(Chargeable {
                    owner: token.id.to_string(),
                    source: Source::Token(token.id),
                    card: token.card,
                })
            }
            Source::Card { customer, card } => {
                let stored = self.store.customer(&merchant.id, customer).await?;
                let stored = stored.ok_or(ChargeError::UnknownCustomer)?;
                let card = card.as_ref().or(stored.default_card.as_ref()).ok_or(ChargeError::NoCard)?;
                let card = self.store.card(&merchant.id, customer, card).await?;
                let card = card.ok_or(ChargeError::UnknownCard)?;
                let source = Source::Card { customer: stored.id, card: Some(card.id.clone()) };
                Ok(Chargeable { owner: card.id.to_string(), source, card })
            }
        }
    }

    async fn finish(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        outcome: ChargeOutcome,
    ) -> Result<ChargeStatus, Failure> {
        let ended = StoredCharge { status: outcome.into(), ..charge.clone() };
        let ended = self.shown_charge(merchant, ended).await?;
        let event = self.charge_event(merchant, EventKey::ChargeComplete, ended)?;
        match self.store.finish_charge(&merchant.id, charge, outcome, &event).await {
            Ok(first) => {
                self.news.notify_one();
                let status = ChargeStatus::from(first);
                self.counts.charge(merchant.mode, status.as_str());
                Ok(status)
            }
            Err(error) => {
                // The store says pending. The acquirer will be asked again; until then only this line tells.
                let status = ChargeStatus::from(outcome).as_str();
                tracing::error!(charge = %charge.id, status, "the outcome of a charge was not stored");
                Err(error.into())
            }
        }
    }

    async fn payment(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        found: &Chargeable,
        details: Details,
        code: Option<SecurityCodeRow>,
    ) -> Result<Payment, Failure> {
        let security_code = match code.filter(|code| charge.created_at < code.expires_at) {
            Some(code) => self.security_code(merchant, &found.owner, found.card.brand, &code).await?,
            None => None,
        };
        Ok(Payment {
            charge: charge.id.clone(),
            amount: charge.amount,
            currency: charge.currency.clone(),
            number: self.number(merchant, &found.owner, &found.card).await?,
            security_code,
            details,
        })
    }

    /// Asks acquirers what became of charges whose outcome is not known, those among them that a process was killed
    /// over. No charge is sent again. Says how many have an outcome now.
    ///
    /// Each is looked up by one process at a time; those that are still open, later and later.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn resolve_charges(self: &Arc<Self>) -> Result<u64, Failure> {
        let now = self.clock.now();
        let mut tasks = JoinSet::new();
        for (merchant, charge) in self.store.lease_unanswered_charges(now, now.plus(LEASE), LOOK_UPS).await? {
            let vault = Arc::clone(self);
            tasks.spawn(async move { vault.resolve_charge(&merchant, &charge).await });
        }
        let mut resolved = 0;
        while let Some(task) = tasks.join_next().await {
            resolved += u64::from(task.map_err(|_| Failure::Panicked)??);
        }
        Ok(resolved)
    }

    async fn resolve_charge(&self, merchant: &MerchantId, charge: &StoredCharge) -> Result<bool, Failure> {
        let merchant = self.owner(merchant).await?;
        let Some(acquirer) = self.acquirers.of(merchant.mode) else {
            tracing::error!(charge = %charge.id, "nobody can say what became of a charge: its acquirer is not set up");
            return Ok(false);
        };
        let (id, currency) = (charge.id.clone(), charge.currency.clone());
        let inquiry = Inquiry { charge: id, amount: charge.amount, currency };
        let found = timeout(LONGEST_FIND, acquirer.find(&inquiry)).await.unwrap_or(Found::Unknown);
        let now = self.clock.now();
        let age = now.since(charge.created_at);
        let outcome = match found {
            Found::Successful => ChargeOutcome::Successful,
            Found::Failed(code) => ChargeOutcome::Failed(code),
            Found::NeverArrived if age >= LONGEST_JOURNEY => {
                ChargeOutcome::Failed(FailureCode::FailedProcessing)
            }
            Found::NeverArrived | Found::Unknown => {
                let ask_at = now.plus(age.clamp(SOONEST_AGAIN, LATEST_AGAIN));
                self.store.ask_later(&merchant.id, &charge.id, ask_at).await?;
                return Ok(false);
            }
        };
        let status = self.finish(&merchant, charge, outcome).await?;
        tracing::info!(charge = %charge.id, status = status.as_str(), "found out what became of a charge");
        Ok(true)
    }

    /// A merchant's charge, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn charge_of(&self, merchant: &Merchant, id: &ChargeId) -> Result<Option<Charge>, Failure> {
        match self.store.charge(&merchant.id, id).await? {
            Some(stored) => Ok(Some(self.shown_charge(merchant, stored).await?)),
            None => Ok(None),
        }
    }

    async fn shown_charge(&self, merchant: &Merchant, stored: StoredCharge) -> Result<Charge, Failure> {
        let details: ChargeDetails = self.details(merchant, stored.id.as_str(), &stored.card.details).await?;
        let order = Order {
            amount: stored.amount,
            currency: stored.currency,
            source: stored.source,
            description: details.description,
            metadata: details.metadata,
        };
        Ok(Charge {
            id: stored.id,
            created_at: stored.created_at,
            order,
            status: stored.status,
            card: facts(stored.card, details.card),
        })
    }
}

/// Why there is no charge.
#[derive(Debug, Error)]
pub enum ChargeError {
    /// The vault's own fault. Whether the token is used is not known; looking it up tells.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The request's key was used for another one. The merchant's fault; nothing was used.
    #[error("the key was used for another request")]
    Mismatch,
    /// Nobody takes this merchant's charges. The operator's to put right; nothing was used.
    #[error("no acquirer is set up")]
    NoAcquirer,
    /// The customer has no card. The merchant's fault.
    #[error("the customer has no card")]
    NoCard,
    /// The customer has no such card. The merchant's fault.
    #[error("there is no such card")]
    UnknownCard,
    /// There is no such customer. The merchant's fault.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// There is no such token. The merchant's fault; nothing was used.
    #[error("there is no such token")]
    UnknownToken,
    /// The token has been used. The merchant's fault.
    #[error("token {token} was used for {by}")]
    Used {
        /// The token.
        token: TokenId,
        /// What used it.
        by: UsedBy,
    },
}

impl From<StoreError> for ChargeError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
