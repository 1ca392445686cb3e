//! Charges.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};
use tracing::Instrument as _;

use super::cancellation::{AnswerBy, Cancellation, Cancelled};
use super::secrets::encrypt_details;
use super::stored_methods::KnownMethod;
use super::tokens::facts;
use super::{Failure, Vault};
use crate::acquirer::{
    Acquirer, Answer, Callback, Found, Inquiry, Instrument, Journal, LONGEST_CHARGE, LONGEST_FIND, Name,
    NotNoted, Outcome, Payment, Prospect, Reference, Said, Unacceptable,
};
use crate::audit::{Action, By};
use crate::charge::{Acquired, Charge, ChargeOutcome, ChargeStatus, FailureCode, Order, Source};
use crate::event::EventKey;
use crate::id::{ChargeId, MerchantId, MethodId, TokenHash, TokenId};
use crate::idempotency::{Made, Request};
use crate::keys::Sha256Digest;
use crate::keys::data::Ciphertext;
use crate::merchant::Merchant;
use crate::object::ChargeObject;
use crate::shopper::Shopper;
use crate::store::{
    Begun, Ended, MethodChange, NewCharge, NewEvent, Progress, SecurityCodeRow, Seen, StoreError, StoredCard,
    StoredCharge,
};
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

/// How long one that never arrived is looked for after it was given up, later and later.
const LONGEST_DOUBT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a holder may take to let a payment happen (3-D Secure). The addresses at which they do so work for half an
/// hour at Payment Options; one that was not used after a day is given up, if the acquirer says that nothing was paid.
const LONGEST_AUTHORIZATION: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept of a charge beside its amount: nothing of it is anybody's but the merchant's.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ChargeDetails {
    pub(super) card: Details,
    description: Option<Line>,
    metadata: Map<String, Value>,
}

impl ChargeDetails {
    /// The same with another card.
    pub(super) fn with_card(self, card: Details) -> Self {
        Self { card, ..self }
    }

    /// What stays of them when the customer goes.
    pub(super) fn without_words(card: Details) -> Self {
        Self { card, description: None, metadata: Map::new() }
    }
}

/// What a charge is made with: a card with its number, and what the acquirer keeps of it.
struct Chargeable {
    /// What it was found by: a token, or a customer with the very card.
    source: Source<TokenHash>,
    /// The id of what its ciphertexts belong to.
    owner: String,
    card: StoredCard,
    method: Option<KnownMethod>,
}

impl Vault {
    /// Charges a token or a customer's card. Goes on to its end once begun, whether or not anybody waits for it: the charge is
    /// shown as it is when an answer has to be there. One of which an error is told takes no money, now or later.
    ///
    /// # Errors
    /// [`ChargeError`]
    pub async fn charge(
        self: &Arc<Self>,
        merchant: Merchant,
        by: By,
        order: Order,
        shopper: Shopper,
        request: Option<Request>,
        answer_by: AnswerBy,
    ) -> Result<Made<Charge>, ChargeError> {
        let cancellation = Cancellation::new(answer_by);
        let _nobody_waits = cancellation.cancelling_on_drop();
        let (begun, has_begun) = oneshot::channel();
        let charging = {
            let (vault, cancellation) = (Arc::clone(self), cancellation.clone());
            let ordered = Ordered { by, order, shopper, request };
            async move { vault.charge_to_the_end(&merchant, ordered, (&cancellation, begun)).await }
        };
        // What the log says of it has the request's ids.
        let mut charging = self.charging.spawn(charging.in_current_span());
        if let Ok(charged) = timeout_at(answer_by.begin_by, &mut charging).await {
            return charged.map_err(|_| Failure::Panicked)?;
        }
        if cancellation.cancel() {
            return Err(ChargeError::NotBegun);
        }
        if let Ok(charged) = timeout_at(answer_by.tell_by, &mut charging).await {
            return charged.map_err(|_| Failure::Panicked)?;
        }
        if cancellation.cancel_late() {
            return Err(ChargeError::NotBegun);
        }
        // It was told of right after it had begun.
        let charge = has_begun.await.map_err(|_| Failure::Panicked)?;
        Ok(Made::Now(charge))
    }

