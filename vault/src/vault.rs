//! What a vault does: it makes tokens of cards and charges them.

use std::sync::Arc;
use std::time::Duration;

use cardseal::card::{Card, Holder, Number, SecurityCode};
use cardseal::seal::{Envelope, Jti};
use thiserror::Error;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::acquirer::{Acquirer, Acquirers, Outcome, Payment};
use crate::charge::{Charge, ChargeStatus, FailureCode, Order};
use crate::data_dir::DataDir;
use crate::id::{CardId, ChargeId, TokenId};
use crate::keys::data::{Ciphertext, Part, Place};
use crate::keys::gcm::Unopened;
use crate::keys::{Keys, KeysError};
use crate::merchant::Merchant;
use crate::seal::{self, Opener};
use crate::store::{Begun, Inserted, NewCharge, NewToken, SecurityCodeRow, Store, StoreError, StoredToken};
use crate::time::Clock;
use crate::token::{Billing, CardFacts, Details, Token, Usage};

/// How long a security code is kept for the charge that is to follow. It never outlives the charge (PCI DSS 3.3.1).
pub const SECURITY_CODE_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A running vault.
#[derive(Debug)]
pub struct Vault {
    store: Store,
    keys: Arc<Keys>,
    opener: Opener,
    acquirers: Acquirers,
    clock: Clock,
    /// Charges under way. They go on when the client hangs up: its server would not know whether money was taken.
    charging: TaskTracker,
}

