//! Where a request comes from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

/// Whoever sends from one address, as far as the vault can tell people apart by it.
///
/// That is an IPv4 address, or an IPv6 network of 64 bits: a subscriber gets at least so much (RFC 6177), and can send
/// from each of its 2⁶⁴ addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// An address.
    V4(Ipv4Addr),
    /// The first half of an address.
    V6([u16; 4]),
}

impl Client {
    /// The client behind a connection from `peer`.
    ///
    /// `forwarded` are the values of `X-Forwarded-For`, in order. A proxy adds the address it was called from at the
    /// end, and anybody may have written what stands before; so it is read from its end, and no farther than the
    /// proxies that the operator trusts have written it.
    #[must_use]
    pub fn of<'a>(
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
        proxies: &[Proxy],
    ) -> Self {
        let mut nearest = peer.to_canonical();
        for hop in forwarded.rev().flat_map(|value| value.rsplit(',')) {
            if !proxies.iter().any(|Proxy(network)| network.contains(&nearest)) {
                break;
            }
            let Some(address) = parse_hop(hop.trim()) else { break };
            nearest = address;
        }
        match nearest {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl Client {
    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let client = match text.strip_suffix("/64") {
            Some(network) => {
                let [a, b, c, d, rest @ ..] = network.parse::<Ipv6Addr>().ok()?.segments();
                (rest == [0; 4]).then_some(Self::V6([a, b, c, d]))
            }
            None => text.parse().ok().map(Self::V4),
        };
        client.filter(|client| client.to_string() == text)
    }
}

impl fmt::Display for Client {
    /// `203.0.113.9`, or `2001:db8:1:2::/64`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(formatter),
            Self::V6([a, b, c, d]) => write!(formatter, "{}/64", Ipv6Addr::new(*a, *b, *c, *d, 0, 0, 0, 0)),
        }
    }
}

/// An address, with a port as some proxies add it.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse().map(|hop: SocketAddr| hop.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Proxies whose `X-Forwarded-For` is believed: a network such as `10.0.0.0/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxy(IpNet);

impl Proxy {
    /// Whether a peer is one of them.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.contains(&peer.to_canonical())
    }
}

impl FromStr for Proxy {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| NotANetwork(text.into()))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for Proxy {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

/// Neither a network nor an address. The operator's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither an address nor a network; a network is written as 10.0.0.0/8 or fd00::/8")]
pub struct NotANetwork(String);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> Client {
        let proxies: Vec<Proxy> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        Client::of(peer.parse().unwrap(), forwarded.iter().copied(), &proxies)
    }

    fn v4(address: &str) -> Client {
        Client::V4(address.parse().unwrap())
    }

    #[test]
    fn is_the_peer_unless_a_trusted_proxy_names_another() {
        for (peer, forwarded, proxies, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], &[][..], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], &["10.0.0.0/8"], "192.0.2.1"),
            ("10.0.0.1", &[], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], &["10.0.0.0/8"], "203.0.113.9"),
            // The client wrote the first; the proxy added the last.
            ("10.0.0.1", &["198.51.100.7, 203.0.113.9"], &["10.0.0.0/8"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.7", "203.0.113.9"], &["10.0.0.0/8"], "203.0.113.9"),
            // Two proxies.
            ("10.0.0.1", &["198.51.100.7, 203.0.113.9,10.0.0.2"], &["10.0.0.0/8"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"], "10.0.0.3"),
            // Whoever stands before what is no address cannot be known.
            ("10.0.0.1", &["203.0.113.9, unknown"], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], &["10.0.0.0/8"], "10.0.0.2"),
            ("10.0.0.1", &[""], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9:1234"], &["10.0.0.1"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], &["10.0.0.1"], "203.0.113.9"),
            ("fd00::1", &["203.0.113.9"], &["fd00::/8"], "203.0.113.9"),
        ] {
            assert_eq!(client(peer, forwarded, proxies), v4(expected), "{peer} {forwarded:?} {proxies:?}");
        }
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        let one = client("2001:db8:1:2::1", &[], &[]);
        assert_eq!(client("2001:db8:1:2:ffff:ffff:ffff:ffff", &[], &[]), one);
        assert_eq!(client("fd00::1", &["[2001:db8:1:2::7]:443"], &["fd00::1"]), one);
        assert_ne!(client("2001:db8:1:3::1", &[], &[]), one);
    }

    #[test]
    fn other_texts_are_no_networks() {
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/8 ", "*"] {
            let error = text.parse::<Proxy>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
