//! Refusals in the audit, of which anybody can cause as many as he likes: each kind is a row at once, and what comes again
//! within ten minutes is counted and is one row more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Failure, Vault};
use crate::audit::{Action, Actor, By, Entry, Origination, Outcome, Refusal};
use crate::id::MerchantId;
use crate::time::Timestamp;

/// How long refusals are counted before their number is a row.
const PERIOD: Duration = Duration::from_secs(10 * 60);

/// Kinds of refusals that are told apart within a period, of keys that are known, and once more of those that are not, who
/// therefore cannot crowd the others out. What is beyond is counted as one. So a process adds at most 402 rows in ten
/// minutes, about 20 MB a day while an attack lasts.
const MOST_KINDS: usize = 100;

/// What was refused, to whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    /// With whose data; none if that is not known.
    pub merchant: Option<MerchantId>,
    /// To whom.
    pub by: By,
    /// What.
    pub action: Action,
    /// The id of what it was to be done to, if it is one of the vault's, or the route. Never what a caller made up.
    pub subject: String,
    /// Why.
    pub why: Refusal,
}

/// The refusals of this period.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Period>);

#[derive(Debug, Default)]
struct Period {
    /// When the first of them was.
    since: Option<Timestamp>,
    known: Book,
    unknown: Book,
}

#[derive(Debug, Default)]
struct Book {
    /// How often each came again after it was written.
    again: HashMap<Refused, u64>,
    /// Those that there was no place for.
    others: u64,
}

impl Refusals {
    /// Whether a refusal is to be written now; else it is counted.
    fn note(&self, refused: &Refused, now: Timestamp) -> bool {
        let mut period = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        period.since.get_or_insert(now);
        let book = match refused.by.actor {
            Actor::Unknown => &mut period.unknown,
            Actor::Key(_) | Actor::Person(_) | Actor::Vault => &mut period.known,
        };
        if let Some(again) = book.again.get_mut(refused) {
            *again += 1;
            return false;
        }
        if book.again.len() >= MOST_KINDS {
            book.others += 1;
            return false;
        }
        book.again.insert(refused.clone(), 0);
        true
    }

    /// What was counted, once the period is over, or at once.
    fn take(&self, now: Option<Timestamp>) -> Vec<(Refused, u64)> {
        let mut period = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |since| now.is_none_or(|now: Timestamp| now.since(since) >= PERIOD);
        if !period.since.is_some_and(is_over) {
            return Vec::new();
        }
        let Period { known, unknown, .. } = std::mem::take(&mut *period);
        let others = known.others + unknown.others;
        let counted = known.again.into_iter().chain(unknown.again).filter(|(_, again)| *again > 0);
        let mut counted: Vec<_> = counted.collect();
        if others > 0 {
            let by = By { actor: Actor::Unknown, from: Origination::Machine };
            let (action, subject) = (Action::Access, "others".to_owned());
            counted.push((Refused { merchant: None, by, action, subject, why: Refusal::OverLimit }, others));
        }
        counted
    }
}

impl Vault {
    /// Tells of a refusal: in the audit, at once or with others of its kind. It stays a refusal if that fails.
    pub async fn refuse(&self, refused: Refused) {
        let now = self.clock.now();
        if self.refusals.note(&refused, now)
            && let Err(error) = self.write_refusal(refused, 1).await
        {
            tracing::error!(%error, "a refusal is not in the audit");
        }
    }

    /// Writes the refusals that were counted, once it is time.
    pub(super) async fn write_refusals(&self) -> Result<(), Failure> {
        self.write_counted(Some(self.clock.now())).await
    }

    /// Writes those that were counted up to now.
    pub(super) async fn write_last_refusals(&self) {
        if let Err(error) = self.write_counted(None).await {
            tracing::error!(%error, "refusals are not in the audit");
        }
    }

    async fn write_counted(&self, now: Option<Timestamp>) -> Result<(), Failure> {
        for (refused, times) in self.refusals.take(now) {
            self.write_refusal(refused, times).await?;
        }
        Ok(())
    }

    async fn write_refusal(&self, refused: Refused, times: u64) -> Result<(), Failure> {
        let Refused { merchant, by, action, subject, why } = refused;
        let (at, outcome) = (self.clock.now(), Outcome::Refused(why));
        let entry = Entry { merchant, at, by, action, subject, reason: None, outcome, times };
        Ok(self.store.audit(&*self.audit_key()?, &entry).await?)
    }
}