    async fn charge_to_the_end(
        &self,
        merchant: &Merchant,
        ordered: Ordered,
        (cancellation, told): (&Cancellation, oneshot::Sender<Charge>),
    ) -> Result<Made<Charge>, ChargeError> {
        let (name, acquirer) = self.charging_acquirer(merchant).await?.ok_or(ChargeError::NoAcquirer)?;
        let acquirer = &*acquirer;
        let Ordered { by, order, shopper, request } = ordered;
        let now = self.clock.now();
        if let Some(request) = &request {
            // Its card may be gone by now, so this comes first.
            match self.store.seen(&merchant.id, request).await? {
                Seen::Never => {}
                Seen::Before(id) => {
                    let id = ChargeId::parse(&id).ok_or(ChargeError::Mismatch)?;
                    return self.charge_before(merchant, &id).await;
                }
                Seen::Otherwise => return Err(ChargeError::Mismatch),
            }
        }
        let found = self.chargeable(merchant, &order.source, (name, acquirer), now).await?;
        let card: Details = self.details(merchant, &found.owner, &found.card.details).await?;
        acquirer.check(&Prospect {
            currency: &order.currency,
            digits: found.digits(),
            details: &card,
            shopper: &shopper,
        })?;
        let callback = shopper.journey().map(|_| Callback::random());
        let id = ChargeId::random(merchant.mode);
        let kept = ChargeDetails {
            card: card.clone(),
            description: order.description.clone(),
            metadata: order.metadata.clone(),
        };
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &kept))?;
        let token = match order.source {
            Source::Token(token) => Some(token),
            Source::Card { .. } => None,
        };
        let Order { amount, currency, description, metadata, .. } = order;
        let order = Order { amount, currency, source: found.source.clone(), description, metadata };
        let shown = facts(found.card.clone(), card.clone());
        let acquired = Acquired { name, reference: None, code: None };
        let made = Charge {
            id,
            created_at: now,
            order,
            status: ChargeStatus::Pending,
            card: shown,
            acquirer: acquired.clone(),
            authorize_uri: None,
        };
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
                acquirer: acquired,
                authorize_uri: None,
            },
            ask_at: now.plus(ASK_AFTER),
            callback: callback.as_ref().map(Callback::hash),
            request,
        };
        let id = new.charge.id.as_str();
        let entry = self.audit_entry(Some(&merchant.id), by, Action::Charge, id, None);
        let key = self.audit_key()?;
        let may_commit = || cancellation.commit().is_ok();
        let code = match self.store.begin_charge(&merchant.id, &new, (&key, &entry), may_commit).await? {
            Begun::Before(id) => return self.charge_before(merchant, &id).await,
            Begun::Cancelled => return Err(ChargeError::NotBegun),
            Begun::Mismatch => return Err(ChargeError::Mismatch),
            Begun::Pending(code) => {
                self.news.notify_one();
                code
            }
            Begun::UnknownCard => return Err(ChargeError::UnknownCard),
            Begun::UnknownCustomer => return Err(ChargeError::UnknownCustomer),
            Begun::UnknownToken => return Err(ChargeError::UnknownToken),
            Begun::Used(by) => {
                return Err(token.map_or(ChargeError::UnknownToken, |token| ChargeError::Used { token, by }));
            }
        };
        let charge = new.charge;
        let method = found.method.as_ref().map(|method| method.id.clone());
        let payment = match self.instrument(merchant, &charge, found, token.as_ref().zip(code)).await {
            Ok(instrument) => Payment {
                charge: charge.id.clone(),
                amount: charge.amount,
                currency: charge.currency.clone(),
                instrument,
                details: card,
                on_file: matches!(charge.source, Source::Card { .. }),
                shopper,
                callback,
            },
            Err(failure) => {
                // No money is asked for, so it is not left pending.
                self.give_up(merchant, &charge).await?;
                return Err(failure.into());
            }
        };
        if cancellation.begin() == Err(Cancelled) {
            tracing::warn!(charge = %charge.id, "a charge was given up: it was made durable too late");
            self.give_up(merchant, &charge).await?;
            return Err(ChargeError::NotBegun);
        }
        // Whoever asked may have gone.
        let _ = told.send(made.clone());
        let journal = ChargeJournal { vault: self, merchant: &merchant.id, charge: &charge.id };
        let asked = timeout(LONGEST_CHARGE, acquirer.charge(&payment, &journal));
        let said = asked.await.unwrap_or(Outcome::Unknown.into());
        let concluded = self.conclude(merchant, &charge, said, (method, acquirer)).await;
        Ok(Made::Now(Self::as_far_as_known(&charge, made, concluded)))
    }

    /// Ends a charge for which nobody was asked for money.
    async fn give_up(&self, merchant: &Merchant, charge: &StoredCharge) -> Result<(), Failure> {
        let outcome = ChargeOutcome::Failed(FailureCode::FailedProcessing);
        self.finish(merchant, charge, Ended::without_words(outcome)).await.map(drop)
    }

    /// A charge that has begun is no error, whatever fails after that: it is pending until its outcome is stored.
    fn as_far_as_known(charge: &StoredCharge, begun: Charge, known: Result<Charge, Failure>) -> Charge {
        known.unwrap_or_else(|failure| {
            tracing::error!(%failure, charge = %charge.id, "what became of a charge is found out later");
            begun
        })
    }

    /// Keeps what an acquirer said to a charge. `asked_with` is the card as it keeps it, if it does.
    async fn conclude(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        said: Said<Outcome>,
        (asked_with, acquirer): (Option<MethodId>, &dyn Acquirer),
    ) -> Result<Charge, Failure> {
        let Said { what, reference, code, method } = said;
        let outcome = match what {
            Outcome::Successful => ChargeOutcome::Successful,
            Outcome::Failed(code) => ChargeOutcome::Failed(code),
            Outcome::Pending(authorize_uri) => {
                self.counts.charge(merchant.mode, ChargeStatus::Pending.as_str());
                let progress = Progress { reference, code, authorize_uri: Some(authorize_uri) };
                return self.ask_again(merchant, charge, progress, acquirer).await;
            }
            Outcome::Unknown => {
                self.counts.charge(merchant.mode, "unknown");
                tracing::warn!(charge = %charge.id, "an acquirer did not say what became of a charge");
                let progress = Progress { reference, code, authorize_uri: None };
                return self.ask_again(merchant, charge, progress, acquirer).await;
            }
        };
        let method = self.method_change(merchant, charge, method, (asked_with, acquirer.account())).await;
        self.finish(merchant, charge, Ended { outcome, reference, code, method, ask_at: None }).await?;
        self.charge_of(merchant, &charge.id).await?.ok_or(Failure::Unreadable("charge"))
    }

    /// Looks a charge up soon, and shows it as it is. One that was given up meanwhile is looked up at once: nobody else will.
    async fn ask_again(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        progress: Progress,
        acquirer: &dyn Acquirer,
    ) -> Result<Charge, Failure> {
        let ask_at = self.clock.now().plus(SOONEST_AGAIN);
        if !self.store.ask_later(&merchant.id, &charge.id, ask_at, &progress).await? {
            let hint = progress.reference;
            let Said { what, reference, code, method } = self.find(acquirer, charge, hint).await;
            let outcome = match what {
                Found::Successful => Some(ChargeOutcome::Successful),
                Found::Failed(code) => Some(ChargeOutcome::Failed(code)),
                Found::NeverArrived | Found::Unpaid | Found::Unknown => None,
            };
            if let Some(outcome) = outcome {
                let method = self.method_change(merchant, charge, method, (None, acquirer.account())).await;
                self.finish(merchant, charge, Ended { outcome, reference, code, method, ask_at: None })
                    .await?;
            }
        }
        self.charge_of(merchant, &charge.id).await?.ok_or(Failure::Unreadable("charge"))
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
        (name, acquirer): (Name, &dyn Acquirer),
        now: Timestamp,
    ) -> Result<Chargeable, ChargeError> {
        match source {
            Source::Token(id) => {
                let token = self.store.token(&merchant.id, &id.hash(), now).await?;
                let token = token.ok_or(ChargeError::UnknownToken)?;
                Ok(Chargeable {
                    owner: token.id.as_str().to_owned(),
                    source: Source::Token(token.id),
                    card: token.card,
                    method: None,
                })
            }
            Source::Card { customer, card } => {
                let stored = self.store.customer(&merchant.id, customer).await?;
                let stored = stored.ok_or(ChargeError::UnknownCustomer)?;
                let card = card.as_ref().or(stored.default_card.as_ref()).ok_or(ChargeError::NoCard)?;
                let card = self.store.card(&merchant.id, customer, card).await?;
                let card = card.ok_or(ChargeError::UnknownCard)?;
                let method = self.known_method(merchant, (customer, &card.id), (name, acquirer)).await?;
                let source = Source::Card { customer: stored.id, card: Some(card.id.clone()) };
                Ok(Chargeable { owner: card.id.to_string(), source, card, method })
            }
        }
    }

    async fn finish(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        ended: Ended,
    ) -> Result<ChargeStatus, Failure> {
        let before = charge.acquirer.clone();
        let shown = StoredCharge {
            status: ended.outcome.into(),
            acquirer: Acquired {
                name: before.name,
                reference: ended.reference.clone().or(before.reference),
                code: ended.code.clone().or(before.code),
            },
            authorize_uri: None,
            ..charge.clone()
        };
        let shown = self.shown_charge(merchant, shown).await?;
        let event = self.charge_event(merchant, EventKey::ChargeComplete, shown.clone())?;
        let finished = self.store.finish_charge(&merchant.id, charge, &ended, &event).await;
        if let Ok(before) = finished
            && before.is_successful() != ended.outcome.is_successful()
        {
            return self.settle_conflict(merchant, before, ended, charge).await;
        }
        match finished {
            Ok(first) => {
                self.news.notify_one();
                let status = ChargeStatus::from(first);
                self.counts.charge(merchant.mode, status.as_str());
                Ok(status)
            }
            Err(error) => {
                // The store says pending. The acquirer will be asked again; until then only this line tells.
                let status = ChargeStatus::from(ended.outcome).as_str();
                tracing::error!(charge = %charge.id, status, "the outcome of a charge was not stored");
                Err(error.into())
            }
        }
    }

    /// Keeps the truth of a charge of which two outcomes were told: money that was taken was taken, whoever says otherwise.
    async fn settle_conflict(
        &self,
        merchant: &Merchant,
        before: ChargeOutcome,
        ended: Ended,
        charge: &StoredCharge,
    ) -> Result<ChargeStatus, Failure> {
        let id = &charge.id;
        let (merchant_id, subject) = (Some(&merchant.id), id.as_str());
        if before.is_successful() {
            tracing::error!(charge = %id, "an acquirer says that a charge has failed, after it has said that it has not");
            self.counts.charge(merchant.mode, "contradicted");
            self.audit(merchant_id, By::VAULT, Action::ContradictCharge, subject, None).await?;
            return Ok(before.into());
        }
        // Before anything else: should it not be stored, this is what tells.
        tracing::error!(charge = %id, "a charge that was held for failed is successful: the money was taken");
        self.counts.charge(merchant.mode, "corrected");
        // Should the correction not be stored, it is found again.
        let ask_at = self.clock.now().plus(LATEST_AGAIN);
        self.store.doubt(&merchant.id, id, Some(ask_at)).await?;
        // As it is now: its customer may have been deleted since.
        let shown = self.charge_of(merchant, id).await?.ok_or(Failure::Unreadable("charge"))?;
        let shown = Charge { status: ended.outcome.into(), ..shown };
        let event = self.charge_event(merchant, EventKey::ChargeUpdate, shown)?;
        let entry = self.audit_entry(merchant_id, By::VAULT, Action::CorrectCharge, subject, None);
        let key = self.audit_key()?;
        if self.store.correct_charge(&merchant.id, id, &ended, &event, (&key, &entry)).await? {
            self.news.notify_one();
        }
        Ok(ended.outcome.into())
    }

    /// What an acquirer is asked with. A card that it keeps is not opened.
    async fn instrument(
        &self,
        merchant: &Merchant,
        charge: &StoredCharge,
        found: Chargeable,
        code: Option<(&TokenId, SecurityCodeRow)>,
    ) -> Result<Instrument, Failure> {
        if let Some(method) = found.method {
            return Ok(Instrument::Stored(method.name));
        }
        let security_code = match code.filter(|(_, code)| charge.created_at < code.expires_at) {
            Some((token, code)) => self.security_code(merchant, token, found.card.brand, &code).await?,
            None => None,
        };
        Ok(Instrument::Card {
            number: self.number(merchant, &found.owner, &found.card).await?,
            security_code,
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
        // By a clock that is ahead, a charge that is on its way looks like one that never arrived.
        if self.clock.trust().is_err() {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut tasks = JoinSet::new();
        for (merchant, charge) in self.store.lease_unanswered_charges(now, now.plus(LEASE), LOOK_UPS).await? {
            let vault = Arc::clone(self);
            tasks.spawn(async move { vault.resolve_charge(&merchant, &charge, None).await });
        }
        let mut resolved = 0;
        while let Some(task) = tasks.join_next().await {
            resolved += u64::from(task.map_err(|_| Failure::Panicked)??);
        }
        Ok(resolved)
    }

    /// Looks for a charge that an acquirer called back about, beside whatever else is done. `hint` is the name that the
    /// caller gave to the payment: anybody could have sent it, so it is only what the acquirer is asked by. Tells whether
    /// there is such a charge.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn called_back(
        self: &Arc<Self>,
        callback: &Sha256Digest,
        hint: Option<Reference>,
    ) -> Result<bool, Failure> {
        let lease = self.clock.now().plus(LEASE);
        let Some((merchant, charge)) = self.store.lease_called_back_charge(callback, lease).await? else {
            return Ok(self.store.knows_callback(callback).await?);
        };
        let vault = Arc::clone(self);
        let looking = async move {
            if let Err(error) = vault.resolve_charge(&merchant, &charge, hint).await {
                tracing::error!(%error, charge = %charge.id, "looking a charge up failed; it is tried again");
            }
        };
        self.charging.spawn(looking.in_current_span());
        Ok(true)
    }

    async fn resolve_charge(
        &self,
        merchant: &MerchantId,
        charge: &StoredCharge,
        hint: Option<Reference>,
    ) -> Result<bool, Failure> {
        let merchant = self.owner(merchant).await?;
        let Some(acquirer) = self.acquirer_named(&merchant, charge.acquirer.name).await? else {
            tracing::error!(charge = %charge.id, "nobody can say what became of a charge: its acquirer is not set up");
            return Ok(false);
        };
        let Said { what, reference, code, method } = self.find(&*acquirer, charge, hint).await;
        let now = self.clock.now();
        let age = now.since(charge.created_at);
        let longest = match (what, &charge.authorize_uri) {
            (Found::Unpaid, _) | (Found::NeverArrived, Some(_)) => LONGEST_AUTHORIZATION,
            _ => LONGEST_JOURNEY,
        };
        // By a clock that is not trusted nothing is given up.
        let is_trusted = self.clock.trust().is_ok();
        let is_given_up = charge.status.outcome().is_some();
        let (outcome, doubt) = match what {
            Found::Successful => (ChargeOutcome::Successful, None),
            Found::Failed(code) => (ChargeOutcome::Failed(code), None),
            Found::NeverArrived | Found::Unpaid | Found::Unknown if is_given_up => {
                let ask_at = (age < LONGEST_DOUBT || !is_trusted).then(|| now.plus(age.max(LATEST_AGAIN)));
                self.store.doubt(&merchant.id, &charge.id, ask_at).await?;
                return Ok(false);
            }
            // It may have been sent by a process that stood still.
            Found::NeverArrived | Found::Unpaid if age >= longest && is_trusted => {
                (ChargeOutcome::Failed(FailureCode::FailedProcessing), Some(now.plus(LATEST_AGAIN)))
            }
            Found::NeverArrived | Found::Unpaid | Found::Unknown => {
                let ask_at = now.plus(age.clamp(SOONEST_AGAIN, LATEST_AGAIN));
                let progress = Progress { reference, code, authorize_uri: None };
                self.store.ask_later(&merchant.id, &charge.id, ask_at, &progress).await?;
                return Ok(false);
            }
        };
        let method = self.method_change(&merchant, charge, method, (None, acquirer.account())).await;
        let ended = Ended { outcome, reference, code, method, ask_at: doubt };
        let status = self.finish(&merchant, charge, ended).await?;
        tracing::info!(charge = %charge.id, status = status.as_str(), "found out what became of a charge");
        Ok(true)
    }

    /// What an acquirer knows of a charge. `hint` is its name for the payment, if the charge does not have it.
    async fn find(
        &self,
        acquirer: &dyn Acquirer,
        charge: &StoredCharge,
        hint: Option<Reference>,
    ) -> Said<Found> {
        let inquiry = Inquiry {
            charge: charge.id.clone(),
            amount: charge.amount,
            currency: charge.currency.clone(),
            reference: charge.acquirer.reference.clone().or(hint),
        };
        timeout(LONGEST_FIND, acquirer.find(&inquiry)).await.unwrap_or(Found::Unknown.into())
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
            acquirer: stored.acquirer,
            authorize_uri: stored.authorize_uri,
        })
    }
}

