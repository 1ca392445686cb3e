//! What a vault does: it makes tokens of cards and charges them.

mod access;
mod accounts;
mod acquirers;
mod audit;
mod callbacks;
mod cancellation;
mod charges;
mod clock;
mod counts;
mod customers;
mod enumeration;
mod erasure;
mod events;
mod key_uses;
mod known;
mod maintenance;
mod pci_tokens;
mod readiness;
mod refusals;
mod rekey;
mod secrets;
mod stored_methods;
mod tokens;
mod vendor_tokens;
mod webhooks;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;

use crate::acquirer::Acquirers;
use crate::data_dir::DataDir;
use crate::keys::data::MOST_ENCRYPTIONS;
use crate::keys::kek::Source;
use crate::keys::{Keys, KeysError};
use crate::seal::Opener;
use crate::store::{Location, Store, StoreError, Waits};
use crate::test_card::TestCards;
use crate::time::{Clock, Pauses};
use crate::vendor::{self, VendorError, Vendors};
use crate::webhook::{Reach, Sender};

pub use accounts::{ConnectError, Offer};
pub use audit::{Audited, Chain, Flaw, Misplaced};
pub use callbacks::{CALLBACK_ACCESS, Subject, TakenIn};
pub use cancellation::AnswerBy;
pub use charges::ChargeError;
pub use counts::{ChargeLabels, Counts, ModeLabel, TokenLabels};
pub use customers::KeepError;
pub use enumeration::{Guard, TooManyAlike};
pub use known::KNOWN_FOR;
pub use maintenance::Done;
pub use pci_tokens::PciTokenError;
pub use readiness::{Health, Readiness};
pub use refusals::Refused;
pub use tokens::{NotATestCard, TokenizeError};
pub use vendor_tokens::{Use, VendorTokenError};
pub use webhooks::{MOST_WEBHOOKS, WebhookError};

use key_uses::KeyUses;
use known::Known;
use maintenance::Process;
use refusals::Refusals;
use rekey::Rekeying;

/// A running vault.
#[derive(Debug)]
pub struct Vault {
    store: Store,
    known: Known,
    key_uses: KeyUses,
    keys: Arc<Keys>,
    opener: Opener,
    acquirers: Acquirers,
    vendors: Vendors,
    clock: Clock,
    pauses: Pauses,
    policy: Policy,
    /// Charges under way. They go on when the client hangs up: its server would not know whether money was taken.
    charging: TaskTracker,
    /// Sealed cards on their way to vendors. They go on for the same reason.
    relaying: TaskTracker,
    sender: Sender,
    test_webhooks: Reach,
    /// Webhooks that events are being sent to.
    delivering: TaskTracker,
    /// Rings when this process has told of an event.
    news: Notify,
    rekeying: Mutex<Rekeying>,
    audit_heads: Option<PathBuf>,
    refusals: Refusals,
    counts: Counts,
}

/// What a vault is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where its database is.
    pub location: Location,
    /// How long it waits for its database.
    pub waits: Waits,
    /// Where its key-encryption key is.
    pub kek: Source,
    /// Who takes charges.
    pub acquirers: Acquirers,
    /// Where the vendors are.
    pub vendors: vendor::settings::Settings,
    /// What tells it the time. It is the vault's own: no other one of another database goes by it.
    pub clock: Clock,
    /// What lets time pass before a vendor is asked again.
    pub pauses: Pauses,
    /// How long it keeps what.
    pub policy: Policy,
    /// A file that the heads of the audit's chains are written into, beside the log.
    pub audit_heads: Option<PathBuf>,
    /// How far test merchants' webhooks may lead.
    pub test_webhooks: Reach,
}

impl Setup {
    /// A vault in a folder, with its database's clock and everything else as it is unless something else is said.
    #[must_use]
    pub fn in_folder(dir: DataDir) -> Self {
        Self {
            kek: Source::File(dir.kek()),
            location: Location::Folder(dir),
            waits: Waits::SERVING,
            acquirers: Acquirers::default(),
            vendors: vendor::settings::Settings::default(),
            clock: Clock::system(),
            pauses: Pauses::system(),
            policy: Policy::default(),
            audit_heads: None,
            test_webhooks: Reach::default(),
        }
    }
}

/// How long a vault keeps what, and how much it lets by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a token can be used.
    pub token_lifetime: Duration,
    /// How long a security code is kept for the charge that is to follow. It never outlives the charge (PCI DSS 3.3.1).
    pub security_code_lifetime: Duration,
    /// How long events are kept, and what tells that a token was used.
    pub event_lifetime: Duration,
    /// How old a sealing key gets before the next takes over.
    pub sealing_key_age: Duration,
    /// How old a data key gets before the next takes over. What it encrypted is put under the next while the vault serves.
    pub data_key_age: Duration,
    /// How much a data key encrypts before the next takes over.
    pub data_key_encryptions: u64,
    /// How many numbers that begin and end alike become tokens in a day.
    pub guard: Guard,
    /// Which cards test merchants' keys take.
    pub test_cards: TestCards,
    /// How long a sealing key that is no longer active opens seals: longer than any browser keeps the set of keys (five
    /// minutes) or a checkout page open.
    pub decrypt_only: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(30 * 60),
            security_code_lifetime: Duration::from_secs(15 * 60),
            event_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            sealing_key_age: Duration::from_secs(90 * 24 * 60 * 60),
            data_key_age: Duration::from_secs(365 * 24 * 60 * 60),
            data_key_encryptions: MOST_ENCRYPTIONS,
            decrypt_only: Duration::from_secs(24 * 60 * 60),
            guard: Guard::default(),
            test_cards: TestCards::default(),
        }
    }
}