impl Vault {
    /// Opens the vault in a folder, and makes its database and keys when it is new.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(dir: &DataDir, clock: Clock, acquirers: Acquirers) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(dir).await?;
        let keys = Arc::new(Keys::open(dir, &store, clock.now()).await?);
        let opener = Opener::new(Arc::clone(&keys), clock.clone());
        Ok(Arc::new(Self { store, keys, opener, acquirers, clock, charging: TaskTracker::new() }))
    }

    /// Who may use the vault.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The vault's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Opens a sealed card that a merchant's page sent.
    ///
    /// # Errors
    /// [`seal::Refused`]
    pub async fn open_seal(
        &self,
        merchant: &Merchant,
        jwe: Zeroizing<String>,
    ) -> Result<Envelope, seal::Refused> {
        self.opener.open(merchant, jwe).await
    }

    /// The month that an expiry is held against.
    #[must_use]
    pub fn month(&self) -> cardseal::card::YearMonth {
        self.clock.now().month()
    }

    /// Makes a token of a card. It is durable when this returns.
    ///
    /// A seal gives one token: given again with the same card it gives that token again.
    ///
    /// # Errors
    /// [`TokenizeError`]
    pub async fn tokenize(
        &self,
        merchant: &Merchant,
        card: Card,
        billing: Billing,
        seal: Option<Jti>,
    ) -> Result<Token, TokenizeError> {
        let now = self.clock.now();
        let security_code_check = match (self.acquirers.of(merchant.mode), &card.security_code) {
            (Some(acquirer), Some(code)) => acquirer.check_security_code(&card.number, code).await,
            _ => false,
        };
        let details = Details {
            expiration_month: card.expiry.month(),
            expiration_year: card.expiry.year(),
            // EXPOSE: a token shows the name, and the store keeps it encrypted.
            name: card.holder.as_ref().map(|holder| Holder::expose(holder).to_owned()),
            billing,
        };
        let id = TokenId::random(merchant.mode);
        let encrypt = |part, plaintext: &[u8]| {
            self.keys.data.encrypt(Place { merchant: &merchant.id, token: &id, part }, plaintext)
        };
        let stored = StoredToken {
            card_id: CardId::random(merchant.mode),
            brand: card.number.brand(),
            last_digits: card.number.last_digits().to_owned(),
            fingerprint: self.keys.fingerprint.fingerprint(&merchant.id, &card.number),
            security_code_check,
            // EXPOSE: into the cipher.
            pan: encrypt(Part::Pan, card.number.expose().as_bytes()),
            details: encrypt(Part::Details, &to_json(&details)?),
            created_at: now,
            usage: Usage::Unused,
            id: id.clone(),
        };
        let security_code = card.security_code.as_ref().map(|code| SecurityCodeRow {
            // EXPOSE: into the cipher.
            code: encrypt(Part::SecurityCode, code.expose().as_bytes()),
            expires_at: now.plus(SECURITY_CODE_LIFETIME),
        });
        let new = NewToken { token: stored, seal, security_code };
        match self.store.insert_token(&merchant.id, &new).await? {
            Inserted::New => Ok(token(new.token, details)),
            Inserted::Before(first) => {
                let before = self.details(merchant, &first)?;
                let same_card = first.fingerprint == new.token.fingerprint
                    && (before.expiration_month, before.expiration_year)
                        == (details.expiration_month, details.expiration_year);
                if same_card { Ok(token(*first, before)) } else { Err(TokenizeError::Replayed) }
            }
        }
    }

    /// A merchant's token, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn token(&self, merchant: &Merchant, id: &TokenId) -> Result<Option<Token>, Failure> {
        match self.store.token(&merchant.id, id).await? {
            Some(stored) => {
                let details = self.details(merchant, &stored)?;
                Ok(Some(token(stored, details)))
            }
            None => Ok(None),
        }
    }

    /// Charges a token. Goes on to its end once begun, whether or not anybody waits for it.
    ///
    /// # Errors
    /// [`ChargeError`]
    pub async fn charge(self: &Arc<Self>, merchant: Merchant, order: Order) -> Result<Charge, ChargeError> {
        let acquirer = self.acquirers.of(merchant.mode).ok_or(ChargeError::NoAcquirer)?;
        let vault = Arc::clone(self);
        let charging =
            self.charging.spawn(async move { vault.charge_with(&*acquirer, &merchant, order).await });
        charging.await.map_err(|_| Failure::Panicked)?
    }

    async fn charge_with(
        &self,
        acquirer: &dyn Acquirer,
        merchant: &Merchant,
        order: Order,
    ) -> Result<Charge, ChargeError> {
        let new = NewCharge { id: ChargeId::random(merchant.mode), order, created_at: self.clock.now() };
        let (stored, code) = match self.store.begin_charge(&merchant.id, &new).await? {
            Begun::Pending(stored, code) => (*stored, code),
            Begun::UnknownToken => return Err(ChargeError::UnknownToken),
            Begun::Used(charge) => return Err(ChargeError::Used(charge)),
        };
        let payment = match self.payment(merchant, &new, &stored, code) {
            Ok(payment) => payment,
            Err(failure) => {
                // Nobody was asked for money, so this charge is not left pending.
                let status = ChargeStatus::Failed(FailureCode::FailedProcessing);
                self.store.finish_charge(&merchant.id, &new.id, status).await?;
                return Err(failure.into());
            }
        };
        let status = match acquirer.charge(&payment).await {
            Outcome::Successful => ChargeStatus::Successful,
            Outcome::Failed(code) => ChargeStatus::Failed(code),
        };
        let NewCharge { id, order, created_at } = new;
        if let Err(error) = self.store.finish_charge(&merchant.id, &id, status).await {
            // The store says pending for ever; only this line tells what became of the money.
            tracing::error!(charge = %id, status = status.as_str(), "the outcome of a charge was not stored");
            return Err(error.into());
        }
        let details = self.details(merchant, &stored)?;
        Ok(Charge { id, created_at, order, status, card: token(stored, details).card })
    }

    fn payment(
        &self,
        merchant: &Merchant,
        new: &NewCharge,
        stored: &StoredToken,
        code: Option<SecurityCodeRow>,
    ) -> Result<Payment, Failure> {
        let details = self.details(merchant, stored)?;
        let security_code = match code.filter(|code| new.created_at < code.expires_at) {
            Some(code) => self.security_code(merchant, stored, &code.code)?,
            None => None,
        };
        Ok(Payment {
            charge: new.id.clone(),
            amount: new.order.amount,
            currency: new.order.currency.clone(),
            number: self.number(merchant, stored)?,
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
        let details = self.details(merchant, &stored.token)?;
        let card = token(stored.token, details).card;
        Ok(Some(Charge {
            id: stored.id,
            created_at: stored.created_at,
            order: stored.order,
            status: stored.status,
            card,
        }))
    }

    /// Deletes the security codes whose time is over, and says how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_expired_security_codes(&self) -> Result<u64, StoreError> {
        self.store.delete_expired_security_codes(self.clock.now()).await
    }

    /// Waits for the charges under way and closes the store. Nobody may be given the vault any more.
    pub async fn close(&self) {
        self.charging.close();
        self.charging.wait().await;
        self.store.close().await;
    }

    fn details(&self, merchant: &Merchant, stored: &StoredToken) -> Result<Details, Failure> {
        let plaintext = self.decrypt(merchant, stored, Part::Details, &stored.details)?;
        serde_json::from_slice(&plaintext).map_err(|_| Failure::Unreadable("card details"))
    }

    fn number(&self, merchant: &Merchant, stored: &StoredToken) -> Result<Number, Failure> {
        let plaintext = self.decrypt(merchant, stored, Part::Pan, &stored.pan)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Failure::Unreadable("card number"))?;
        Number::parse(text).valid().ok_or(Failure::Unreadable("card number"))
    }

    fn security_code(
        &self,
        merchant: &Merchant,
        stored: &StoredToken,
        code: &Ciphertext,
    ) -> Result<Option<SecurityCode>, Failure> {
        let plaintext = self.decrypt(merchant, stored, Part::SecurityCode, code)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Failure::Unreadable("security code"))?;
        Ok(SecurityCode::parse(text, Some(stored.brand)).valid())
    }

    fn decrypt(
        &self,
        merchant: &Merchant,
        stored: &StoredToken,
        part: Part,
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let place = Place { merchant: &merchant.id, token: &stored.id, part };
        self.keys.data.decrypt(place, ciphertext).map_err(|Unopened| Failure::Tampered)
    }
}

