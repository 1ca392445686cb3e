//! The vault's own tokens: the flow, and the wire format, which follows Omise's (token API, version 2019-05-29).

use std::cell::Cell;

use super::connection::{Connection, read};
use super::sealing_key::SealingKey;
use super::vendor::Vendor;
use super::{Error, Pkey, Profile, Refusal, RequestId, Transport};
use crate::card::Card;
use crate::plain::{self, FromPlain, Json, Plain, Wrong};
use crate::seal::{self, Envelope, Jti};

/// The way to a token of the vault's.
#[derive(Debug)]
pub(super) struct Native {
    merchant: Pkey,
    /// The vendor that the vault will pass the card on to.
    vendor: Option<Profile>,
    key: SealingKey,
    /// How far the vault's clock is ahead of the device's, in seconds, once the vault said that they differ.
    clock_offset: Cell<i64>,
}

impl Native {
    pub(super) fn new(merchant: Pkey, vendor: Option<Profile>) -> Self {
        Self { merchant, vendor, key: SealingKey::of_vault(), clock_offset: Cell::default() }
    }

    /// Has the vault's key at hand from now on.
    pub(super) async fn prepare<T: Transport>(
        &self,
        connection: &Connection<T>,
        id: &RequestId,
    ) -> Result<(), Error> {
        self.key.get(connection, id).await.map(drop)
    }

    /// Seals the card and exchanges it for a token.
    ///
    /// However often it has to send, the seal keeps one `jti`, for which the vault gives one token.
    pub(super) async fn tokenize<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: Card,
        billing: &Billing,
        id: &RequestId,
    ) -> Result<Token, Error> {
        let mut envelope = self.envelope(card)?;
        let mut may_refetch_key = true;
        let mut may_set_clock = true;
        loop {
            let sealed = self.seal_envelope(connection, &mut envelope, id).await?;
            let body = create_token(&sealed, self.vendor, billing);
            let answer = connection.post("/tokens", &body, id).await?;
            let date = answer.date;
            match read(answer) {
                Err(Error::Refused { refusal: Refusal::UnknownKid, .. }) if may_refetch_key => {
                    may_refetch_key = false;
                    self.key.renew(connection, id).await?;
                }
                Err(Error::Refused { refusal: Refusal::ExpiredSeal, .. })
                    if may_set_clock && date.is_some() =>
                {
                    may_set_clock = false;
                    self.set_clock(connection.transport.now(), date.unwrap_or_default());
                }
                token => return token,
            }
        }
    }

    /// Seals the card for this merchant.
    pub(super) async fn seal<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: Card,
        id: &RequestId,
    ) -> Result<String, Error> {
        self.seal_envelope(connection, &mut self.envelope(card)?, id).await
    }

    fn envelope(&self, card: Card) -> Result<Envelope, Error> {
        let id = Jti::random().map_err(|_| Error::Random)?;
        Ok(Envelope { card, merchant: self.merchant.clone(), issued_at: 0, id })
    }

    async fn seal_envelope<T: Transport>(
        &self,
        connection: &Connection<T>,
        envelope: &mut Envelope,
        id: &RequestId,
    ) -> Result<String, Error> {
        let key = self.key.get(connection, id).await?;
        envelope.issued_at = connection.transport.now().saturating_add_signed(self.clock_offset.get());
        Ok(seal::seal(&key, envelope)?)
    }

    fn set_clock(&self, device_now: u64, vault_now: u64) {
        if let (Ok(device), Ok(vault)) = (i64::try_from(device_now), i64::try_from(vault_now)) {
            self.clock_offset.set(vault - device);
        }
    }
}

/// The body of `POST /tokens` with a sealed card, a JWE in compact form, and what stands beside it in the clear.
fn create_token(sealed: &str, vendor: Option<Profile>, billing: &Billing) -> String {
    let mut card = vec![("sealed", Some(Json::Text(sealed)))];
    card.extend(billing_members(billing));
    let mut json = String::new();
    let vendor = vendor.map(|vendor| Json::Text(vendor.as_str()));
    plain::write(&mut json, &[("card", Some(Json::Object(&card))), ("profile", vendor)]);
    json
}

/// Address and contact, under the names of the wire.
pub(super) fn billing_members(billing: &Billing) -> [(&'static str, Option<Json<'_>>); 8] {
    let Billing { email, phone_number, street1, street2, city, state, country, postal_code } = billing;
    [
        ("email", email),
        ("phone_number", phone_number),
        ("street1", street1),
        ("street2", street2),
        ("city", city),
        ("state", state),
        ("country", country),
        ("postal_code", postal_code),
    ]
    .map(|(name, text)| (name, text.as_deref().map(Json::Text)))
}

/// The optional address and contact of a cardholder, under the names of Omise's card parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Billing {
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone_number: Option<String>,
    /// First line of the street address.
    pub street1: Option<String>,
    /// Second line of the street address.
    pub street2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, province or prefecture.
    pub state: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
}

/// A token: what the merchant's page and servers hold in place of a card. Members that a later vault adds are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `tokn_test_…` or `tokn_…`.
    pub id: String,
    /// Whether it stands for a real card.
    pub livemode: bool,
    /// Whether it has been charged or put on file; it can be once.
    pub used: bool,
    /// What may be known of the card.
    pub card: CardSummary,
    /// When it was made, ISO 8601 in UTC.
    pub created_at: String,
}

/// What a page may know of a tokenized card (PCI DSS 3.4.1 would allow more).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSummary {
    /// Brand as Omise writes it, such as `Visa`.
    pub brand: String,
    /// The last four digits of the number.
    pub last_digits: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: u8,
    /// Year of expiry, four digits.
    pub expiration_year: u16,
    /// The holder's name.
    pub name: Option<String>,
    /// Whether the security code was given, and was not found to be wrong. A vault that does not say has not looked.
    pub security_code_check: bool,
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError {
    /// What went wrong, for a program.
    pub code: String,
    /// What went wrong, for a person.
    pub message: String,
    /// The vendor that it is about.
    pub vendor: Option<Vendor>,
}

impl FromPlain for Token {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let mut members = plain.members()?;
        Ok(Self {
            id: members.required("id")?,
            livemode: members.required("livemode")?,
            used: members.required("used")?,
            card: members.required("card")?,
            created_at: members.required("created_at")?,
        })
    }
}

impl FromPlain for CardSummary {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let mut members = plain.members()?;
        Ok(Self {
            brand: members.required("brand")?,
            last_digits: members.required("last_digits")?,
            expiration_month: members.required("expiration_month")?,
            expiration_year: members.required("expiration_year")?,
            name: members.optional("name")?,
            security_code_check: members.optional("security_code_check")?.unwrap_or_default(),
        })
    }
}

impl FromPlain for VaultError {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let mut members = plain.members()?;
        Ok(Self {
            code: members.required("code")?,
            message: members.required("message")?,
            // What is told beside it takes nothing from what went wrong.
            vendor: members.optional("vendor").unwrap_or_default(),
        })
    }
}
