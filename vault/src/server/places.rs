//! Places for connections, and who gives one up when there is none left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::access::client::{Client, Proxy};
use crate::config::Connections;

/// The places for connections. Clones tell of the same ones.
///
/// When none is left, a newcomer gets that of the connection that has waited longest for its client, of the client that has
/// most of them: one client with ever so many takes places from itself, and never from others. A connection waits for
/// its client while it is idle, while a request comes, and while an answer is taken; it does not while the vault works.
#[derive(Clone, Debug)]
pub struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    total: Connections,
    /// Peers whose connections are those of many clients, and are never taken away.
    exempt: Vec<Proxy>,
    table: Mutex<Table>,
    /// Rings when there may be a place for a newcomer that found none.
    freed: Notify,
}

impl Places {
    /// Places for so many, all of them free.
    #[must_use]
    pub fn new(total: Connections) -> Self {
        Self::sparing(total, Vec::new())
    }

    /// The same, of which those of these peers are never taken away: behind each are many clients.
    #[must_use]
    pub fn sparing(total: Connections, exempt: Vec<Proxy>) -> Self {
        Self { inner: Arc::new(Inner { total, exempt, table: Mutex::default(), freed: Notify::new() }) }
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.inner.table().places.len() as u64
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inner.total.get().into()
    }

    /// A place for a connection from `peer`. It waits only if the vault works for each connection that there is.
    pub(super) async fn take(&self, peer: IpAddr) -> Place {
        loop {
            if let Some(place) = self.try_take(peer) {
                return place;
            }
            self.inner.freed.notified().await;
        }
    }

    fn try_take(&self, peer: IpAddr) -> Option<Place> {
        let is_exempt = self.inner.exempt.iter().any(|proxy| proxy.contains(peer));
        let client = (!is_exempt).then(|| Client::of(peer, iter::empty(), &[]));
        let mut table = self.inner.table();
        if table.places.len() >= self.inner.total.get() as usize && !table.take_away(client) {
            return None;
        }
        let (id, cut) = table.add(client);
        Some(Place { inner: Arc::clone(&self.inner), id, cut })
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        // Whoever panicked did not do so between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    inner: Arc<Inner>,
    id: u64,
    cut: CancellationToken,
}

impl Place {
    /// Waits until the place is taken away.
    pub(super) async fn taken_away(&self) {
        self.cut.cancelled().await;
    }

    /// A request is there in full, and the vault works.
    pub(super) fn works(&self) {
        self.inner.table().works(self.id);
    }

    /// It is the client's turn.
    pub(super) fn waits(&self) {
        self.inner.table().waits(self.id);
        self.inner.freed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.table().remove(self.id);
        self.inner.freed.notify_one();
    }
}

#[derive(Debug, Default)]
struct Table {
    places: HashMap<u64, Taken>,
    crowds: HashMap<Client, Crowd>,
    /// The clients of whom a place can be taken, the greediest last.
    greed: BTreeSet<Greed>,
    /// The next of the numbers that tell what came first.
    next: u64,
}

#[derive(Debug)]
struct Taken {
    /// None for one that is never taken away.
    client: Option<Client>,
    cut: CancellationToken,
    /// Since when it has waited.
    waits_since: Option<u64>,
}

/// A client's places.
#[derive(Debug, Default)]
struct Crowd {
    size: usize,
    /// Those that wait, by since when.
    waiting: BTreeMap<u64, u64>,
}

/// How many places a client has, and of those with as many, since when one of them has waited.
type Greed = (usize, Reverse<u64>, Client);

impl Crowd {
    fn greed(&self, client: Client) -> Option<Greed> {
        let (since, _) = self.waiting.first_key_value()?;
        Some((self.size, Reverse(*since), client))
    }
}

impl Table {
    fn add(&mut self, client: Option<Client>) -> (u64, CancellationToken) {
        let (id, cut) = (self.number(), CancellationToken::new());
        self.places.insert(id, Taken { client, cut: cut.clone(), waits_since: None });
        self.change(client, |crowd| crowd.size += 1);
        self.waits(id);
        (id, cut)
    }

    fn remove(&mut self, id: u64) {
        self.works(id);
        if let Some(place) = self.places.remove(&id) {
            self.change(place.client, |crowd| crowd.size -= 1);
        }
    }

