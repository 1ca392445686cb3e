//! What came of it (PCI DSS 10.2.2: success and failure indication).

/// What came of something that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused(Refusal),
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The card behind it is gone.
    Deleted,
    /// The key is none, or no longer one.
    UnknownKey,
    /// A public key was sent where a secret one belongs, or the other way.
    WrongKind,
    /// The key is not for this.
    MissingScope,
    /// The merchant has nothing of this id, though another may.
    NotFound,
    /// A limit was reached.
    OverLimit,
}

impl Outcome {
    const ALL: [Self; 7] = [
        Self::Done,
        Self::Refused(Refusal::Deleted),
        Self::Refused(Refusal::UnknownKey),
        Self::Refused(Refusal::WrongKind),
        Self::Refused(Refusal::MissingScope),
        Self::Refused(Refusal::NotFound),
        Self::Refused(Refusal::OverLimit),
    ];

    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused(Refusal::Deleted) => "deleted",
            Self::Refused(Refusal::UnknownKey) => "unknown_key",
            Self::Refused(Refusal::WrongKind) => "wrong_kind_of_key",
            Self::Refused(Refusal::MissingScope) => "missing_scope",
            Self::Refused(Refusal::NotFound) => "not_found",
            Self::Refused(Refusal::OverLimit) => "over_limit",
        }
    }

    /// The outcome of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
