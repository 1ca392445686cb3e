use std::fmt;

use zeroize::Zeroizing;

use crate::id::random_letters;
use crate::keys::Sha256Digest;

/// The last part of the address at which an acquirer tells that something has happened to one charge: nobody else knows
/// it. What comes there is a hint and no more, since the acquirer does not sign it.
pub struct Callback(Zeroizing<String>);

/// Letters: 200 bits.
const LETTERS: usize = 40;

impl Callback {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(random_letters(LETTERS))
    }

    /// Its text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it. Looking it up by its hash tells an onlooker with a stopwatch about hashes only.
    #[must_use]
    pub fn hash(&self) -> Sha256Digest {
        Self::hash_of(&self.0)
    }

    /// The same of what came as one.
    #[must_use]
    pub fn hash_of(text: &str) -> Sha256Digest {
        Sha256Digest::of(text.as_bytes())
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callback(…)")
    }
}
