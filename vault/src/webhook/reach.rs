use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

use super::address::is_public;
use crate::merchant::Mode;

/// How far webhooks of test merchants may lead; those of live merchants lead to public places only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// To public places only.
    #[default]
    Public,
    /// To this machine too, also without TLS: for a developer's own, where no service listens that takes orders from whoever
    /// reaches it.
    Loopback,
}

impl Reach {
    const ALL: [Self; 2] = [Self::Public, Self::Loopback];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
        }
    }

    /// How far those of a merchant of this mode may lead.
    pub(super) const fn of(self, mode: Mode) -> Self {
        match mode {
            Mode::Live => Self::Public,
            Mode::Test => self,
        }
    }

    /// Whether an address may be connected to.
    pub(super) fn has(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::Loopback && address.to_canonical().is_loopback())
    }

    /// Whether an address may be connected to as far as it tells by itself: what a name leads to is looked at when something is
    /// sent there.
    pub(super) fn has_host(self, url: &Url) -> bool {
        match literal(url) {
            Some(address) => self.has(address),
            None => match url.domain() {
                Some(name) => !is_inward(name) || (self == Self::Loopback && is_here(url)),
                None => false,
            },
        }
    }
}

/// The address that stands in a URL instead of a name, whichever way it was written: `Url` has read `127.1` and `2130706433`.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a URL names this very machine.
pub(super) fn is_here(url: &Url) -> bool {
    match literal(url) {
        Some(address) => address.to_canonical().is_loopback(),
        None => url.domain().is_some_and(|name| is_or_ends_in(name, "localhost")),
    }
}

/// Whether a name means something within a machine or a network only (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and
/// what routers and companies use), as each does that has no dot.
fn is_inward(name: &str) -> bool {
    const INWARD: [&str; 12] = [
        "localhost",
        "localdomain",
        "local",
        "internal",
        "intranet",
        "private",
        "corp",
        "home",
        "lan",
        "home.arpa",
        "in-addr.arpa",
        "ip6.arpa",
    ];
    let name = name.trim_end_matches('.');
    !name.contains('.') || INWARD.iter().any(|end| is_or_ends_in(name, end))
}

fn is_or_ends_in(name: &str, end: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl FromStr for Reach {
    type Err = NotAReach;

    fn from_str(text: &str) -> Result<Self, NotAReach> {
        Self::ALL.into_iter().find(|reach| reach.as_str() == text).ok_or(NotAReach)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Not a place that webhooks may lead to. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("test merchants' webhooks lead to public places, public, or to this machine too, loopback")]
pub struct NotAReach;
