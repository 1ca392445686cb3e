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
use crate::charge::{Charge, ChargeStatus, FailureCode, Order};
use crate::id::ChargeId;
use crate::merchant::Merchant;
use crate::store::{Begun, NewCharge, SecurityCodeRow, StoreError, StoredCard, StoredCharge, StoredToken};
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

impl Vault {
    /// Charges a token. Goes on to its end once begun, whether or not anybody waits for it.
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
        let token = self.store.token(&merchant.id, &order.token, now).await?;
        let token = token.ok_or(ChargeError::UnknownToken)?;
        let card: Details = self.details(merchant, token.id.as_str(), &token.card.details).await?;
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
                token: token.id.clone(),
                card: StoredCard { pan: None, details, ..token.card.clone() },
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
            Begun::Used(by) => return Err(ChargeError::Used(by)),
        };
        let charge = new.charge;
        let payment = match self.payment(merchant, &charge, &token, card.clone(), code).await {
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
        let StoredCharge { id, created_at, .. } = charge;
        Ok(Charge { id, created_at, order, status, card: facts(token.card, card) })
    }

    async fn payment(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        token: &StoredToken,
        details: Details,
        code: Option<SecurityCodeRow>,
    ) -> Result<Payment, Failure> {
        let security_code = match code.filter(|code| charge.created_at < code.expires_at) {
            Some(code) => self.security_code(merchant, token, &code).await?,
            None => None,
        };
        Ok(Payment {
            charge: charge.id.clone(),
            amount: charge.amount,
            currency: charge.currency.clone(),
            number: self.number(merchant, token.id.as_str(), &token.card).await?,
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
            token: stored.token,
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
    /// There is no such token. The merchant's fault; nothing was used.
    #[error("there is no such token")]
    UnknownToken,
    /// The token has been used, for this. The merchant's fault.
    #[error("the token was used for {0}")]
    Used(UsedBy),
}

impl From<StoreError> for ChargeError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
