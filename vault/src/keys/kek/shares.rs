//! Split knowledge (PCI DSS 3.7.6): a key-encryption key in as many shares as there are custodians, all of which are
//! needed.
//!
//! The shares are uniformly random and the key is their exclusive or. Whoever has all shares but one knows nothing of
//! the key: for every key there is one last share that gives it, and all last shares are equally likely.
//!
//! ```text
//! share.2of3.5f1c9a2b.6v0m…(43 letters)….0d4e7a91
//!       │    │        │                  └ checksum against slips of the pen: SHA-256 of what is before it, 32 bits
//!       │    │        └ 32 bytes in base64url (RFC 4648 section 5)
//!       │    └ which set it belongs to; random, and the same in all of its shares
//!       └ which share of how many
//! ```

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::super::Sha256Digest;
use super::super::gcm::KEY_BYTES;
use super::file::{self, FileError, Secret};
use super::{Kek, SourceError, random};

/// How many shares a key has, all of which are needed: 2 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(u8);

impl Count {
    /// With one share there would be no split.
    pub const LEAST: u8 = 2;
    /// More would not all be found on the day they are needed.
    pub const MOST: u8 = 16;

    /// Takes 2 to 16.
    ///
    /// # Errors
    /// [`SourceError::ShareCount`]
    pub const fn new(count: u8) -> Result<Self, SourceError> {
        match count {
            Self::LEAST..=Self::MOST => Ok(Self(count)),
            _ => Err(SourceError::ShareCount),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for Count {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        Self::new(text.parse().map_err(|_| SourceError::ShareCount)?)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One custodian's share.
pub struct Share {
    index: u8,
    of: Count,
    set: SetId,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// Tells sets of shares apart. Random: says nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SetId(u32);

impl Share {
    /// The shares of a new key, which is nowhere itself.
    #[must_use]
    pub fn new_set(of: Count) -> Vec<Self> {
        let set = SetId(u32::from_be_bytes(*random()));
        (1..=of.get()).map(|index| Self { index, of, set, bytes: random() }).collect()
    }

    /// Reads a share; white space around it is no part of it.
    ///
    /// # Errors
    /// [`Refused::Malformed`], [`Refused::Mistyped`]
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        let (body, sum) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let mut parts = body.split('.');
        let (Some("share"), Some(place), Some(set), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::Malformed);
        };
        // First of all: what is wrong with a mistyped share does not matter.
        if sum != checksum(body) {
            return Err(Refused::Mistyped);
        }
        let (index, of) = place.split_once("of").ok_or(Refused::Malformed)?;
        let of: Count = of.parse().map_err(|_| Refused::Malformed)?;
        let index =
            index.parse().ok().filter(|index| (1..=of.get()).contains(index)).ok_or(Refused::Malformed)?;
        let set = SetId(u32::from_str_radix(set, 16).map_err(|_| Refused::Malformed)?);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        Base64UrlUnpadded::decode(secret, &mut *bytes).map_err(|_| Refused::Malformed)?;
        let share = Self { index, of, set, bytes };
        // Each share has one text: no sign, no zero in front, nothing cut off.
        if *share.expose() == *text { Ok(share) } else { Err(Refused::Malformed) }
    }

    /// Its text, for its custodian only.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        // As long as it gets: a text that moved would leave a copy.
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_BYTES));
        let place = format!("share.{}of{}.{:08x}.", self.index, self.of, self.set.0);
        text.push_str(&place);
        text.push_str(&Zeroizing::new(Base64UrlUnpadded::encode_string(&*self.bytes)));
        let sum = checksum(&text);
        text.push('.');
        text.push_str(&sum);
        text
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Share({} of {}, set {:08x})", self.index, self.of, self.set.0)
    }
}

/// Bytes of the longest share, and some.
pub(super) const MAX_TEXT_BYTES: usize = 128;

fn checksum(text: &str) -> String {
    let digest = Sha256Digest::of(text.as_bytes());
    digest.as_bytes()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key that has not all of its shares yet. Keeps their exclusive or, not the shares.
#[derive(Debug)]
pub struct Locked {
    needed: Count,
    /// The set that the first share belongs to.
    begun: Option<Begun>,
}

struct Begun {
    set: SetId,
    taken: BTreeSet<u8>,
    joined: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Begun(shares {:?} of set {:08x})", self.taken, self.set.0)
    }
}

/// What a share did.
#[derive(Debug)]
pub enum Taken {
    /// It was the last.
    All(Kek),
    /// This many are there now.
    More(u8),
}

impl Locked {
    /// Waits for so many shares.
    #[must_use]
    pub const fn new(needed: Count) -> Self {
        Self { needed, begun: None }
    }

