//! What a vendor knows a merchant by. Kept encrypted: most of it is a secret.

use std::fmt;

use cardseal::client::{Pkey, Profile};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::merchant::Mode;

/// A merchant's account with a vendor.
#[derive(Clone, Debug)]
pub enum Account {
    /// With Omise.
    Omise(Omise),
    /// With Payment Options.
    PaymentOptions(PaymentOptions),
    /// With Thales D1.
    ThalesD1(ThalesD1),
    /// With Thales, for PCI tokens.
    ThalesPci(ThalesPci),
}

/// The keys that Omise's dashboard shows.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Omise {
    /// For pages: `pkey_…`.
    #[serde(with = "pkey")]
    pub public_key: Pkey,
    /// For servers: `skey_…`. Charging takes it.
    #[serde(default)]
    pub secret_key: Option<Secret>,
    /// Whether the merchant's charges go there.
    #[serde(default)]
    pub takes_charges: bool,
}

/// What Payment Options gives to a merchant.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentOptions {
    /// The DASMID.
    pub merchant_id: Name,
    /// The key: in `x-api-key` as it is.
    pub api_key: Secret,
    /// What stands behind `Basic`; the key in base64, unless the vendor gave something else.
    #[serde(default)]
    pub basic_key: Option<Secret>,
    /// Whether the merchant's charges go there.
    #[serde(default)]
    pub takes_charges: bool,
}

/// Who the merchant is to D1.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ThalesD1 {
    /// Its id within the operator's merchant gateway.
    pub merchant_id: Name,
}

/// Who the merchant is to Thales.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ThalesPci {
    /// Its id, from on-boarding.
    pub merchant_id: Name,
    /// What stands behind `APIKEY`.
    pub api_key: Secret,
}

impl Account {
    /// Reads an account as the operator writes it, TOML with the members of its kind.
    ///
    /// # Errors
    /// [`NotAnAccount`]
    pub fn parse(profile: Profile, text: &str, mode: Mode) -> Result<Self, NotAnAccount> {
        fn read<T: de::DeserializeOwned>(text: &str) -> Result<T, NotAnAccount> {
            // The parser's own words would repeat the line, and with it a secret.
            toml::from_str(text).map_err(|error| NotAnAccount::Wrong(error.message().into()))
        }
        let account = match profile {
            Profile::Cardseal => return Err(NotAnAccount::NoVendor),
            Profile::Omise => Self::Omise(read(text)?),
            Profile::PaymentOptions => Self::PaymentOptions(read(text)?),
            Profile::ThalesD1 => Self::ThalesD1(read(text)?),
            Profile::ThalesPci => Self::ThalesPci(read(text)?),
        };
        match &account {
            Self::Omise(omise) if omise.public_key.is_live() != (mode == Mode::Live) => {
                Err(NotAnAccount::Mode)
            }
            Self::Omise(Omise { takes_charges: true, secret_key: None, .. }) => {
                Err(NotAnAccount::NoSecretKey)
            }
            _ => Ok(account),
        }
    }

    /// The account that was kept as JSON.
    pub(crate) fn from_json(profile: Profile, json: &[u8]) -> Option<Self> {
        Some(match profile {
            Profile::Cardseal => return None,
            Profile::Omise => Self::Omise(serde_json::from_slice(json).ok()?),
            Profile::PaymentOptions => Self::PaymentOptions(serde_json::from_slice(json).ok()?),
            Profile::ThalesD1 => Self::ThalesD1(serde_json::from_slice(json).ok()?),
            Profile::ThalesPci => Self::ThalesPci(serde_json::from_slice(json).ok()?),
        })
    }

    /// What is kept of it, to be encrypted.
    pub(crate) fn to_json(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let json = match self {
            Self::Omise(omise) => serde_json::to_vec(omise),
            Self::PaymentOptions(options) => serde_json::to_vec(options),
            Self::ThalesD1(d1) => serde_json::to_vec(d1),
            Self::ThalesPci(pci) => serde_json::to_vec(pci),
        };
        json.map(Zeroizing::new)
    }