fn token(stored: StoredToken, details: Details) -> Token {
    let StoredToken {
        id,
        card_id,
        brand,
        last_digits,
        fingerprint,
        security_code_check,
        created_at,
        usage,
        ..
    } = stored;
    let card =
        CardFacts { id: card_id, created_at, brand, last_digits, fingerprint, security_code_check, details };
    Token { id, created_at, card, usage }
}

fn to_json(details: &Details) -> Result<Zeroizing<Vec<u8>>, Failure> {
    serde_json::to_vec(details).map(Zeroizing::new).map_err(|_| Failure::Unreadable("card details"))
}

/// Why a vault cannot start. The operator's to put right.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its keys could not be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its database could not be had.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The vault's own fault. Trying again may help.
#[derive(Debug, Error)]
pub enum Failure {
    /// A charge's task ended without an answer.
    #[error("a task panicked")]
    Panicked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something in the store does not belong where it is: somebody changed the database.
    #[error("a ciphertext in the database was changed or moved")]
    Tampered,
    /// A plaintext is not what was encrypted there: a bug.
    #[error("the stored {0} cannot be read")]
    Unreadable(&'static str),
}

/// Why a card got no token.
#[derive(Debug, Error)]
pub enum TokenizeError {
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Its seal's id came before with another card. The sender's fault.
    #[error("the seal's id was used for another card")]
    Replayed,
}

impl From<StoreError> for TokenizeError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
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
    /// The token has been used, for this charge. The merchant's fault.
    #[error("the token was used for charge {0}")]
    Used(ChargeId),
}

impl From<StoreError> for ChargeError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
