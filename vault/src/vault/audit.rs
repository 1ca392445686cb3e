//! The audit: adding to it, and looking whether anybody else did.

use std::fmt;
use std::sync::Arc;

use super::{Failure, Vault};
use crate::audit::{Action, Actor, Entry, is_genuine};
use crate::id::MerchantId;
use crate::keys::mac::MacKey;
use crate::token::Line;

/// What a chain was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Whose it is; none for the vault's own.
    pub merchant: Option<MerchantId>,
    /// How many rows were looked at.
    pub rows: u64,
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
    /// The MAC of its last row in hexadecimal digits, to be kept elsewhere: who puts an old copy of the whole chain in
    /// its place cannot make it appear in that copy.
    pub head: String,
}

/// What is wrong with a chain: the first thing that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A row is not what the vault wrote there: changed, moved, or put in.
    Changed(u64),
    /// Rows from this number on are missing.
    Missing(u64),
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
        actor: Actor,
        action: Action,
        subject: &str,
        reason: Option<Line>,
    ) -> Result<(), Failure> {
        let entry = self.audit_entry(merchant, actor, action, subject, reason);
        Ok(self.store.audit(&*self.audit_key()?, &entry).await?)
    }

    pub(super) fn audit_entry(
        &self,
        merchant: Option<&MerchantId>,
        actor: Actor,
        action: Action,
        subject: &str,
        reason: Option<Line>,
    ) -> Entry {
        let (merchant, subject) = (merchant.cloned(), subject.to_owned());
        Entry { merchant, at: self.clock.now(), actor, action, subject, reason }
    }

    pub(super) fn audit_key(&self) -> Result<Arc<MacKey>, Failure> {
        let rings = self.keys.rings();
        let held = rings.audit.active(self.clock.now()).ok_or(Failure::NoActiveKey("audit"))?;
        Ok(Arc::clone(&held.key))
    }

    /// Looks at every row of every chain.
    ///
    /// # Errors
    /// [`Failure`]; a chain with a flaw is none.
    pub async fn verify_audit(&self) -> Result<Vec<Chain>, Failure> {
        let heads = self.store.audit_heads().await?;
        let mut whose = self.store.audited().await?;
        whose.extend(heads.iter().map(|head| head.merchant.clone()));
        whose.sort();
        whose.dedup();

        let mut chains = Vec::with_capacity(whose.len());
        for merchant in whose {
            let end = heads.iter().find(|head| head.merchant == merchant);
            let end = end.map_or((0, &[][..]), |head| (head.seq, &*head.mac));
            chains.push(self.verify_chain(merchant, end).await?);
        }
        Ok(chains)
    }

    async fn verify_chain(
        &self,
        merchant: Option<MerchantId>,
        (end, end_mac): (u64, &[u8]),
    ) -> Result<Chain, Failure> {
        let rings = self.keys.rings();
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
                (seq, previous) = (row.seq, row.mac);
            }
        }
        if flaw.is_none() {
            flaw = if seq < end {
                Some(Flaw::Missing(seq + 1))
            } else if previous != end_mac {
                Some(Flaw::Changed(seq))
            } else if self.has_surplus(merchant.as_ref(), end).await? {
                Some(Flaw::Surplus(end))
            } else {
                None
            };
        }
        let head = previous.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Chain { merchant, rows: seq, flaw, head })
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

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(formatter, "row {seq} is not what the vault wrote there"),
            Self::Missing(seq) => write!(formatter, "row {seq} is missing"),
            Self::Surplus(seq) => write!(formatter, "there are rows after the last, which is row {seq}"),
        }
    }
}
