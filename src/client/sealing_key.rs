//! The key that a vault, or a vendor behind it, has cards sealed to.

use std::cell::RefCell;

use super::connection::{Connection, read};
use super::{Cache, Error, Profile, RequestId, Transport};
use crate::seal::{Algorithm, KeySet, PublicKey};

/// A key that is fetched when it is first needed, and kept.
#[derive(Debug)]
pub(super) struct SealingKey {
    place: Place,
    algorithm: Algorithm,
    known: RefCell<Option<PublicKey>>,
}

/// Where the vault shows the key set.
#[derive(Debug)]
enum Place {
    /// The vault's own keys, for everybody.
    WellKnown,
    /// A vendor's, for merchants that have an account there.
    Profile(Profile),
}

impl SealingKey {
    /// That of the vault itself.
    pub(super) const fn of_vault() -> Self {
        Self::new(Place::WellKnown, Algorithm::RsaOaep256)
    }

    /// That of a vendor.
    pub(super) const fn of_vendor(profile: Profile, algorithm: Algorithm) -> Self {
        Self::new(Place::Profile(profile), algorithm)
    }

    const fn new(place: Place, algorithm: Algorithm) -> Self {
        Self { place, algorithm, known: RefCell::new(None) }
    }

    /// The key: the one at hand, else the first usable one of the set.
    pub(super) async fn get<T: Transport>(
        &self,
        connection: &Connection<T>,
        id: &RequestId,
    ) -> Result<PublicKey, Error> {
        let known = self.known.borrow().clone();
        match known {
            Some(key) => Ok(key),
            None => self.fetch(connection, Cache::Default, id).await,
        }
    }

    /// Fetches it anew, past every cache: the one at hand is not known any more where cards are opened.
    pub(super) async fn renew<T: Transport>(
        &self,
        connection: &Connection<T>,
        id: &RequestId,
    ) -> Result<(), Error> {
        *self.known.borrow_mut() = None;
        self.fetch(connection, Cache::Reload, id).await.map(drop)
    }

    async fn fetch<T: Transport>(
        &self,
        connection: &Connection<T>,
        cache: Cache,
        id: &RequestId,
    ) -> Result<PublicKey, Error> {
        let answer = match self.place {
            Place::WellKnown => connection.get_public("/.well-known/jwks.json", cache).await?,
            Place::Profile(profile) => connection.get(&profile.path(), cache, id).await?,
        };
        let key = read::<KeySet>(answer)?.sealing_key(self.algorithm).map_err(Error::Key)?;
        *self.known.borrow_mut() = Some(key.clone());
        Ok(key)
    }
}
