//! A vendor's token, as far as it is known here, and what vendors tell of it. The card behind it is not known.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use cardseal::client::Profile;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::account::Name;
use crate::id::VendorTokenId;
use crate::pci_token::MonthYear;
use crate::text::holds_card_number;
use crate::time::Timestamp;

/// A vendor that gets cards through the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// Thales D1.
    ThalesD1,
    /// Thales's PCI tokens.
    ThalesPci,
}

impl Relayed {
    /// The one of a profile; `None` if its vendor does not get cards through the vault.
    #[must_use]
    pub const fn of(profile: Profile) -> Option<Self> {
        match profile {
            Profile::ThalesD1 => Some(Self::ThalesD1),
            Profile::ThalesPci => Some(Self::ThalesPci),
            Profile::Cardseal | Profile::Omise | Profile::PaymentOptions => None,
        }
    }

    /// Its profile.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::ThalesD1 => Profile::ThalesD1,
            Self::ThalesPci => Profile::ThalesPci,
        }
    }
}

/// A token.
#[derive(Clone, Debug)]
pub struct VendorToken {
    /// What the vault calls it, for itself.
    pub id: VendorTokenId,
    /// Whose it is.
    pub vendor: Relayed,
    /// What the vendor calls it.
    pub token_id: Name,
    /// What it can be used for.
    pub state: State,
    /// What the vendor has told of its card.
    pub facts: Facts,
    /// When the vendor says that it changed last; nothing, if it has never said anything.
    pub updated_at: Option<Moment>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token's state. PCI tokens have two (Thales COF Client API); network tokens can be suspended, too; and D1's documents
/// promise that there will be others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Active,
    /// It is gone for good.
    Deleted,
    /// It cannot be used for now.
    Suspended,
    /// One that this version does not know. The vendor's name for it goes no further: a name can have anything in it.
    Unknown,
}

impl State {
    /// Reads a state by its name; `None` if no state could have it: 1 to 32 capital letters and underscores.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        Some(match name {
            "ACTIVE" => Self::Active,
            "DELETED" => Self::Deleted,
            "SUSPENDED" => Self::Suspended,
            name if (1..=32).contains(&name.len()) && name.bytes().all(allowed) => Self::Unknown,
            _ => return None,
        })
    }

    /// The vendor's name for it, or `UNKNOWN`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Deleted => "DELETED",
            Self::Suspended => "SUSPENDED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What a vendor tells of a token's card: what may be shown to anybody who has the token. There is a type for each, and
/// whatever else a vendor tells is not kept: in words of its own there could be the card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Facts {
    /// The last digits of the card's number.
    pub card_last_digits: Option<LastDigits>,
    /// The card's expiry.
    pub card_expiry: Option<MonthYear>,
    /// The expiry of what stands in the card's place.
    pub token_expiry: Option<MonthYear>,
    /// The payment account reference.
    pub par: Option<Par>,
}

/// One to four digits: of the five that some vendors tell, the last four (PCI DSS 3.4.1).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct LastDigits(String);

/// A payment account reference: 29 capital letters and digits (EMVCo, Payment Account Reference), no card number among them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Par(String);

impl LastDigits {
    fn parse(text: &str) -> Option<Self> {
        let fits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(text[text.len().saturating_sub(4)..].into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Par {
    fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let fits = text.len() == 29 && text.bytes().all(allowed);
        (fits && !holds_card_number(text)).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Facts {
    /// The facts of a body; what is not there or no such fact is left out, as a later one may be.
    fn read(body: &Map<String, Value>) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        Self {
            card_last_digits: text("cardLastDigits").and_then(LastDigits::parse),
            card_expiry: text("cardExpiryDate").and_then(MonthYear::from_mmyy),
            token_expiry: text("tokenExpiryDate").and_then(MonthYear::from_mmyy),
            par: text("par").and_then(Par::parse),
        }
    }

    /// These, and where they say nothing, the earlier ones.
    #[must_use]
    pub fn over(self, earlier: Self) -> Self {
        Self {
            card_last_digits: self.card_last_digits.or(earlier.card_last_digits),
            card_expiry: self.card_expiry.or(earlier.card_expiry),
            token_expiry: self.token_expiry.or(earlier.token_expiry),
            par: self.par.or(earlier.par),
        }
    }
}

/// A vendor's `lastUpdateTimestamp`, to the millisecond, up to the end of the year 9999. Shown as ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    const LAST: u64 = 253_402_300_799_999;

    /// The moment so many milliseconds after 1970 began; `None` after the year 9999.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis <= Self::LAST { Some(Self(millis)) } else { None }
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Reads RFC 3339 with any offset, or a number of milliseconds since 1970: which of them is not documented.
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(millis) => Self::from_millis(millis.as_u64()?),
            Value::String(text) => {
                let (local, ahead) = without_offset(text)?;
                let local = humantime::parse_rfc3339(&local).ok()?.duration_since(UNIX_EPOCH).ok()?;
                let millis = i64::try_from(local.as_millis()).ok()?.checked_sub(ahead)?;
                Self::from_millis(millis.try_into().ok()?)
            }
            _ => None,
        }
    }
}

/// A time with its offset as one without, `2019-12-31T12:59:59Z`, and the offset in milliseconds.
fn without_offset(text: &str) -> Option<(String, i64)> {
    if text.ends_with(['Z', 'z']) {
        return Some((text.to_uppercase(), 0));
    }
    let at = text.len().checked_sub("+00:00".len())?;
    let (local, offset) = text.split_at_checked(at)?;
    let (sign, offset) = match offset.split_at_checked(1)? {
        ("+", offset) => (1, offset),
        ("-", offset) => (-1, offset),
        _ => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let number = |text: &str, most: i64| -> Option<i64> {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok())?.filter(|number| *number <= most)
    };
    let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
    Some((format!("{local}Z"), sign * minutes * 60_000))
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(self.0)).fmt(formatter)
    }
}