impl Vault {
    /// Opens a vault, and makes its tables and keys when it is new.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(setup: Setup) -> Result<Arc<Self>, OpenError> {
        Self::open_telling(setup, &mut io::sink()).await
    }

    /// The same, telling `out` what custodians have to do where they bring the key-encryption key.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open_telling(setup: Setup, out: &mut (impl Write + Send)) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(&setup.location, setup.waits).await?;
        Self::open_on(store, setup, out).await
    }

    /// The same on its store, for whoever has waited for that.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open_on(
        store: Store,
        setup: Setup,
        out: &mut (impl Write + Send),
    ) -> Result<Arc<Self>, OpenError> {
        let Setup {
            location,
            // The store goes by them.
            waits: _,
            kek,
            acquirers,
            vendors,
            clock,
            pauses,
            policy,
            audit_heads,
            test_webhooks,
        } = setup;
        let vendors = Vendors::open(vendors)?;
        let store = match &audit_heads {
            Some(file) => store.telling_heads(file)?,
            None => store,
        };
        clock::set(&clock, &store).await?;
        let door = location.door();
        let keys = Arc::new(Keys::open(&kek, &door, &store, clock.now(), out).await?);
        let opener = Opener::new(Arc::clone(&keys), clock.clone(), policy.decrypt_only);
        Ok(Arc::new(Self {
            store,
            known: Known::new(),
            key_uses: KeyUses::default(),
            keys,
            opener,
            acquirers,
            vendors,
            clock,
            pauses,
            policy,
            charging: TaskTracker::new(),
            relaying: TaskTracker::new(),
            sender: Sender::within(test_webhooks),
            test_webhooks,
            delivering: TaskTracker::new(),
            news: Notify::new(),
            rekeying: Mutex::default(),
            audit_heads,
            refusals: Refusals::default(),
            counts: Counts::default(),
        }))
    }

    /// What it keeps.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// How far test merchants' webhooks may lead.
    #[must_use]
    pub const fn test_webhooks(&self) -> Reach {
        self.test_webhooks
    }

    /// The file that the heads of the audit's chains are written into.
    #[must_use]
    pub const fn audit_heads(&self) -> Option<&PathBuf> {
        self.audit_heads.as_ref()
    }

    /// The vault's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What tells it the time.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The vendors as it reaches them.
    #[must_use]
    pub const fn vendors(&self) -> &Vendors {
        &self.vendors
    }

    /// What it has done since it started.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Waits for the charges, relayed cards and deliveries under way and closes the store. Nobody may be given the vault any more.
    pub async fn close(&self) {
        self.delivering.close();
        self.charging.close();
        self.relaying.close();
        self.charging.wait().await;
        self.relaying.wait().await;
        self.delivering.wait().await;
        self.write_last_refusals().await;
        if let Err(error) = self.count_encryptions(Process::Ends).await {
            tracing::error!(%error, "what was encrypted last is not counted");
        }
        self.store.close().await;
    }
}

/// Why a vault cannot start. The operator's to put right.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its keys could not be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its database could not be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A vendor cannot be reached as it is set up.
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// The vault's own fault. Trying again may help.
#[derive(Debug, Error)]
pub enum Failure {
    /// A row of this table is not what the vault wrote there: somebody changed the database.
    #[error("a row of {0} is not what the vault wrote there")]
    Forged(&'static str),
    /// The keys could not be read anew.
    #[error(transparent)]
    Keys(KeysError),
    /// There is no key to encrypt with: the clock stands before the time of the first one.
    #[error("no {0} key is active; the clock may be wrong")]
    NoActiveKey(&'static str),
    /// A charge's task ended without an answer.
    #[error("a task panicked")]
    Panicked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No connection to a vendor can be made. The operator's to put right.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// Something in the store does not belong where it is: somebody changed the database.
    #[error("a ciphertext in the database was changed or moved")]
    Tampered,
    /// A plaintext is not what was encrypted there: a bug.
    #[error("the stored {0} cannot be read")]
    Unreadable(&'static str),
}

impl Failure {
    /// Whether the database will do again what it cannot do now.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_temporary())
    }
}

impl From<KeysError> for Failure {
    /// A store that fails is the store's failure, whatever was read from it.
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => Self::Store(error),
            error => Self::Keys(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Trouble;

    #[test]
    fn keys_that_cannot_be_read_now_are_a_store_that_fails_for_a_while() {
        let failure = Failure::from(KeysError::Store(StoreError::Unavailable(Trouble::Busy)));
        assert!(matches!(failure, Failure::Store(error) if error.is_temporary()));
    }
}
