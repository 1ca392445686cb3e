//! Charges.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::secrets::encrypt_details;
use super::tokens::facts;
use super::{Failure, Vault};
use crate::acquirer::{Acquirer, Outcome, Payment};
use crate::audit::{Action, Actor};
use crate::charge::{Charge, ChargeStatus, FailureCode, Order, Source};
use crate::id::{ChargeId, TokenId};
use crate::merchant::Merchant;
use crate::store::{Begun, NewCharge, SecurityCodeRow, StoreError, StoredCard, StoredCharge};
use crate::time::Timestamp;
use crate::token::{Details, Line, UsedBy};

/// How long an acquirer is given before it is asked what became of a charge.
const ASK_AFTER: Duration = Duration::from_secs(120);

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
    ) -> Result<Charge, ChargeError> {
        let acquirer = self.acquirers.of(merchant.mode).ok_or(ChargeError::NoAcquirer)?;
        let vault = Arc::clone(self);
        let charging =
            self.charging.spawn(async move { vault.charge_with(&*acquirer, &merchant, actor, order).await });
        charging.await.map_err(|_| Failure::Panicked)?
    }

    async fn charge_with(
        &self,
        acquirer: &dyn Acquirer,
        merchant: &Merchant,
        actor: Actor,
        order: Order,
    ) -> Result<Charge, ChargeError> {
        let now = self.clock.now();
        let found = self.chargeable(merchant, &order.source, now).await?;
        let card: Details = self.details(merchant, &found.owner, &found.card.details).await?;
        let id = ChargeId::random(merchant.mode);
        let kept = ChargeDetails {
            card: card.clone(),
            description: order.description.clone(),
            metadata: order.metadata.clone(),
        };
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &kept))?;
        let new = NewCharge {
            charge: StoredCharge {
                id,
                source: found.source.clone(),
                card: StoredCard { pan: None, details, ..found.card.clone() },
                amount: order.amount,
                currency: order.currency.clone(),
                status: ChargeStatus::Pending,
                created_at: now,
            },
            ask_at: now.plus(ASK_AFTER),
        };
        let id = new.charge.id.as_str();
        let entry = self.audit_entry(Some(&merchant.id), actor, Action::Charge, id, None);
        let key = self.audit_key()?;
        let code = match self.store.begin_charge(&merchant.id, &new, (&key, &entry)).await? {
            Begun::Pending(code) => code,
            Begun::UnknownToken => return Err(ChargeError::UnknownToken),
            Begun::Used { token, by } => return Err(ChargeError::Used { token, by }),
        };
        let charge = new.charge;
        let payment = match self.payment(merchant, &charge, &found, card.clone(), code).await {
            Ok(payment) => payment,
            Err(failure) => {
                // Nobody was asked for money, so this charge is not left pending.
                let status = ChargeStatus::Failed(FailureCode::FailedProcessing);
                self.store.finish_charge(&merchant.id, &charge, status).await?;
                return Err(failure.into());
            }
        };
        let status = match acquirer.charge(&payment).await {
            Outcome::Successful => ChargeStatus::Successful,
            Outcome::Failed(code) => ChargeStatus::Failed(code),
        };
        if let Err(error) = self.store.finish_charge(&merchant.id, &charge, status).await {
            // The store says pending; only this line tells what became of the money.
            tracing::error!(charge = %charge.id, status = status.as_str(), "the outcome of a charge was not stored");
            return Err(error.into());
        }
        let StoredCharge { id, created_at, source, .. } = charge;
        Ok(Charge { id, created_at, order: Order { source, ..order }, status, card: facts(found.card, card) })
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

    /// A merchant's charge, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn charge_of(&self, merchant: &Merchant, id: &ChargeId) -> Result<Option<Charge>, Failure> {
        let Some(stored) = self.store.charge(&merchant.id, id).await? else { return Ok(None) };
        let details: ChargeDetails = self.details(merchant, id.as_str(), &stored.card.details).await?;
        let order = Order {
            amount: stored.amount,
            currency: stored.currency,
            source: stored.source,
            description: details.description,
            metadata: details.metadata,
        };
        Ok(Some(Charge {
            id: stored.id,
            created_at: stored.created_at,
            order,
            status: stored.status,
            card: facts(stored.card, details.card),
        }))
    }
}

/// Why there is no charge.
#[derive(Debug, Error)]
pub enum ChargeError {
    /// The vault's own fault. Whether the token is used is not known; looking it up tells.
    #[error(transparent)]
    Failure(#[from] Failure),
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
