//! Tokens of vendors that take sealed cards from servers alone. The vault passes the seal on, and cannot open it.

use super::connection::{Connection, read};
use super::sealing_key::SealingKey;
use super::{Error, Profile, Refusal, RequestId, Transport};
use crate::card::Card;
use crate::plain::{self, FromPlain, Json, Plain, Wrong};
use crate::seal::{Algorithm, Plaintext};

/// The way to one vendor.
#[derive(Debug)]
pub(super) struct Relay {
    profile: Profile,
    key: SealingKey,
    /// What that vendor wants to find in a seal.
    plaintext: fn(&Card) -> Plaintext,
}

impl Relay {
    pub(super) const fn new(
        profile: Profile,
        algorithm: Algorithm,
        plaintext: fn(&Card) -> Plaintext,
    ) -> Self {
        Self { profile, key: SealingKey::of_vendor(profile, algorithm), plaintext }
    }

    /// Has the vendor's key at hand from now on.
    pub(super) async fn prepare<T: Transport>(
        &self,
        connection: &Connection<T>,
        id: &RequestId,
    ) -> Result<(), Error> {
        self.key.get(connection, id).await.map(drop)
    }

    /// Seals the card to the vendor's key.
    pub(super) async fn seal<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: &Card,
        id: &RequestId,
    ) -> Result<String, Error> {
        let key = self.key.get(connection, id).await?;
        Ok((self.plaintext)(card).seal(&key)?)
    }

    /// Seals the card and has the vault exchange it for the vendor's token. However often a seal is sent, it gives one.
    pub(super) async fn tokenize<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: &Card,
        id: &RequestId,
    ) -> Result<VendorToken, Error> {
        let mut may_refetch_key = true;
        loop {
            let sealed = self.seal(connection, card, id).await?;
            let path = [&*self.profile.path(), "/tokens"].concat();
            let answer = connection.post(&path, &create_token(&sealed), id).await?;
            match read::<Created>(answer) {
                Err(Error::Refused { refusal: Refusal::UnknownKid, .. }) if may_refetch_key => {
                    may_refetch_key = false;
                    self.key.renew(connection, id).await?;
                }
                created => return Ok(created?.of(card)),
            }
        }
    }
}

/// The body of `POST /profiles/{profile}/tokens`.
fn create_token(sealed: &str) -> String {
    let mut json = String::new();
    plain::write(&mut json, &[("encryptedData", Some(Json::Text(sealed)))]);
    json
}

/// The vault's answer. It says nothing of the card, of which the vault has seen nothing.
struct Created {
    id: String,
    livemode: bool,
    state: String,
    created_at: String,
}

impl FromPlain for Created {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let mut members = plain.members()?;
        Ok(Self {
            id: members.required("id")?,
            livemode: members.required("livemode")?,
            state: members.required("state")?,
            created_at: members.required("created_at")?,
        })
    }
}

impl Created {
    fn of(self, card: &Card) -> VendorToken {
        let Self { id, livemode, state, created_at } = self;
        VendorToken { id, livemode, state, card: VendorCard::of(card), created_at }
    }
}

/// A vendor's token, as the merchant's page and servers hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorToken {
    /// The vendor's `tokenId`.
    pub id: String,
    /// Whether it stands for a real card.
    pub livemode: bool,
    /// The token's state in the vendor's words, such as `ACTIVE`. Vendors may add others.
    pub state: String,
    /// What may be known of the card.
    pub card: VendorCard,
    /// When it was made, ISO 8601 in UTC.
    pub created_at: String,
}

/// What a page may know of such a card, from the form itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorCard {
    /// Brand as Omise writes it, such as `Visa`.
    pub brand: &'static str,
    /// The last four digits of the number.
    pub last_digits: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: u8,
    /// Year of expiry, four digits.
    pub expiration_year: u16,
}

impl VendorCard {
    fn of(card: &Card) -> Self {
        Self {
            brand: card.number.brand().name(),
            last_digits: card.number.last_digits().into(),
            expiration_month: card.expiry.month(),
            expiration_year: card.expiry.year(),
        }
    }
}
