//! Who tokenizes and charges.

use std::fmt;

use reqwest::Url;
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
    /// Reads an origin as people write it, and writes it as browsers do (URL standard, "origin"): upper case, a default port, a
    /// slash at the end, other letters than ASCII's and odd forms of an address do not matter.
    ///
    /// # Errors
    /// [`NotAnOrigin`]
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let (_, rest) = text.split_once("://").ok_or(NotAnOrigin)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        // A browser drops or bends what stands here.
        if authority.contains(['/', '\\', '?', '#', '@', '%'])
            || text.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return Err(NotAnOrigin);
        }
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let fits = matches!(url.scheme(), "http" | "https") && url.port() != Some(0);
        let host = url.host_str().filter(|host| fits && is_host(host)).ok_or(NotAnOrigin)?;
        Ok(Self(match url.port() {
            None => format!("{}://{host}", url.scheme()),
            Some(port) => format!("{}://{host}:{port}", url.scheme()),
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

/// Most origins of a merchant, and most bytes of them all together: they stand in a header of the frame.
pub const MOST_ORIGINS: usize = 100;
/// See [`MOST_ORIGINS`].
pub const MOST_ORIGIN_BYTES: usize = 4096;

/// Refuses more origins than a header of the frame can have in it: proxies and browsers drop an answer whose headers have more
/// than 8 kB.
///
/// # Errors
/// [`TooManyOrigins`]
pub fn check_origins(origins: &[Origin]) -> Result<(), TooManyOrigins> {
    let bytes = origins.iter().map(|origin| origin.0.len() + 1).sum();
    if origins.len() > MOST_ORIGINS || bytes > MOST_ORIGIN_BYTES {
        return Err(TooManyOrigins { count: origins.len(), bytes });
    }
    Ok(())
}

/// More origins than a merchant has. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{count} origins of {bytes} characters are more than a merchant has: {MOST_ORIGINS}, of {MOST_ORIGIN_BYTES} characters in all; \
     leave out those that no page with card fields is served from, or add a merchant for the others"
)]
pub struct TooManyOrigins {
    count: usize,
    bytes: usize,
}

/// Not an origin. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "an origin is http:// or https:// with a host and perhaps a port, such as https://shop.example, without a path"
)]
pub struct NotAnOrigin;

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
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
            ("https://2130706433", "https://127.0.0.1"),
            ("https://127.1:8443", "https://127.0.0.1:8443"),
            ("https://0x7f.1", "https://127.0.0.1"),
            ("https://127.0.0.1.", "https://127.0.0.1"),
            ("https://[::0:1]", "https://[::1]"),
            ("https://[::FFFF:127.0.0.1]", "https://[::ffff:7f00:1]"),
            ("https://ร้าน.example", "https://xn--q3ct9b5e.example"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://ｓｈｏｐ.example", "https://shop.example"),
            ("https://shop.example:0443", "https://shop.example"),
            // Another origin than without the dot.
            ("https://shop.example.", "https://shop.example."),
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
            "https://shop.example:+80",
            "https://shop.example:65536",
            "https://shop example",
            "https://*.example",
            "https:shop.example",
            "https:///shop.example",
            "https:\\\\shop.example",
            "https://shop.example/\n",
            " https://shop.example",
            "https://shop.example;",
            "https://sh%6fp.example",
            "https://1.2.3.4.5",
            "https://256.1",
            "https://[::1",
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
