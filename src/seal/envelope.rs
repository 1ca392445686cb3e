//! What is inside a seal that the vault opens: the card, in one of two shapes, and what ties it to one merchant, one moment and
//! one use, which is the same in both.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "seal")]
use super::Plaintext;
use crate::card::{Card, Entry, Expiry, Field, Holder, Number, Reason, SecurityCode, YearMonth};
use crate::client::Pkey;
#[cfg(feature = "seal")]
use crate::plain::Json;

/// A card ready to be sealed, or just taken out of a seal.
#[derive(Clone, Debug)]
pub struct Envelope<C = Card> {
    /// The card.
    pub card: C,
    /// The public key the form was set up with; a seal is good for this merchant only.
    pub merchant: Pkey,
    /// When it was sealed, in seconds since 1970 (RFC 7519's `iat`).
    pub issued_at: u64,
    /// Makes it one of its kind: the vault gives one token for each.
    pub id: Jti,
}

impl Envelope {
    /// Reads a seal's plaintext. `today` is the month that the card's expiry is held against.
    ///
    /// # Errors
    /// [`Refused`]: the sender's fault each time; the same text will be refused again.
    pub fn parse(json: &[u8], today: YearMonth) -> Result<Self, Refused> {
        let opened: Opened = super::from_object(json).ok_or(Refused::Malformed)?;
        let number = accept(Field::Number, Number::parse_finished(&opened.number))?;
        let expiry = Expiry::from_parts(&opened.expiration_month.0, &opened.expiration_year.0, today);
        let expiry = accept(Field::Expiry, expiry)?;
        let security_code = match opened.security_code {
            Some(code) => {
                Some(accept(Field::SecurityCode, SecurityCode::parse(&code, Some(number.brand())))?)
            }
            None => None,
        };
        let holder = match opened.name {
            Some(name) => Some(accept(Field::Holder, Holder::parse(&name))?),
            None => None,
        };
        let card = Card { number, expiry, security_code, holder };
        Self::bound(card, &opened.merchant, opened.iat, &opened.jti)
    }

    /// The plaintext to seal.
    #[cfg(feature = "seal")]
    pub(crate) fn to_plaintext(&self) -> Plaintext {
        let expiry = &self.card.expiry;
        let text = |text| Some(Json::Text(text));
        let number = |number| Some(Json::Number(number));
        Plaintext::new(&[
            // EXPOSE: number, code and name are what the seal is for.
            ("number", text(self.card.number.expose())),
            ("expiration_month", number(expiry.month().into())),
            ("expiration_year", number(expiry.year().into())),
            ("security_code", self.card.security_code.as_ref().map(|code| Json::Text(code.expose()))),
            ("name", self.card.holder.as_ref().map(|name| Json::Text(name.expose()))),
            ("merchant", text(self.merchant.as_str())),
            ("iat", number(self.issued_at)),
            ("jti", text(self.id.as_str())),
        ])
    }
}

/// A card for a PCI token, under Thales's names: number and expiry, nothing else (Thales, "Create a PCI token").
#[derive(Clone, Debug)]
pub struct PciCard {
    /// `fpan`
    pub number: Number,
    /// `exp`, written `MMYY`.
    pub expiry: Expiry,
}

impl Envelope<PciCard> {
    /// Reads the plaintext of a seal for a PCI token: `{"fpan","exp","merchant","iat","jti"}`. `today` is the month that the
    /// card's expiry is held against.
    ///
    /// # Errors
    /// [`Refused`]: the sender's fault each time; the same text will be refused again.
    pub fn parse_pci(json: &[u8], today: YearMonth) -> Result<Self, Refused> {
        let opened: OpenedPci = super::from_object(json).ok_or(Refused::Malformed)?;
        let number = accept(Field::Number, Number::parse_finished(&opened.fpan))?;
        if opened.exp.len() != 4 || !opened.exp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refused::Invalid(Field::Expiry, Reason::UnexpectedCharacter));
        }
        let (month, year) = opened.exp.split_at(2);
        let expiry = accept(Field::Expiry, Expiry::from_parts(month, year, today))?;
        Self::bound(PciCard { number, expiry }, &opened.merchant, opened.iat, &opened.jti)
    }
}

impl<C> Envelope<C> {
    fn bound(card: C, merchant: &str, issued_at: u64, id: &str) -> Result<Self, Refused> {
        let merchant = Pkey::parse(merchant).map_err(|_| Refused::Malformed)?;
        Ok(Self { card, merchant, issued_at, id: Jti::parse(id).ok_or(Refused::Malformed)? })
    }
}

/// Why the inside of a seal was refused. The sender's fault; the same seal will be refused again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Not a JSON object with exactly the profile's members.
    #[error("the sealed content is not an object with the members of a sealed card")]
    Malformed,
    /// A field of the card stops short.
    #[error("the card's {field} is incomplete", field = .0.id())]
    Incomplete(Field),
    /// A field of the card cannot be right.
    #[error("the card's {field} is invalid: {1}", field = .0.id())]
    Invalid(Field, Reason),
}

/// A seal's own id: 128 random bits as text, so that one seal gives one token however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jti(String);

impl Jti {
    /// 16 to 64 characters of `A-Z a-z 0-9 _ -`: base64url, hexadecimal and UUIDs pass.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        ((16..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.into()))
    }

    /// A fresh one from the system's random source.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    #[cfg(feature = "seal")]
    pub fn random() -> Result<Self, getrandom::Error> {
        use base64ct::{Base64UrlUnpadded, Encoding};
        let mut bytes = [0; 16];
        getrandom::getrandom(&mut bytes)?;
        Ok(Self(Base64UrlUnpadded::encode_string(&bytes)))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The plaintext as it is read. Month and year may be numbers or strings, as in Omise's API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    number: Zeroizing<String>,
    expiration_month: NumberOrText,
    expiration_year: NumberOrText,
    security_code: Option<Zeroizing<String>>,
    name: Option<Zeroizing<String>>,
    merchant: String,
    iat: u64,
    jti: String,
}

/// The same for a PCI token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenedPci {
    fpan: Zeroizing<String>,
    exp: Zeroizing<String>,
    merchant: String,
    iat: u64,
    jti: String,
}

struct NumberOrText(Zeroizing<String>);

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherVisitor;
        impl Visitor<'_> for EitherVisitor {
            type Value = NumberOrText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a string")
            }

            fn visit_u64<E>(self, number: u64) -> Result<NumberOrText, E> {
                Ok(NumberOrText(Zeroizing::new(number.to_string())))
            }

            fn visit_str<E>(self, text: &str) -> Result<NumberOrText, E> {
                Ok(NumberOrText(Zeroizing::new(text.into())))
            }
        }
        deserializer.deserialize_any(EitherVisitor)
    }
}

fn accept<T>(field: Field, entry: Entry<T>) -> Result<T, Refused> {
    match entry {
        Entry::Valid(value) => Ok(value),
        Entry::Incomplete => Err(Refused::Incomplete(field)),
        Entry::Invalid(reason) => Err(Refused::Invalid(field, reason)),
    }
}
