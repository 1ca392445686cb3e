//! The flow of a card that goes to the vault in a seal: to be opened there, or to be passed on as it is.

use std::cell::Cell;
use std::rc::Rc;

use super::cardseal::{self, Billing};
use super::connection::{Connection, Pending, read};
use super::sealing_key::SealingKey;
use super::{
    Answer, Cache, Error, Pkey, Profile, Refusal, RequestId, Token, Transport, payment_options, relay,
};
use crate::card::Card;
use crate::seal::{Algorithm, Envelope, Jti, Plaintext, PublicKey};

/// A way for sealed cards.
#[derive(Debug)]
pub(super) struct Sealed {
    recipient: Recipient,
    key: SealingKey,
    /// How far the vault's clock is ahead of the device's, in seconds, once the vault said that they differ.
    clock_offset: Cell<i64>,
}

/// Who opens the seals.
#[derive(Debug)]
enum Recipient {
    /// The vault, for this merchant, and perhaps to pass the card on.
    Vault { merchant: Pkey, vendor: Option<Profile> },
    /// A vendor, who wants to find in it what this writes.
    Vendor(Profile, fn(&Card) -> Plaintext),
}

/// What goes into a seal.
enum Content {
    Vault(Envelope),
    Vendor(Card, fn(&Card) -> Plaintext),
}

impl Sealed {
    /// To the vault; `vendor` is who gets the card from it.
    pub(super) fn to_vault(merchant: Pkey, vendor: Option<Profile>) -> Self {
        let key = SealingKey::of_vault(merchant.is_live());
        Self::new(Recipient::Vault { merchant, vendor }, key)
    }

    /// To a vendor behind the vault.
    pub(super) fn to_vendor(
        profile: Profile,
        algorithm: Algorithm,
        live: bool,
        plaintext: fn(&Card) -> Plaintext,
    ) -> Self {
        Self::new(Recipient::Vendor(profile, plaintext), SealingKey::of_vendor(profile, algorithm, live))
    }

    fn new(recipient: Recipient, key: SealingKey) -> Self {
        Self { recipient, key, clock_offset: Cell::default() }
    }

    /// Has the key at hand from now on.
    pub(super) fn prepare<'a, T: Transport>(
        &'a self,
        connection: &'a Connection<T>,
        id: &'a RequestId,
    ) -> Pending<'a, Rc<PublicKey>> {
        self.key.get(connection, Cache::Default, id)
    }

    /// Seals the card and exchanges it for a token.
    ///
    /// However often it has to send, it gets one token: the vault keeps the `jti` of a seal of its own, and the digest of
    /// one that it passes on.
    pub(super) async fn tokenize<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: Card,
        billing: &Billing,
        id: &RequestId,
    ) -> Result<Token, Error> {
        self.check(&card, billing)?;
        let mut content = self.content(card)?;
        let mut cache = Cache::Default;
        let mut may_refetch_key = true;
        let mut may_set_clock = true;
        loop {
            let key = self.key.get(connection, cache, id).await?;
            let answer = self.post(connection, &mut content, &key, billing, id)?.await?;
            cache = Cache::Default;
            match (content.token(&answer), answer.date) {
                (Err(Error::Refused { refusal: Refusal::UnknownKid, .. }), _) if may_refetch_key => {
                    may_refetch_key = false;
                    cache = Cache::Reload;
                }
                (Err(Error::Refused { refusal: Refusal::ExpiredSeal, .. }), Some(date)) if may_set_clock => {
                    may_set_clock = false;
                    self.set_clock(connection.now(), date);
                }
                (token, _) => return token,
            }
        }
    }

    /// Seals the card.
    pub(super) async fn seal<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: Card,
        id: &RequestId,
    ) -> Result<String, Error> {
        let mut content = self.content(card)?;
        let key = self.key.get(connection, Cache::Default, id).await?;
        self.seal_content(&mut content, &key, connection.now())
    }

    /// Holds the card against what its vendor takes, where the vault can only tell too late.
    fn check(&self, card: &Card, billing: &Billing) -> Result<(), Error> {
        match &self.recipient {
            Recipient::Vault { vendor: Some(Profile::PaymentOptions), .. } => {
                payment_options::check(card, billing)
            }
            _ => Ok(()),
        }
    }

    fn content(&self, card: Card) -> Result<Content, Error> {
        Ok(match &self.recipient {
            Recipient::Vault { merchant, .. } => {
                let id = Jti::random().map_err(|_| Error::Random)?;
                Content::Vault(Envelope { card, merchant: merchant.clone(), issued_at: 0, id })
            }
            Recipient::Vendor(_, plaintext) => Content::Vendor(card, *plaintext),
        })
    }

    fn seal_content(&self, content: &mut Content, key: &PublicKey, now: u64) -> Result<String, Error> {
        let plaintext = match content {
            Content::Vault(envelope) => {
                envelope.issued_at = now.saturating_add_signed(self.clock_offset.get());
                envelope.to_plaintext()
            }
            Content::Vendor(card, plaintext) => plaintext(card),
        };
        Ok(plaintext.seal(key)?)
    }

    fn post<'a, T: Transport>(
        &self,
        connection: &'a Connection<T>,
        content: &mut Content,
        key: &PublicKey,
        billing: &Billing,
        id: &'a RequestId,
    ) -> Result<Pending<'a, Answer>, Error> {
        let sealed = self.seal_content(content, key, connection.now())?;
        Ok(match &self.recipient {
            Recipient::Vault { vendor, .. } => {
                connection.post("/tokens", cardseal::create_token(&sealed, *vendor, billing), id)
            }
            Recipient::Vendor(profile, _) => {
                let path = [&*profile.path(), "/tokens"].concat();
                connection.post(&path, relay::create_token(&sealed), id)
            }
        })
    }

    fn set_clock(&self, device_now: u64, vault_now: u64) {
        if let (Ok(device), Ok(vault)) = (i64::try_from(device_now), i64::try_from(vault_now)) {
            self.clock_offset.set(vault - device);
        }
    }
}

impl Content {
    /// The token that an answer tells of.
    fn token(&self, answer: &Answer) -> Result<Token, Error> {
        match self {
            Self::Vault(_) => read(answer).map(Token::Card),
            Self::Vendor(card, _) => read(answer).map(|made: relay::Made| Token::Vendor(made.of(card))),
        }
    }
}
