//! Where a vault is.

use std::fmt;
use std::num::NonZeroU16;

use thiserror::Error;

/// The address of a vault, cardseal's or Omise's: `https://host[:port]`, or `http://` on this very machine for tests and demonstrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultAddress(String);

/// Why a text is no vault's address. The merchant's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadAddress {
    /// A card, though sealed, goes over TLS only (PCI DSS 4.2.1).
    Insecure,
    /// More or less than a scheme, a host and a port.
    Malformed,
}

impl BadAddress {
    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Insecure => "a vault's address begins with https:// (http:// is for localhost only)",
            Self::Malformed => "a vault's address is https://host or https://host:port and nothing more",
        }
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl VaultAddress {
    /// Reads an address; one slash at its end is allowed.
    ///
    /// # Errors
    /// [`BadAddress`]
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (secure, plain) = (text.strip_prefix("https://"), text.strip_prefix("http://"));
        let authority = secure.or(plain).ok_or(BadAddress::Malformed)?;
        let colon = authority.bytes().rposition(|byte| byte == b':').filter(|_| !authority.ends_with(']'));
        let (host, port) = match colon {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        };
        let port_ok = port.is_none_or(|port| !port.starts_with('+') && port.parse::<NonZeroU16>().is_ok());
        let host_ok = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // Something like an IPv6 address; the browser knows better, and refuses what is none.
            Some(address) => {
                address.bytes().any(|b| b == b':')
                    && address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
            }
            None => {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            }
        };
        if !port_ok || !host_ok {
            return Err(BadAddress::Malformed);
        }
        if secure.is_some() || matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            Ok(Self(text.into()))
        } else {
            Err(BadAddress::Insecure)
        }
    }

    /// Its text, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