/// What a vendor tells of a token that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// When it changed. A vendor tells again, and out of order: what is not later than what is known is old news.
    pub at: Moment,
    /// Its state, if that is told.
    pub state: Option<State>,
    /// What else is told.
    pub facts: Facts,
}

/// The same where the body says of which token it is, as with PCI tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The token.
    pub token_id: Name,
    /// Whose it is.
    pub merchant_id: Name,
    /// What is told.
    pub update: Update,
}

impl Told {
    /// Reads the body of a notification.
    ///
    /// # Errors
    /// [`NotAnUpdate`]
    pub fn parse(body: &[u8]) -> Result<Self, NotAnUpdate> {
        let body = read(body)?;
        let name = |member: &str| body.get(member).and_then(Value::as_str).and_then(Name::parse);
        let token_id = name("tokenId").ok_or(NotAnUpdate::NoToken)?;
        let merchant_id = name("merchantId").ok_or(NotAnUpdate::NoMerchant)?;
        Ok(Self { token_id, merchant_id, update: Update::of(&body)? })
    }
}

fn read(body: &[u8]) -> Result<Map<String, Value>, NotAnUpdate> {
    let Members(members) = serde_json::from_slice(body).map_err(|_| NotAnUpdate::NotAnObject)?;
    Ok(members)
}

/// The members of an object, each of another name: of two, one reader believes the first and another the last (RFC 8259
/// section 4).
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = object.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member is there twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl Update {
    /// Reads the body of a notification. Members that are not known here are not kept: more may come with any version.
    ///
    /// # Errors
    /// [`NotAnUpdate`]
    pub fn parse(body: &[u8]) -> Result<Self, NotAnUpdate> {
        Self::of(&read(body)?)
    }

    fn of(body: &Map<String, Value>) -> Result<Self, NotAnUpdate> {
        let at = body.get("lastUpdateTimestamp").and_then(Moment::read).ok_or(NotAnUpdate::NoTime)?;
        let state = match body.get("state") {
            None | Some(Value::Null) => None,
            Some(state) => Some(state.as_str().and_then(State::parse).ok_or(NotAnUpdate::State)?),
        };
        Ok(Self { at, state, facts: Facts::read(body) })
    }
}

/// Why a notification is not one. The vendor's fault, or that of what is assumed of it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAnUpdate {
    /// It is of a time that has not come.
    #[error("lastUpdateTimestamp is in the future")]
    Ahead,
    /// It does not say whose token it is.
    #[error("merchantId is missing, or no merchant's")]
    NoMerchant,
    /// It does not say of which token it is.
    #[error("tokenId is missing, or no token's")]
    NoToken,
    /// It cannot be put in order.
    #[error("lastUpdateTimestamp is missing, or no time")]
    NoTime,
    /// It is no JSON object.
    #[error("the body is no JSON object, or has a member twice")]
    NotAnObject,
    /// Its state is no name.
    #[error("state is not the name of a state")]
    State,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn updates_are_read_whatever_else_is_in_them() {
        let body = json!({
            "tokenId": "t",
            "state": "HIBERNATED",
            "cardLastDigits": "4242",
            "cardExpiryDate": "1230",
            "tokenExpiryDate": "13/30",
            "par": "4242424242424242",
            "lastUpdateTimestamp": "2026-11-22T13:00:00.123Z",
            "seasons": { "until": "spring" },
            "fpan": "4242424242424242",
            "parts": ["4242", "4242", "4242", "4242"],
            "essay": "x".repeat(1024),
        });
        let update = Update::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(update.state.unwrap(), State::Unknown);
        assert_eq!(update.at.to_string(), "2026-11-22T13:00:00.123Z");
        let Facts { card_last_digits, card_expiry, token_expiry, par } = update.facts;
        assert_eq!(card_last_digits.unwrap().as_str(), "4242");
        assert_eq!(card_expiry.unwrap().mmyy(), "1230");
        assert_eq!((token_expiry, par), (None, None));
    }

    #[test]
    fn times_are_read_with_offsets_and_as_numbers() {
        for (time, millis) in [
            (json!("1970-01-01T00:00:01Z"), Some(1_000)),
            (json!("1970-01-01T00:00:01.5Z"), Some(1_500)),
            (json!("1970-01-01T01:00:00+01:00"), Some(0)),
            (json!("1969-12-31T23:00:00-02:30"), None),
            (json!("1970-01-01T00:00:00-02:30"), Some(9_000_000)),
            (json!(1_500), Some(1_500)),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("1970-01-01"), None),
            (json!("soon"), None),
            (json!("€+00:00"), None),
            (json!(u64::MAX), None),
            (json!(null), None),
        ] {
            assert_eq!(Moment::read(&time).map(Moment::millis), millis, "{time}");
        }
    }

    #[test]
    fn what_is_no_update_says_why() {
        for (body, why) in [
            ("", NotAnUpdate::NotAnObject),
            ("[]", NotAnUpdate::NotAnObject),
            ("{}", NotAnUpdate::NoTime),
            (r#"{"lastUpdateTimestamp":"later"}"#, NotAnUpdate::NoTime),
            (r#"{"lastUpdateTimestamp":1,"state":1}"#, NotAnUpdate::State),
            (r#"{"lastUpdateTimestamp":1,"state":""}"#, NotAnUpdate::State),
            (r#"{"lastUpdateTimestamp":1,"state":"4242424242424242"}"#, NotAnUpdate::State),
        ] {
            assert_eq!(Update::parse(body.as_bytes()), Err(why), "{body}");
        }
    }
}
