//! Tokens.

use cardseal::card::{Card, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::Pkey;
use cardseal::seal::{Envelope, Jti};
use thiserror::Error;

use super::secrets::{encrypt_details, encrypt_number};
use super::{Failure, TooManyAlike, Vault};
use crate::access::client::Client;
use crate::id::{CardId, TokenId};
use crate::keys::code::CodeLock;
use crate::keys::data::{DataKey, Part, Place};
use crate::merchant::{Merchant, Mode};
use crate::seal;
use crate::store::{Inserted, NewToken, SecurityCodeRow, StoreError, StoredCard, StoredToken};
use crate::token::{Billing, CardFacts, Details, Token, Usage};

impl Vault {
    /// Opens a sealed card that a page sent with the public key `sender`.
    ///
    /// # Errors
    /// [`seal::Refused`]
    pub fn open_seal(&self, sender: &Pkey, jwe: &str) -> Result<Envelope, seal::Refused> {
        let mode = if sender.is_live() { Mode::Live } else { Mode::Test };
        let opened = self.opener.open(mode, jwe, Envelope::parse)?;
        let is_senders = opened.merchant() == sender;
        opened.sent_by(is_senders)
    }

    /// The month that an expiry is held against.
    #[must_use]
    pub fn month(&self) -> YearMonth {
        self.clock.now().month()
    }

    /// Makes a token of a card. It is durable when this returns.
    ///
    /// A seal gives one token: given again with the same card it gives that token again. That tells nobody of another's
    /// card: the seal's id is known to whoever sealed the card alone, and another number with it is counted like any.
    ///
    /// # Errors
    /// [`TokenizeError`]
    pub async fn tokenize(
        &self,
        merchant: &Merchant,
        card: Card,
        billing: Billing,
        seal: Option<Jti>,
        client: Client,
    ) -> Result<Token, TokenizeError> {
        self.check_test_card(merchant, &card.number)?;
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
        let id = match &seal {
            Some(seal) => self.token_of_seal(merchant, seal)?,
            None => TokenId::random(merchant.mode),
        };
        let (token, security_code) = self.encrypting(|key| {
            let token = self.stored_token(key, merchant, &id, &card, &details, security_code_check)?;
            let encrypt = |code| self.encrypt_security_code(key, merchant, &id, code);
            let security_code = card.security_code.as_ref().map(encrypt);
            Ok((token, security_code))
        })?;
        let counted = self.counted(merchant, client, &card.number)?;
        let new = NewToken { token: token.clone(), seal: seal.clone(), security_code, counted };
        match self.store.insert_token(&merchant.id, new).await? {
            Inserted::New => {
                self.counts.token(merchant.mode);
                Ok(shown(id, token, details))
            }
            Inserted::TooManyAlike => Err(self.too_many_alike(merchant).into()),
            Inserted::Before(first) => {
                let id = self.first_token_of_seal(merchant, &first, seal.as_ref()).await?;
                let before: Details = self.details(merchant, first.id.as_str(), &first.card.details).await?;
                let same_card = first.card.fingerprint == token.card.fingerprint
                    && (before.expiration_month, before.expiration_year)
                        == (details.expiration_month, details.expiration_year);
                if same_card { Ok(shown(id, *first, before)) } else { Err(TokenizeError::Replayed) }
            }
        }
    }

    /// The id of the token that a seal gives, if it has not given one yet.
    fn token_of_seal(&self, merchant: &Merchant, seal: &Jti) -> Result<TokenId, Failure> {
        let rings = self.keys.rings();
        let held = rings.access.active(self.clock.now()).ok_or(Failure::NoActiveKey("access"))?;
        Ok(TokenId::of_seal(&held.key, &merchant.id, merchant.mode, seal))
    }

    /// The id of the token that a seal has given, maybe by a process that uses another key.
    async fn first_token_of_seal(
        &self,
        merchant: &Merchant,
        first: &StoredToken,
        seal: Option<&Jti>,
    ) -> Result<TokenId, Failure> {
        let find = |seal: &Jti| {
            let rings = self.keys.rings();
            let mut ids = rings
                .access
                .iter()
                .map(|held| TokenId::of_seal(&held.key, &merchant.id, merchant.mode, seal));
            ids.find(|id| id.hash() == first.id)
        };
        let unreadable = Failure::Unreadable("token of a seal");
        let Some(seal) = seal else { return Err(unreadable) };
        if let Some(id) = find(seal) {
            return Ok(id);
        }
        self.keys.refresh(&self.store).await?;
        find(seal).ok_or(unreadable)
    }

    /// Refuses test merchants what may be somebody's card.
    pub(super) fn check_test_card(&self, merchant: &Merchant, number: &Number) -> Result<(), NotATestCard> {
        match merchant.mode {
            Mode::Test if !self.policy.test_cards.include(number) => Err(NotATestCard),
            Mode::Test | Mode::Live => Ok(()),
        }
    }

    fn stored_token(
        &self,
        key: &DataKey,
        merchant: &Merchant,
        id: &TokenId,
        card: &Card,
        details: &Details,
        security_code_check: bool,
    ) -> Result<StoredToken, Failure> {
        let now = self.clock.now();
        let id = id.hash();
        let rings = self.keys.rings();
        let fingerprint = rings.fingerprint.active(now).ok_or(Failure::NoActiveKey("fingerprint"))?;
        Ok(StoredToken {
            card: StoredCard {
                id: CardId::random(merchant.mode),
                created_at: now,
                brand: card.number.brand(),
                last_digits: card.number.last_digits().to_owned(),
                fingerprint: fingerprint.key.fingerprint(&merchant.id, &card.number),
                security_code_check,
                pan: Some(encrypt_number(key, merchant, id.as_str(), &card.number)),
                details: encrypt_details(key, merchant, id.as_str(), details)?,
            },
            created_at: now,
            expires_at: now.plus(self.policy.token_lifetime),
            usage: Usage::Unused,
            id,
        })
    }

    fn encrypt_security_code(
        &self,
        key: &DataKey,
        merchant: &Merchant,
        token: &TokenId,
        code: &SecurityCode,
    ) -> SecurityCodeRow {
        let hash = token.hash();
        let place = Place { merchant: &merchant.id, owner: hash.as_str(), part: Part::SecurityCode };
        SecurityCodeRow {
            // EXPOSE: into the cipher.
            code: key.encrypt(place, &CodeLock::of(token).lock(code.expose().as_bytes())),
            expires_at: self.clock.now().plus(self.policy.security_code_lifetime),
        }
    }

    /// A merchant's token, if it has one of this id; none whose time is over.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn token(&self, merchant: &Merchant, id: &TokenId) -> Result<Option<Token>, Failure> {
        match self.store.token(&merchant.id, &id.hash(), self.clock.now()).await? {
            Some(stored) => {
                let details = self.details(merchant, stored.id.as_str(), &stored.card.details).await?;
                Ok(Some(shown(id.clone(), stored, details)))
            }
            None => Ok(None),
        }
    }
}

/// What may be known of a card that is kept.
pub(super) fn facts(card: StoredCard, details: Details) -> CardFacts {
    let StoredCard { id, created_at, brand, last_digits, fingerprint, security_code_check, .. } = card;
    CardFacts { id, created_at, brand, last_digits, fingerprint, security_code_check, details }
}

fn shown(id: TokenId, stored: StoredToken, details: Details) -> Token {
    let StoredToken { card, created_at, usage, .. } = stored;
    Token { id, created_at, card: facts(card, details), usage }
}

/// A card that may be somebody's, with a test key. The sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the card is no published test card")]
pub struct NotATestCard;

/// Why a card got no token.
#[derive(Debug, Error)]
pub enum TokenizeError {
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A test key takes published test cards.
    #[error(transparent)]
    NotATestCard(#[from] NotATestCard),
    /// Its seal's id came before with another card. The sender's fault.
    #[error("the seal's id was used for another card")]
    Replayed,
    /// Somebody seems to search for a number.
    #[error(transparent)]
    TooManyAlike(#[from] TooManyAlike),
}

impl From<StoreError> for TokenizeError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