    /// The profile that it lets a form have.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        match self {
            Self::Omise(_) => Profile::Omise,
            Self::PaymentOptions(_) => Profile::PaymentOptions,
            Self::ThalesD1(_) => Profile::ThalesD1,
            Self::ThalesPci(_) => Profile::ThalesPci,
        }
    }

    /// Whether the merchant's charges go there.
    #[must_use]
    pub const fn takes_charges(&self) -> bool {
        match self {
            Self::Omise(omise) => omise.takes_charges,
            Self::PaymentOptions(options) => options.takes_charges,
            Self::ThalesD1(_) | Self::ThalesPci(_) => false,
        }
    }
}

/// Why there is no account. The operator's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAnAccount {
    /// Omise's keys are for the other kind of cards.
    #[error("the keys are live and the merchant is for tests, or the other way")]
    Mode,
    /// Charging at Omise takes its secret key.
    #[error("takes_charges needs the secret_key, too")]
    NoSecretKey,
    /// The vault's own tokens are no vendor's.
    #[error("cardseal is no vendor: every merchant has its tokens")]
    NoVendor,
    /// A member is missing, too much or wrong.
    #[error("{0}")]
    Wrong(String),
}

/// A name that a vendor gave: 1 to 128 visible ASCII characters, none of which means anything in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Reads one; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_dots = text.bytes().all(|byte| byte == b'.');
        ((1..=128).contains(&text.len()) && text.bytes().all(allowed) && !is_dots).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom("an id has 1 to 128 letters, digits, hyphens, underscores, dots or ~")
        })
    }
}

/// A vendor's secret: 1 to 512 visible ASCII characters, as a header takes them.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Reads one; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.into())))
    }

    /// Its text, to be sent to the vendor.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What is serialized is encrypted next.
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).ok_or_else(|| de::Error::custom("a key has 1 to 512 visible ASCII characters"))
    }
}

/// A public key as its text.
mod pkey {
    use super::{Deserialize, Deserializer, Pkey, Serializer, de};

    pub(super) fn serialize<S: Serializer>(key: &Pkey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(key.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pkey, D::Error> {
        Pkey::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_and_kept_whole_and_show_no_secret() {
        let text = "merchant_id = \"shop-1\"\napi_key = \"very-secret\"\ntakes_charges = true\n";
        let account = Account::parse(Profile::PaymentOptions, text, Mode::Test).unwrap();
        assert!(account.takes_charges() && account.profile() == Profile::PaymentOptions);
        assert!(!format!("{account:?}").contains("very-secret"));
        let kept = Account::from_json(Profile::PaymentOptions, &account.to_json().unwrap()).unwrap();
        let Account::PaymentOptions(kept) = kept else { unreachable!() };
        assert_eq!((kept.merchant_id.as_str(), kept.api_key.expose()), ("shop-1", "very-secret"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_without_the_value() {
        for (profile, text) in [
            (Profile::ThalesPci, "merchant_id = \"shop-1\""),
            (Profile::ThalesPci, "merchant_id = \"shop/1\"\napi_key = \"very-secret\""),
            (Profile::ThalesD1, "merchant_id = \"..\""),
            (Profile::PaymentOptions, "merchant_id = \"a\"\napi_key = \"very secret\""),
            (Profile::PaymentOptions, "merchant_id = \"a\"\napi_key = \"very-secret\"\nmore = 1"),
            (Profile::Omise, "public_key = \"pkey_0\""),
            (Profile::Omise, "public_key = \"skey_test_0\""),
            (Profile::Omise, "public_key = \"pkey_test_0\"\ntakes_charges = true"),
            (Profile::Cardseal, ""),
        ] {
            let error = Account::parse(profile, text, Mode::Test).unwrap_err().to_string();
            assert!(!error.contains("very-") && !error.contains("very s"), "{error}");
        }
    }
}
