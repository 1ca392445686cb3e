//! Opening what a browser sealed, and judging what is inside.

use std::sync::Arc;
use std::time::Duration;

use cardseal::card::{Field, Reason, YearMonth};
use cardseal::client::Pkey;
use cardseal::seal::{Compact, Envelope, envelope};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keys::Keys;
use crate::keys::gcm::Unopened;
use crate::merchant::Mode;
use crate::time::{Clock, Timestamp};

/// How far a seal's time may lie from the vault's, before or after. A form seals when its holder submits, so age is the
/// network's; the rest is for clocks that are off. Whose clock is off by more learns the time from the answer's `Date`.
pub const TIME_WINDOW: Duration = Duration::from_secs(5 * 60);

/// Opens seals, on the thread of whoever asks: an RSA operation takes as long as the one in each TLS handshake, which
/// is done there too, and handing it to another thread costs a tenth of it.
#[derive(Debug)]
pub struct Opener {
    keys: Arc<Keys>,
    clock: Clock,
    /// How long a key that is no longer active opens seals.
    decrypt_only: Duration,
}

/// How a plaintext is read: as one of the shapes of a card, in the month that its expiry is held against.
pub type Read<C> = fn(&[u8], YearMonth) -> Result<Envelope<C>, envelope::Refused>;

/// What was in a seal, until it is known whether it is its sender's.
#[derive(Debug)]
pub struct Opened<C>(Envelope<C>);

impl<C> Opened<C> {
    /// The public key that it was sealed for.
    #[must_use]
    pub const fn merchant(&self) -> &Pkey {
        &self.0.merchant
    }

    /// What was in it, for a sender whose that public key is.
    ///
    /// # Errors
    /// [`Refused::WrongMerchant`]
    pub fn sent_by(self, is_senders: bool) -> Result<Envelope<C>, Refused> {
        if is_senders { Ok(self.0) } else { Err(Refused::WrongMerchant) }
    }
}

/// Why a seal was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The card inside is wrong. The cardholder's fault.
    #[error("the card's {field} is wrong", field = .0.id())]
    Card(Field, Option<Reason>),
    /// Its time is not the vault's. The fault of a clock or of somebody who kept it; a new seal may do.
    #[error("the seal is too old or from the future")]
    Expired,
    /// It is no seal, or does not open. Says no more on purpose (RFC 7516 section 11.5).
    #[error("the seal does not open")]
    Invalid,
    /// Sealed to a key the vault does not have. Sealing to a key of the present set helps.
    #[error("the seal's key is not known")]
    UnknownKid,
    /// Sealed for another merchant's key.
    #[error("the seal is another merchant's")]
    WrongMerchant,
}

impl Opener {
    /// An opener with these keys.
    #[must_use]
    pub const fn new(keys: Arc<Keys>, clock: Clock, decrypt_only: Duration) -> Self {
        Self { keys, clock, decrypt_only }
    }

    /// Opens a JWE in compact form that a page of a merchant of this mode has sealed, and reads what is in it.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn open<C>(&self, mode: Mode, jwe: &str, read: Read<C>) -> Result<Opened<C>, Refused> {
        let plaintext = self.plaintext(mode, jwe)?;
        let now = self.clock.now();
        let envelope = read(&plaintext, now.month()).map_err(|refused| match refused {
            envelope::Refused::Malformed => Refused::Invalid,
            envelope::Refused::Incomplete(field) => Refused::Card(field, None),
            envelope::Refused::Invalid(field, reason) => Refused::Card(field, Some(reason)),
        })?;
        if Timestamp::from_unix_seconds(envelope.issued_at).distance(now) > TIME_WINDOW {
            return Err(Refused::Expired);
        }
        Ok(Opened(envelope))
    }

    fn plaintext(&self, mode: Mode, jwe: &str) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let seal = Compact::parse(jwe).map_err(|_| Refused::Invalid)?;
        let rings = self.keys.rings();
        let key = rings.opens(mode, seal.kid(), self.clock.now(), self.decrypt_only);
        let key = key.ok_or(Refused::UnknownKid)?;
        key.open(&seal).map_err(|Unopened| Refused::Invalid)
    }
}
