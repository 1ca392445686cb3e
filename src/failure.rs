//! Why a call from JavaScript failed: what the client says, and what only a caller can get wrong.

use crate::card::{Field, Reason};
use crate::client::{BadAddress, Error, PkeyError, Vendor};

/// A failure as JavaScript sees it: a `CardsealError`.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no token, for a reason that the client tells.
    Client(Error),
    /// A second call came before the first was answered. The caller's fault; wait for the first.
    Busy,
    /// The form was destroyed. The caller's fault; make a new one.
    Destroyed,
    /// Something in the options or details is not what it should be. The caller's fault.
    InvalidOptions(String),
    /// The key is no public key. The merchant's fault.
    InvalidPublicKey(PkeyError),
    /// The address is no vault's. The merchant's fault.
    InvalidVaultAddress(BadAddress),
    /// There is no document, as on a server. The caller's fault.
    NoDocument,
    /// The form is in no page, so nobody can have typed anything. The caller's fault.
    NotMounted,
    /// The browser refused something that every supported browser does. Nobody's fault here.
    Unsupported,
}

impl Failure {
    /// What went wrong, in words.
    pub(crate) fn words(&self) -> String {
        let words = match self {
            Self::Client(error) => return error.words(),
            Self::Busy => "the card is being tokenized already; wait for that promise",
            Self::Destroyed => "the card form was destroyed; make a new one with cardseal.card()",
            Self::InvalidOptions(words) => words,
            Self::InvalidPublicKey(error) => error.words(),
            Self::InvalidVaultAddress(error) => error.words(),
            Self::NoDocument => "a card form needs a page to stand in; there is none here",
            Self::NotMounted => "the card form is not in the page; call card.mount() first",
            Self::Unsupported => "this browser cannot show the card form",
        };
        words.into()
    }

    /// Its code in JavaScript, one of a closed list.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Busy => "busy",
            Self::Destroyed => "destroyed",
            Self::InvalidOptions(_) => "invalid_options",
            Self::InvalidPublicKey(_) => "invalid_public_key",
            Self::InvalidVaultAddress(_) => "invalid_vault_address",
            Self::NoDocument => "no_document",
            Self::NotMounted => "not_mounted",
            Self::Unsupported => "unsupported_browser",
        }
    }

    /// Whether the same call may succeed later with nothing changed.
    pub(crate) const fn is_retryable(&self) -> bool {
        match self {
            Self::Client(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// The field to look at, when it is the card's fault.
    pub(crate) const fn field(&self) -> Option<Field> {
        match self {
            Self::Client(error) => error.field(),
            _ => None,
        }
    }

    /// What is wrong with that field.
    pub(crate) const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Client(Error::Invalid(_, reason)) => Some(*reason),
            _ => None,
        }
    }

    /// The HTTP status behind it, when there was an answer.
    pub(crate) const fn status(&self) -> Option<u16> {
        match self {
            Self::Client(error) => error.status(),
            _ => None,
        }
    }

    /// The vendor that it is about.
    pub(crate) const fn vendor(&self) -> Option<&Vendor> {
        match self {
            Self::Client(error) => error.vendor(),
            _ => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}
