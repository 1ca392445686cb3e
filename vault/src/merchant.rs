//! Who tokenizes and charges.

use std::fmt;

use thiserror::Error;

use crate::id::MerchantId;

/// A merchant, as far as answering its requests takes.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// What people call it.
    pub name: Name,
    /// Whether its cards and its money are real.
    pub mode: Mode,
    /// The origins its pages are served from.
    pub origins: Vec<Origin>,
    /// Whether it may send a card that is not sealed.
    pub clear_cards: ClearCards,
}

/// Test keys are for published test cards, live keys for real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Nothing is real.
    Test,
    /// Cards and money are real.
    Live,
}

impl Mode {
    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.as_str() == name)
    }

    /// How an id or key of this mode goes on after its prefix.
    pub(crate) const fn infix(self) -> &'static str {
        match self {
            Self::Test => "test_",
            Self::Live => "",
        }
    }
}

/// Whether a merchant may send a card that is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearCards {
    /// It may.
    Allowed,
    /// Its cards have to be sealed.
    Refused,
}

/// What people call a merchant: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NotAName`]
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let text = text.trim();
        let fits = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.into())) } else { Err(NotAName) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not a merchant's name. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a merchant's name has 1 to 100 characters on one line")]
pub struct NotAName;

/// Where a page comes from (RFC 6454), written as browsers write it in the header `Origin`: `https://shop.example`,
/// `http://127.0.0.1:4243`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as people write it: upper case, a default port and a slash at the end do not matter.
    ///
    /// # Errors
    /// [`NotAnOrigin`]
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(NotAnOrigin)?;
        let default_port = match scheme {
            "https" => "443",
            "http" => "80",
            _ => return Err(NotAnOrigin),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        // An IPv6 address has colons of its own, in brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if !is_host(host) {
            return Err(NotAnOrigin);
        }
        let Some(port) = port else { return Ok(Self(format!("{scheme}://{host}"))) };
        let number: u16 = port.parse().map_err(|_| NotAnOrigin)?;
        // `+80` and `080` are numbers, but no browser writes them.
        if number == 0 || number.to_string() != port {
            return Err(NotAnOrigin);
        }
        Ok(Self(if port == default_port {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        }))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as they stand in the header `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether nobody on the way can change the page: it came over TLS, or never left the machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let host = self.authority().rsplit_once(':').map_or(self.authority(), |(host, _)| host);
        self.0.starts_with("https://") || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Not an origin. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "an origin is http:// or https:// with a host and perhaps a port, such as https://shop.example, without a path; \
     a host in other letters is written in its xn-- form"
)]
pub struct NotAnOrigin;

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=253).contains(&host.len()) && host.bytes().all(allowed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("HTTPS://Shop.Example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("https://shop.example:80", "https://shop.example:80"),
            ("http://127.0.0.1:4243", "http://127.0.0.1:4243"),
            ("http://[::1]:4243", "http://[::1]:4243"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn other_texts_are_no_origins() {
        for text in [
            "",
            "null",
            "*",
            "shop.example",
            "ftp://shop.example",
            "https://",
            "https://shop.example/path",
            "https://shop.example?q",
            "https://user@shop.example",
            "https://shop.example:0",
            "https://shop.example:080",
            "https://shop.example:+80",
            "https://shop.example:65536",
            "https://shop example",
            "https://ร้าน.example",
            "https://*.example",
            "https://[::1",
            "https://[::0:1]",
            "https://a:b:c",
        ] {
            assert_eq!(Origin::parse(text), Err(NotAnOrigin), "{text:?}");
        }
    }

    #[test]
    fn pages_from_this_machine_count_as_secure() {
        for (text, secure) in [
            ("https://shop.example", true),
            ("http://shop.example", false),
            ("http://localhost:4243", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:1", true),
            ("http://localhost.shop.example", false),
        ] {
            assert_eq!(Origin::parse(text).unwrap().is_secure(), secure, "{text}");
        }
    }

    #[test]
    fn names_are_one_line() {
        assert!(Name::parse(" ร้านกาแฟ ").is_ok());
        for text in ["", "  ", "two\nlines", &"x".repeat(101)] {
            assert_eq!(Name::parse(text), Err(NotAName));
        }
    }
}
