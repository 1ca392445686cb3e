//! Which addresses a webhook may lead to. Merchants choose the names, so without a limit they could have the vault talk to
//! whatever its network shields.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// The networks of IANA's IPv4 Special-Purpose Address Registry that are not globally reachable, and multicast.
const SPECIAL_V4: [Ipv4Net; 14] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 3),
];

/// All global unicast addresses (RFC 4291 section 2.4, IANA's registry). Translated IPv4 addresses (64:ff9b::/96) are not
/// among them.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// Of those, the ones with a special purpose, tunnels to IPv4 addresses among them.
const SPECIAL_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0], 23), v6([0x2001, 0xdb8], 32), v6([0x2002, 0], 16), v6([0x3fff, 0], 20)];

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(address: [u16; 2], prefix: u8) -> Ipv6Net {
    let [a, b] = address;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;
    use crate::webhook::Reach;

    fn is_allowed(mode: Mode, reach: Reach, address: IpAddr) -> bool {
        reach.of(mode).has(address)
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:0:a00:1::",
            "2001:db8::1",
        ] {
            let address = address.parse().unwrap();
            assert!(!is_public(address) && !is_allowed(Mode::Test, Reach::Loopback, address), "{address}");
        }
    }

    #[test]
    fn this_machine_is_for_tests_where_the_operator_allows_it() {
        for address in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            let address = address.parse().unwrap();
            assert!(!is_allowed(Mode::Live, Reach::Loopback, address), "{address}");
            assert!(!is_allowed(Mode::Test, Reach::Public, address), "{address}");
            assert!(is_allowed(Mode::Test, Reach::Loopback, address), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_allowed() {
        for address in ["1.1.1.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111", "2a00::1"]
        {
            let address = address.parse().unwrap();
            assert!(is_public(address), "{address}");
        }
    }
}
