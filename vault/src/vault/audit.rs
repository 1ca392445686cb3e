//! The audit: adding to it, and looking whether anybody else did.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::{Failure, Vault};
use crate::audit::{Action, By, Entry, Heads, Outcome, is_genuine, letters};
use crate::id::{KeyId, MerchantId};
use crate::keys::mac::MacKey;
use crate::token::Line;

/// What the audit was found to be, and what it tells of who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its chains: the vault's own, and one for each merchant.
    pub chains: Vec<Chain>,
    /// How many merchants and keys were looked at.
    pub access: u64,
    /// Those that are not what the vault wrote last.
    pub misplaced: Vec<Misplaced>,
}

/// A merchant or a key that is not what the vault wrote last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// Somebody else has written this key.
    ForgedKey(KeyId),
    /// Somebody else has written this merchant, or one of its origins.
    ForgedMerchant(MerchantId),
    /// The audit tells of this key or merchant, and it is not there.
    Missing(String),
    /// The audit tells that this merchant's origins were replaced since the vault wrote what is there.
    OldOrigins(MerchantId),
    /// The audit tells that this key was revoked, and it is valid.
    Unrevoked(KeyId),
}

/// What the audit tells of who may do what.
#[derive(Debug, Default)]
struct Told {
    /// Keys and merchants that were added.
    added: HashSet<String>,
    /// Keys that were revoked.
    revoked: HashSet<String>,
    /// A merchant's id as often as its origins were replaced.
    replaced: Vec<String>,
}

/// What a chain was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Whose it is; none for the vault's own.
    pub merchant: Option<MerchantId>,
    /// How many rows were looked at.
    pub rows: u64,
    /// The last row that is known from outside of the database. What was cut off after it does not show.
    pub known: Option<u64>,
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
    /// The MAC of its last row, in [`letters`].
    pub head: String,
}

/// What is wrong with a chain: the first thing that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A row is not what the vault wrote there: changed, moved, or put in.
    Changed(u64),
    /// The chain ends before the row with this number, of which is known that it was there.
    Cut(u64),
    /// Rows from this number on are missing.
    Missing(u64),
    /// This row is not the one that is known to have been there: the chain was cut, and has grown again.
    Regrown(u64),
    /// There are rows after the one with this number that the end of the chain does not know of.
    Surplus(u64),
}

/// How many rows are read at once.
const PAGE: u32 = 1000;

