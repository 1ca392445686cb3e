//! Who did something, and where from (PCI DSS 10.2.2: identification of the user, and origination of the event).

use std::fmt;

use crate::access::client::Client;
use crate::id::KeyId;
use crate::log::redact;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Whoever holds this API key.
    Key(KeyId),
    /// A person, by commands.
    Person(Person),
    /// Whoever sent a key that is none. The key is not kept: it may be somebody's for something else.
    Unknown,
    /// The vault, by itself.
    Vault,
}

/// A person's name, as the system or the person says: 1 to 64 letters, digits and `.`, `_`, `-`, `@`, `+`, `\`, and nothing
/// that looks like a card's number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person(String);

impl Person {
    /// Takes a name; `None` if it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fits = |letter: char| letter.is_alphanumeric() || "._-@+\\".contains(letter);
        let is_name = (1..=64).contains(&name.len()) && name.chars().all(fits) && redact(name) == name;
        is_name.then(|| Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person's name stands behind in the audit.
const PERSON: &str = "person:";

impl Actor {
    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "unknown" => Some(Self::Unknown),
            "vault" => Some(Self::Vault),
            text => match text.strip_prefix(PERSON) {
                Some(name) => Person::parse(name).map(Self::Person),
                None => KeyId::parse(text).map(Self::Key),
            },
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => formatter.write_str(id.as_str()),
            Self::Person(Person(name)) => write!(formatter, "{PERSON}{name}"),
            Self::Unknown => formatter.write_str("unknown"),
            Self::Vault => formatter.write_str("vault"),
        }
    }
}

/// Where something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origination {
    /// This address or network.
    Client(Client),
    /// The machine that the vault or its command runs on.
    Machine,
}

impl Origination {
    const MACHINE: &str = "machine";

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == Self::MACHINE { Some(Self::Machine) } else { Client::parse(text).map(Self::Client) }
    }
}

impl fmt::Display for Origination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => client.fmt(formatter),
            Self::Machine => formatter.write_str(Self::MACHINE),
        }
    }
}

/// By whom something was done, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Where from.
    pub from: Origination,
}

impl By {
    /// The vault, by itself.
    pub const VAULT: Self = Self { actor: Actor::Vault, from: Origination::Machine };

    /// A person, by a command on the vault's machine.
    #[must_use]
    pub const fn person(person: Person) -> Self {
        Self { actor: Actor::Person(person), from: Origination::Machine }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn who_and_where_are_read_as_they_are_written() {
        let person = Actor::Person(Person::parse("anna.berg@ops").unwrap());
        for actor in [person, Actor::Unknown, Actor::Vault, Actor::Key(KeyId::random(Mode::Live))] {
            assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
        }
        for text in ["machine", "203.0.113.9", "2001:db8:1:2::/64", "::/64"] {
            assert_eq!(Origination::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "203.0.113.9/32", "2001:db8::1", "2001:db8::/32", "2001:db8:1:2:3::/64", "somewhere"]
        {
            assert_eq!(Origination::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_persons_name_is_a_word_and_no_card() {
        for name in ["root", "uid-1000", "OPS\\berg", "花子"] {
            assert_eq!(Person::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "a b", "a\nb", "4242424242424242", "x:y", &"x".repeat(65)] {
            assert_eq!(Person::parse(name), None, "{name:?}");
        }
    }
}
