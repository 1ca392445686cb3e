//! What happened, for merchants' servers.

use serde_json::{Map, Value};

use crate::id::EventId;
use crate::time::Timestamp;

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub key: EventKey,
    /// When.
    pub created_at: Timestamp,
    /// The object as it was then, as the API showed it.
    pub data: Map<String, Value>,
}

/// What may happen, in Omise's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKey {
    /// What became of a charge is known.
    ChargeComplete,
    /// A charge was made; its outcome is not known yet.
    ChargeCreate,
}

impl EventKey {
    /// Every key.
    pub(crate) const ALL: [Self; 2] = [Self::ChargeComplete, Self::ChargeCreate];

    /// Its name in Omise's API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChargeComplete => "charge.complete",
            Self::ChargeCreate => "charge.create",
        }
    }

    /// The key of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }
}
