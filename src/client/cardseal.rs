//! The vault's own wire format, which follows Omise's (token API, version 2019-05-29).

use serde::{Deserialize, Serialize};

/// The body of `POST /tokens` with a sealed card.
#[derive(Debug, Serialize)]
pub struct CreateToken<'a> {
    /// The card.
    pub card: SealedCard<'a>,
}

/// A sealed card and what may stand beside it in the clear.
#[derive(Debug, Serialize)]
pub struct SealedCard<'a> {
    /// The JWE in compact form.
    pub sealed: &'a str,
    /// Where the cardholder lives and can be reached.
    #[serde(flatten)]
    pub billing: &'a Billing,
}

/// The optional address and contact of a cardholder, under the names of Omise's card parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// First line of the street address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street1: Option<String>,
    /// Second line of the street address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street2: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State, province or prefecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

/// A token: what the merchant's page and servers hold in place of a card. Members that a later vault adds are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    #[serde(default)]
    pub security_code_check: bool,
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct VaultError {
    /// What went wrong, for a program.
    pub code: String,
    /// What went wrong, for a person.
    pub message: String,
}
