//! The vault's sealing keys, as pages get them and as an operator keeps them to hold a live vault's against.

use cardseal::plain::{self, FromPlain, Plain, Wrong};
use cardseal::seal::KeySet;
use cardseal::seal::jwk::Jwk;
use serde::Serialize;

use crate::keys::Rings;
use crate::merchant::Mode;
use crate::time::Timestamp;

/// Every sealing key that is not destroyed, in both modes, each with the time from when on it is used: a public list, which
/// `keys export` writes as JSON. With it are the signing keys, whose ids merchants give their pages.
#[derive(Clone, Debug, Serialize)]
pub struct SealingKeys {
    keys: Vec<Known>,
    signing: Vec<Known>,
}

#[derive(Clone, Debug, Serialize)]
struct Known {
    /// As RFC 3339 has it.
    active_from: String,
    jwk: Jwk,
}

impl SealingKeys {
    /// Those of a vault.
    #[must_use]
    pub fn of(rings: &Rings) -> Self {
        let keys = rings.sealing.each().into_iter().flat_map(|(mode, ring)| {
            ring.iter().map(move |held| Known {
                active_from: held.active_from.to_string(),
                jwk: Jwk { livemode: Some(mode == Mode::Live), ..held.key.jwk().clone() },
            })
        });
        let signing = rings
            .signing
            .iter()
            .map(|held| Known { active_from: held.active_from.to_string(), jwk: held.key.jwk().clone() });
        Self { keys: keys.collect(), signing: signing.collect() }
    }

    /// Reads what [`SealingKeys`] is written as; `None` for anything else, and for a list without keys.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let known: Self = plain::parse(json).ok()?;
        let timed = known.keys.iter().all(|key| Timestamp::parse(&key.active_from).is_some());
        (timed && !known.keys.is_empty()).then_some(known)
    }

    /// What the vault shows pages at a time: for each mode the key that is used then, that for live pages first.
    #[must_use]
    pub fn published(&self, at: Timestamp) -> KeySet {
        let used = [true, false].map(|live| {
            let of_mode = self.keys.iter().filter(|key| key.jwk.livemode == Some(live));
            let begun = of_mode.filter_map(|key| Some((Timestamp::parse(&key.active_from)?, &key.jwk)));
            // Of two that begin at once, the newer, which comes later.
            begun.filter(|(from, _)| *from <= at).max_by_key(|(from, _)| *from).map(|(_, jwk)| jwk.clone())
        });
        KeySet { keys: used.into_iter().flatten().collect() }
    }

    /// The key of this id.
    pub(crate) fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().map(|key| &key.jwk).find(|jwk| jwk.kid.as_deref() == Some(kid))
    }
}

/// Those of a set that pages of a mode take.
#[must_use]
pub fn of_mode(set: &KeySet, live: bool) -> KeySet {
    KeySet { keys: set.keys.iter().filter(|jwk| jwk.livemode == Some(live)).cloned().collect() }
}

impl FromPlain for SealingKeys {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            keys: members.required("keys"),
            signing: members.optional("signing").unwrap_or_default(),
        })
    }
}

impl FromPlain for Known {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            active_from: members.required("active_from"),
            jwk: members.required("jwk"),
        })
    }
}
