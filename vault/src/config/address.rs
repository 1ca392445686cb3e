use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A host and a port to listen on: `127.0.0.1:4242`, `[::]:443`, `localhost:0` for any free port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where to find from this machine what listens there: a host that stands for all of the machine's own is none to
    /// connect to.
    #[must_use]
    pub fn to_connect_to(&self) -> Self {
        match self.0.rsplit_once(':') {
            Some(("0.0.0.0", port)) => Self(format!("127.0.0.1:{port}")),
            Some(("[::]", port)) => Self(format!("[::1]:{port}")),
            _ => self.clone(),
        }
    }
}

impl Default for Address {
    /// Where only this machine gets to.
    fn default() -> Self {
        Self("127.0.0.1:4242".into())
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(NotAnAddress)?;
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        // An IPv6 address is in brackets, since it has colons of its own.
        let is_host =
            !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
        if is_port && is_host { Ok(Self(text.into())) } else { Err(NotAnAddress) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Not an address. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an address is a host and a port, such as 127.0.0.1:4242 or [::]:443")]
pub struct NotAnAddress;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for text in ["127.0.0.1:4242", "[::1]:0", "localhost:65535", "vault.example:443"] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
        for text in ["", ":", "127.0.0.1", ":4242", "a:", "a:+1", "a:65536", "::1:80", "a:b:1", "http://a:b"]
        {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
        for (listens, connects) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("a:1", "a:1")] {
            assert_eq!(listens.parse::<Address>().unwrap().to_connect_to().as_str(), connects);
        }
        assert!(Address::default().as_str().parse::<Address>().is_ok());
    }
}