/// What a merchant's server asked for, and who it is.
struct Ordered {
    by: By,
    order: Order,
    shopper: Shopper,
    request: Option<Request>,
}

impl Chargeable {
    /// How many digits the number has that an acquirer would be given: none if it is given none.
    fn digits(&self) -> Option<usize> {
        let pan = self.card.pan.as_ref().filter(|_| self.method.is_none());
        pan.map(Ciphertext::plaintext_len)
    }
}

impl Ended {
    /// An end that no acquirer knows of.
    const fn without_words(outcome: ChargeOutcome) -> Self {
        Self { outcome, reference: None, code: None, method: MethodChange::Keep, ask_at: None }
    }
}

/// The journal of one charge.
struct ChargeJournal<'a> {
    vault: &'a Vault,
    merchant: &'a MerchantId,
    charge: &'a ChargeId,
}

impl Journal for ChargeJournal<'_> {
    fn note<'a>(&'a self, reference: &'a Reference) -> Answer<'a, Result<(), NotNoted>> {
        Box::pin(async {
            match self.vault.store.note_reference(self.merchant, self.charge, reference).await {
                Ok(true) => Ok(()),
                Ok(false) => {
                    tracing::error!(charge = %self.charge, "a charge had ended before money was asked for");
                    Err(NotNoted)
                }
                Err(error) => {
                    tracing::error!(%error, charge = %self.charge, "a charge was given up before money was asked for");
                    Err(NotNoted)
                }
            }
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
    /// The vault is busy, and was told to stop. No money is taken, now or later; its token may be used. Trying again may help.
    #[error("the charge was not begun in time")]
    NotBegun,
    /// Nobody takes this merchant's charges. The operator's to put right; nothing was used.
    #[error("no acquirer is set up")]
    NoAcquirer,
    /// The customer has no card. The merchant's fault.
    #[error("the customer has no card")]
    NoCard,
    /// The acquirer could not take it. The merchant's fault or the cardholder's, as it says; nothing was used.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
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
