//! The key that a vault, or a vendor behind it, has cards sealed to.

use std::cell::RefCell;
use std::rc::Rc;

use super::connection::{Connection, Pending, read};
use super::{Answer, Cache, Error, Profile, RequestId, Transport};
use crate::seal::{Algorithm, KeySet, PublicKey};

/// A key that is fetched when it is first needed, and kept.
#[derive(Debug)]
pub(super) struct SealingKey {
    place: Place,
    algorithm: Algorithm,
    /// Whether it is for real cards.
    live: bool,
    known: RefCell<Option<Rc<PublicKey>>>,
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
    pub(super) const fn of_vault(live: bool) -> Self {
        Self::new(Place::WellKnown, Algorithm::RsaOaep256, live)
    }

    /// That of a vendor.
    pub(super) const fn of_vendor(profile: Profile, algorithm: Algorithm, live: bool) -> Self {
        Self::new(Place::Profile(profile), algorithm, live)
    }

    const fn new(place: Place, algorithm: Algorithm, live: bool) -> Self {
        Self { place, algorithm, live, known: RefCell::new(None) }
    }

    /// The key: the one at hand, else the first usable one of the set. With [`Cache::Reload`] it is fetched anyway: the one
    /// at hand is not known any more where cards are opened.
    pub(super) fn get<'a, T: Transport>(
        &'a self,
        connection: &'a Connection<T>,
        cache: Cache,
        id: &'a RequestId,
    ) -> Pending<'a, Rc<PublicKey>> {
        Box::pin(async move {
            if cache == Cache::Reload {
                self.known.take();
            }
            if let Some(key) = self.known() {
                return Ok(key);
            }
            let answer = match self.place {
                Place::WellKnown => connection.get_public("/.well-known/jwks.json", cache),
                Place::Profile(profile) => connection.get(&profile.path(), cache, id),
            };
            self.learn(&answer.await?)
        })
    }

    fn known(&self) -> Option<Rc<PublicKey>> {
        self.known.borrow().clone()
    }

    fn learn(&self, answer: &Answer) -> Result<Rc<PublicKey>, Error> {
        let key = read::<KeySet>(answer)?.sealing_key(self.algorithm, self.live).map_err(Error::Key)?;
        let key = Rc::new(key);
        *self.known.borrow_mut() = Some(Rc::clone(&key));
        Ok(key)
    }
}
