use std::collections::BTreeSet;
use std::fmt;

/// Whose hands a key is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A merchant's pages, which everybody can read.
    Public,
    /// A merchant's servers.
    Secret,
}

impl KeyKind {
    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Secret => "secret",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Public, Self::Secret].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that a key may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See a stored card's number in the clear, with a reason. Neither kind of key has it unless it is given.
    Detokenize,
    /// Get what a payment with a vendor's token is made with, with a reason. Neither kind of key has it unless it is given.
    Pay,
    /// Make tokens and see them.
    Tokenize,
    /// Charge tokens, keep cards on file, see what happened.
    Use,
}

impl Permission {
    const ALL: [Self; 4] = [Self::Detokenize, Self::Pay, Self::Tokenize, Self::Use];

    /// Its name in the store and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detokenize => "detokenize",
            Self::Pay => "pay",
            Self::Tokenize => "tokenize",
            Self::Use => "use",
        }
    }

    /// The permission of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }
}

/// What a key may do: at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Permission>);

impl Scopes {
    /// What a key of a kind may do unless something else is said.
    #[must_use]
    pub fn of(kind: KeyKind) -> Self {
        Self(BTreeSet::from([match kind {
            KeyKind::Public => Permission::Tokenize,
            KeyKind::Secret => Permission::Use,
        }]))
    }

    /// These; `None` if there are none, or if one is not for keys of this kind: what everybody can read opens nothing.
    #[must_use]
    pub fn new(kind: KeyKind, permissions: impl IntoIterator<Item = Permission>) -> Option<Self> {
        let permissions: BTreeSet<_> = permissions.into_iter().collect();
        let fit = permissions.iter().all(|permission| match kind {
            KeyKind::Public => *permission == Permission::Tokenize,
            KeyKind::Secret => true,
        });
        (fit && !permissions.is_empty()).then_some(Self(permissions))
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let permissions = text.split(' ').map(Permission::parse).collect::<Option<_>>()?;
        Some(Self(permissions))
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|permission| permission.as_str()).collect();
        formatter.write_str(&names.join(" "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_written_and_read() {
        let scopes = Scopes::new(KeyKind::Secret, [Permission::Use, Permission::Detokenize]).unwrap();
        assert_eq!(scopes.to_string(), "detokenize use");
        assert_eq!(Scopes::parse("detokenize use"), Some(scopes));
        for text in ["", "use ", "everything"] {
            assert_eq!(Scopes::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_public_key_opens_nothing() {
        assert_eq!(Scopes::new(KeyKind::Public, [Permission::Use]), None);
        assert_eq!(Scopes::new(KeyKind::Public, [Permission::Tokenize, Permission::Detokenize]), None);
        assert_eq!(Scopes::new(KeyKind::Secret, []), None);
        for sensitive in [Permission::Detokenize, Permission::Pay] {
            assert!(!Scopes::of(KeyKind::Secret).allow(sensitive));
        }
    }
}