impl Vault {
    /// Adds to the audit what is told nowhere else.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn audit(
        &self,
        merchant: Option<&MerchantId>,
        by: By,
        action: Action,
        subject: &str,
        reason: Option<Line>,
    ) -> Result<(), Failure> {
        let entry = self.audit_entry(merchant, by, action, subject, reason);
        Ok(self.store.audit(&*self.audit_key()?, &entry).await?)
    }

    pub(super) fn audit_entry(
        &self,
        merchant: Option<&MerchantId>,
        by: By,
        action: Action,
        subject: &str,
        reason: Option<Line>,
    ) -> Entry {
        let (merchant, subject) = (merchant.cloned(), subject.to_owned());
        Entry {
            merchant,
            at: self.clock.now(),
            by,
            action,
            subject,
            reason,
            outcome: Outcome::Done,
            times: 1,
        }
    }

    pub(super) fn audit_key(&self) -> Result<Arc<MacKey>, Failure> {
        let rings = self.keys.rings();
        let held = rings.audit.active(self.clock.now()).ok_or(Failure::NoActiveKey("audit"))?;
        Ok(Arc::clone(&held.key))
    }

    /// Looks at every row of every chain, and at every merchant and key; `heads` are those that have left the database, of
    /// which each must still be there.
    ///
    /// # Errors
    /// [`Failure`]; what somebody else than the vault has done is none.
    pub async fn verify_audit(&self, heads: &Heads) -> Result<Audited, Failure> {
        let mut told = Told::default();
        let chains = self.verify_chains(heads, &mut told).await?;
        // After the chains: what is done meanwhile is there and not told yet, never the other way.
        let (access, misplaced) = self.verify_access(told).await?;
        Ok(Audited { chains, access, misplaced })
    }

    async fn verify_chains(&self, known: &Heads, told: &mut Told) -> Result<Vec<Chain>, Failure> {
        let heads = self.store.audit_heads().await?;
        let mut whose = self.store.audited().await?;
        whose.extend(heads.iter().map(|head| head.merchant.clone()));
        whose.extend(known.whose().cloned());
        whose.sort();
        whose.dedup();

        let mut chains = Vec::with_capacity(whose.len());
        for merchant in whose {
            let end = heads.iter().find(|head| head.merchant == merchant);
            let end = end.map_or((0, &[][..]), |head| (head.seq, &*head.mac));
            chains.push(self.verify_chain(merchant, end, known, told).await?);
        }
        Ok(chains)
    }

    async fn verify_chain(
        &self,
        merchant: Option<MerchantId>,
        (end, end_mac): (u64, &[u8]),
        heads: &Heads,
        told: &mut Told,
    ) -> Result<Chain, Failure> {
        let rings = self.keys.rings();
        let known = heads.last(&merchant);
        let (mut seq, mut previous, mut flaw) = (0, Vec::new(), None);
        'rows: while seq < end {
            // What is added while this looks is after the end that was read first.
            let rows = self.store.audit_rows(merchant.as_ref(), seq, PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows.into_iter().take_while(|row| row.seq <= end) {
                if row.seq != seq + 1 {
                    break 'rows;
                }
                let key = rings.audit.version(row.key_version);
                if !key.is_some_and(|held| is_genuine(&held.key, &previous, &row)) {
                    flaw = Some(Flaw::Changed(row.seq));
                    break 'rows;
                }
                if !heads.allow(&merchant, row.seq, &row.mac) {
                    flaw = Some(Flaw::Regrown(row.seq));
                    break 'rows;
                }
                (seq, previous) = (row.seq, row.mac);
                told.hear(row.entry);
            }
        }
        if flaw.is_none() {
            flaw = if seq < end {
                Some(Flaw::Missing(seq + 1))
            } else if previous != end_mac {
                Some(Flaw::Changed(seq))
            } else if self.has_surplus(merchant.as_ref(), end).await? {
                Some(Flaw::Surplus(end))
            } else if known.is_some_and(|known| known > end) {
                Some(Flaw::Cut(end + 1))
            } else {
                None
            };
        }
        Ok(Chain { merchant, rows: seq, known, flaw, head: letters(&previous) })
    }

    /// How many merchants and keys there are, and which of them are not what the vault wrote last.
    async fn verify_access(&self, mut told: Told) -> Result<(u64, Vec<Misplaced>), Failure> {
        let (mut looked_at, mut misplaced) = (0, Vec::new());
        for stored in self.store.merchants().await? {
            looked_at += 1;
            let id = stored.merchant.id.clone();
            told.added.remove(id.as_str());
            let replaced = told.replaced.iter().filter(|replaced| **replaced == id.as_str()).count();
            if !self.vouches_for(|| stored.fields(), &stored.mac).await? {
                misplaced.push(Misplaced::ForgedMerchant(id.clone()));
            } else if stored.revision < replaced as u64 {
                misplaced.push(Misplaced::OldOrigins(id.clone()));
            }
            for key in self.store.api_keys(&id).await? {
                looked_at += 1;
                told.added.remove(key.id.as_str());
                if !self.vouches_for(|| key.fields(), &key.mac).await? {
                    misplaced.push(Misplaced::ForgedKey(key.id));
                } else if key.revoked_at.is_none() && told.revoked.contains(key.id.as_str()) {
                    misplaced.push(Misplaced::Unrevoked(key.id));
                }
            }
        }
        let mut missing: Vec<_> = told.added.into_iter().map(Misplaced::Missing).collect();
        missing.sort_by_key(ToString::to_string);
        misplaced.extend(missing);
        Ok((looked_at, misplaced))
    }

    /// Whether there are rows after the end, which no transaction leaves there.
    async fn has_surplus(&self, merchant: Option<&MerchantId>, end: u64) -> Result<bool, Failure> {
        let after = self.store.audit_rows(merchant, end, 1).await?;
        let Some(row) = after.first() else { return Ok(false) };
        // A row that was added since the end was read is known to the end by now.
        let heads = self.store.audit_heads().await?;
        Ok(!heads.iter().any(|head| head.merchant.as_ref() == merchant && head.seq >= row.seq))
    }
}

impl Told {
    fn hear(&mut self, entry: Entry) {
        match entry.action {
            Action::AddKey | Action::AddMerchant => drop(self.added.insert(entry.subject)),
            Action::ReplaceOrigins => self.replaced.push(entry.subject),
            Action::RevokeKey => drop(self.revoked.insert(entry.subject)),
            _ => {}
        }
    }
}

impl fmt::Display for Misplaced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForgedKey(key) => write!(formatter, "{key} is not what the vault wrote there"),
            Self::ForgedMerchant(merchant) => {
                write!(formatter, "{merchant} or an origin of it is not what the vault wrote there")
            }
            Self::Missing(id) => write!(formatter, "{id} is missing"),
            Self::OldOrigins(merchant) => write!(formatter, "{merchant} has origins that were replaced"),
            Self::Unrevoked(key) => write!(formatter, "{key} was revoked and is valid"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(formatter, "row {seq} is not what the vault wrote there"),
            Self::Cut(seq) => write!(formatter, "row {seq} and what followed was cut off"),
            Self::Missing(seq) => write!(formatter, "row {seq} is missing"),
            Self::Regrown(seq) => {
                write!(formatter, "row {seq} was another: the chain was cut, and has grown again")
            }
            Self::Surplus(seq) => write!(formatter, "there are rows after the last, which is row {seq}"),
        }
    }
}