    /// How many shares it takes.
    #[must_use]
    pub const fn needed(&self) -> Count {
        self.needed
    }

    /// Takes a share. With the last it gives the key, and has none of the shares any more.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    pub fn take(&mut self, share: &Share) -> Result<Taken, Refused> {
        if share.of != self.needed {
            return Err(Refused::OtherCount { of: share.of.get(), needed: self.needed.get() });
        }
        let begun = self.begun.get_or_insert_with(|| Begun {
            set: share.set,
            taken: BTreeSet::new(),
            joined: Zeroizing::new([0; KEY_BYTES]),
        });
        if share.set != begun.set {
            return Err(Refused::OtherSet);
        }
        if !begun.taken.insert(share.index) {
            return Err(Refused::Again { index: share.index });
        }
        for (joined, byte) in begun.joined.iter_mut().zip(share.bytes.iter()) {
            *joined ^= byte;
        }
        let count = begun.taken.len();
        if count < usize::from(self.needed.get()) {
            return Ok(Taken::More(count as u8));
        }
        let kek = Kek::from_key(&begun.joined);
        self.begun = None;
        Ok(Taken::All(kek))
    }
}

/// One file for each custodian's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareFiles {
    paths: Vec<PathBuf>,
    count: Count,
}

impl ShareFiles {
    /// Takes 2 to 16 paths, each another.
    ///
    /// # Errors
    /// [`SourceError::ShareCount`], [`SourceError::SameFile`]
    pub fn new(paths: Vec<PathBuf>) -> Result<Self, SourceError> {
        let count = u8::try_from(paths.len()).map_err(|_| SourceError::ShareCount).and_then(Count::new)?;
        if paths.iter().collect::<HashSet<_>>().len() < paths.len() {
            return Err(SourceError::SameFile);
        }
        Ok(Self { paths, count })
    }

    /// Writes the shares of a new key, each to its file. If one cannot be written, none is left.
    pub(super) fn create(&self) -> Result<(), SharesError> {
        let shares = Share::new_set(self.count);
        for (index, (path, share)) in self.paths.iter().zip(&shares).enumerate() {
            if let Err(error) = file::write_new(Secret::Share, path, &share.expose()) {
                for path in &self.paths[..index] {
                    // One that cannot be removed does no harm: it is of a key that nobody has.
                    let _ = fs::remove_file(path);
                }
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// The key that the shares make.
    #[expect(clippy::expect_used, reason = "as many shares as are needed were taken, each once")]
    pub(super) fn join(&self) -> Result<Kek, SharesError> {
        let mut locked = Locked::new(self.count);
        let mut kek = None;
        for path in &self.paths {
            let text = file::read(Secret::Share, path)?;
            let taken = Share::parse(&text).and_then(|share| locked.take(&share));
            match taken.map_err(|refused| SharesError::Refused { path: path.clone(), refused })? {
                Taken::All(joined) => kek = Some(joined),
                Taken::More(_) => {}
            }
        }
        Ok(kek.expect("the last share"))
    }
}

impl fmt::Display for ShareFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.paths.iter().enumerate() {
            write!(formatter, "{}{}", if index == 0 { "" } else { "," }, path.display())?;
        }
        Ok(())
    }
}

/// Why files with shares give no key. The operator's to put right.
#[derive(Debug, Error)]
pub enum SharesError {
    /// A file cannot be had, or not safely.
    #[error(transparent)]
    File(#[from] FileError),
    /// A share does not fit.
    #[error("the share file {path} was not taken: {refused}", path = .path.display())]
    Refused {
        /// The share's file.
        path: PathBuf,
        /// What is wrong with it.
        refused: Refused,
    },
}

/// Why a share was not taken. The custodian's to put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Deserialize, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refused {
    /// This share has been taken before.
    #[error("share {index} was brought already; bring another custodian's")]
    Again {
        /// Which it is.
        index: u8,
    },
    /// It has another form.
    #[error("it is no share: a share is one line that begins with \"share.\"")]
    Malformed,
    /// A letter is wrong.
    #[error("a letter of it is wrong; compare it with what was written down, and bring it again")]
    Mistyped,
    /// Its set has another number of shares.
    #[error("it is one of {of} shares, and {needed} are asked for; bring one of the right set")]
    OtherCount {
        /// How many its set has.
        of: u8,
        /// How many are asked for.
        needed: u8,
    },
    /// It belongs to another key than the shares before.
    #[error(
        "it belongs to another set than the shares before it; bring one of theirs, or start the vault again and \
         bring all of this one"
    )]
    OtherSet,
    /// All shares are there, and the key they make is another.
    #[error("the shares make a key, but not this vault's; they were dropped: bring all of the right set")]
    WrongKey,
}
