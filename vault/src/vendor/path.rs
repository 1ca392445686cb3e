//! Paths at a vendor's server. Those that no document shows are settings.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::account::Name;

/// A path: it begins with a slash, and has nothing in it that would mean anything but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(String);

/// A path with places for a merchant: `{gateway}` and `{merchant}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantPath(String);

/// A path with a place for a token: `{token}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPath(String);

const GATEWAY: &str = "{gateway}";
const MERCHANT: &str = "{merchant}";
const TOKEN: &str = "{token}";

impl Path {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAPath`]
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        checked(text, &[]).map(Self)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MerchantPath {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAPath`]
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        checked(text, &[GATEWAY, MERCHANT]).map(Self)
    }

    /// The path of a merchant. A name has no braces, so that none makes a place.
    #[must_use]
    pub fn of(&self, gateway: &Name, merchant: &Name) -> String {
        self.0.replace(GATEWAY, gateway.as_str()).replace(MERCHANT, merchant.as_str())
    }
}

impl TokenPath {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAPath`]
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        checked(text, &[TOKEN]).map(Self)
    }

    /// The path of a token.
    #[must_use]
    pub fn of(&self, token: &Name) -> String {
        self.0.replace(TOKEN, token.as_str())
    }
}

/// A text that begins with a slash, has each place once, and is plain beside them.
fn checked(text: &str, places: &'static [&'static str]) -> Result<String, NotAPath> {
    let mut rest = text.to_owned();
    for place in places {
        if text.matches(place).count() != 1 {
            return Err(NotAPath(places));
        }
        rest = rest.replace(place, "x");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let is_plain = rest.starts_with('/') && !rest.ends_with('/') && !rest.contains("..");
    if is_plain && rest.bytes().all(allowed) { Ok(text.into()) } else { Err(NotAPath(places)) }
}

/// Not a path, or not with the places that it needs. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPath(&'static [&'static str]);

impl std::error::Error for NotAPath {}

impl fmt::Display for NotAPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a path begins with a slash, ends without one, and has letters, digits and -._~ only",
        )?;
        match self.0 {
            [] => Ok(()),
            places => write!(formatter, ", and once each {}", places.join(" ")),
        }
    }
}

macro_rules! as_text {
    ($($path:ident)*) => {
        $(
            impl fmt::Display for $path {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(&self.0)
                }
            }

            impl<'de> Deserialize<'de> for $path {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
                }
            }
        )*
    };
}

as_text!(Path MerchantPath TokenPath);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let name = |text| Name::parse(text).unwrap();
        let path = MerchantPath::parse("/merchant-gateways/{gateway}/merchants/{merchant}/tokens").unwrap();
        assert_eq!(path.of(&name("g-1"), &name("m.2")), "/merchant-gateways/g-1/merchants/m.2/tokens");
        let path = TokenPath::parse("/pci-tokens/{token}/detokenize").unwrap();
        assert_eq!(path.of(&name("t_3")), "/pci-tokens/t_3/detokenize");
        assert_eq!(Path::parse("/pci-tokens").unwrap().as_str(), "/pci-tokens");
    }

    #[test]
    fn nothing_in_a_path_means_anything_else() {
        for text in ["", "pci-tokens", "/pci-tokens/", "/a/../b", "/a?b", "/a#b", "/a b", "/{token}", "/é"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
        for text in ["/tokens", "/{token}/{token}", "/{token}/{merchant}", "{token}"] {
            assert!(TokenPath::parse(text).is_err(), "{text}");
        }
        assert!(MerchantPath::parse("/{merchant}").is_err());
    }
}