    fn waits(&mut self, id: u64) {
        let since = self.number();
        if let Some(place) = self.places.get_mut(&id)
            && place.waits_since.is_none()
        {
            place.waits_since = Some(since);
            let client = place.client;
            self.change(client, |crowd| {
                crowd.waiting.insert(since, id);
            });
        }
    }

    fn works(&mut self, id: u64) {
        if let Some(place) = self.places.get_mut(&id)
            && let Some(since) = place.waits_since.take()
        {
            let client = place.client;
            self.change(client, |crowd| {
                crowd.waiting.remove(&since);
            });
        }
    }

    /// Takes a place from the client that has most of them, the newcomer's own counted; false if none can be taken.
    fn take_away(&mut self, newcomer: Option<Client>) -> bool {
        let own = newcomer.and_then(|client| self.crowds.get(&client)?.greed(client));
        let greediest = match (own, self.greed.last()) {
            (Some(own), Some(other)) if own.0 + 1 >= other.0 => own,
            (_, Some(other)) => *other,
            (_, None) => return false,
        };
        let Some((_, id)) = self.crowds.get(&greediest.2).and_then(|crowd| crowd.waiting.first_key_value())
        else {
            return false;
        };
        let id = *id;
        if let Some(place) = self.places.get(&id) {
            place.cut.cancel();
        }
        self.remove(id);
        true
    }

    fn change(&mut self, client: Option<Client>, change: impl FnOnce(&mut Crowd)) {
        let Some(client) = client else { return };
        let crowd = self.crowds.entry(client).or_default();
        if let Some(before) = crowd.greed(client) {
            self.greed.remove(&before);
        }
        change(crowd);
        if let Some(after) = crowd.greed(client) {
            self.greed.insert(after);
        }
        if crowd.size == 0 {
            self.crowds.remove(&client);
        }
    }

    const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn places(total: u32, exempt: &[&str]) -> Places {
        let exempt = exempt.iter().map(|text| text.parse().unwrap()).collect();
        Places::sparing(Connections::new(total).unwrap(), exempt)
    }

    fn take(places: &Places, peer: &str) -> Option<Place> {
        places.try_take(peer.parse().unwrap())
    }

    fn is_cut(place: &Place) -> bool {
        place.cut.is_cancelled()
    }

    #[test]
    fn the_client_with_most_places_gives_up_the_one_that_waited_longest() {
        let places = places(4, &[]);
        let shop = take(&places, "192.0.2.1").unwrap();
        let crowd = [(); 3].map(|()| take(&places, "192.0.2.2").unwrap());
        crowd[0].works();
        let other = take(&places, "192.0.2.3").unwrap();
        assert_eq!(crowd.each_ref().map(is_cut), [false, true, false]);
        crowd[0].waits();
        let again = take(&places, "192.0.2.2").unwrap();
        assert_eq!(crowd.each_ref().map(is_cut), [false, true, true]);
        assert!([&shop, &other, &again].into_iter().all(|place| !is_cut(place)));
        assert_eq!(places.taken(), 4);
        drop((shop, crowd, other, again));
        assert_eq!((places.taken(), places.inner.table().crowds.len()), (0, 0));
        assert!(places.inner.table().greed.is_empty());
    }

    #[test]
    fn a_newcomer_takes_from_its_own_before_it_takes_from_others() {
        let places = places(2, &[]);
        let (shop, one) = (take(&places, "192.0.2.1").unwrap(), take(&places, "192.0.2.2").unwrap());
        let two = take(&places, "192.0.2.2").unwrap();
        assert_eq!([&shop, &one, &two].map(is_cut), [false, true, false]);
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        let places = places(3, &[]);
        let shop = take(&places, "2001:db8:1::1").unwrap();
        let one = take(&places, "2001:db8:2::1").unwrap();
        let two = take(&places, "2001:db8:2::2").unwrap();
        let three = take(&places, "2001:db8:2::3").unwrap();
        assert_eq!([&shop, &one, &two, &three].map(is_cut), [false, true, false, false]);
    }

    #[test]
    fn what_the_vault_works_on_and_what_a_trusted_proxy_passes_on_is_left_alone() {
        let places = places(2, &["10.0.0.0/8"]);
        let (working, passed_on) = (take(&places, "192.0.2.1").unwrap(), take(&places, "10.0.0.1").unwrap());
        working.works();
        assert!(take(&places, "192.0.2.2").is_none());
        working.waits();
        assert!(take(&places, "192.0.2.2").is_some());
        assert_eq!([&working, &passed_on].map(is_cut), [true, false]);
    }
}
