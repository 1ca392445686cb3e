//! Whether a vault can do its work.

use super::Vault;
use crate::store::Trouble;
use crate::time::Doubt;

/// What a vault needs for its work, and whether it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Something can be stored, or why not.
    pub database: Result<(), Trouble>,
    /// There are keys to encrypt, to tell cards apart and to chain the audit with.
    pub keys: Health,
    /// There is a key that browsers can seal to.
    pub sealing_key: Health,
    /// The clock is trusted. A vault whose clock is not serves all the same; what has an age waits.
    pub clock: Result<(), Doubt>,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is not.
    Failing,
    /// It is.
    Ok,
}

impl Vault {
    /// Whether it can do its work now.
    pub async fn readiness(&self) -> Readiness {
        let now = self.clock.now();
        let rings = self.keys.rings();
        let keys = rings.data.active(now).is_some()
            && rings.fingerprint.active(now).is_some()
            && rings.audit.active(now).is_some();
        Readiness {
            database: self.store.probe().await,
            keys: Health::of(keys),
            clock: self.clock.trust(),
            sealing_key: Health::of(rings.sealing.each().iter().all(|(_, ring)| ring.active(now).is_some())),
        }
    }
}

impl Health {
    /// Whether it is as it should be.
    #[must_use]
    pub const fn of(is_well: bool) -> Self {
        if is_well { Self::Ok } else { Self::Failing }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Ok => "ok",
        }
    }
}
