//! The vault's own wire format, which follows Omise's (token API, version 2019-05-29).

use super::Profile;
use super::vendor::Vendor;
use crate::plain::{self, FromPlain, Json, Plain, Wrong};

/// The body of `POST /tokens` with a sealed card, a JWE in compact form, and what stands beside it in the clear.
pub(super) fn create_token(sealed: &str, vendor: Option<Profile>, billing: &Billing) -> String {
    let mut card = vec![("sealed", Some(Json::Text(sealed)))];
    card.extend_from_slice(&billing_members(billing));
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardSummary {
    /// Brand as Omise writes it, such as `Visa`.
    pub brand: String,
    /// The last four digits of the number.
    pub last_digits: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: u8,
    /// Year of expiry, four digits.
    pub expiration_year: u16,
    /// The holder's name, from Omise. The vault tells it to the merchant's server only: to pages it is null.
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
        plain.object(|members| Self {
            id: members.required("id"),
            livemode: members.required("livemode"),
            used: members.required("used"),
            card: members.required("card"),
            created_at: members.required("created_at"),
        })
    }
}

impl FromPlain for CardSummary {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            brand: members.required("brand"),
            last_digits: members.required("last_digits"),
            expiration_month: members.required("expiration_month"),
            expiration_year: members.required("expiration_year"),
            name: members.optional("name"),
            security_code_check: members.optional("security_code_check").unwrap_or_default(),
        })
    }
}

impl FromPlain for VaultError {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            code: members.required("code"),
            message: members.required("message"),
            // What is told beside it takes nothing from what went wrong.
            vendor: members.lenient("vendor"),
        })
    }
}
