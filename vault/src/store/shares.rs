use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::id::MerchantId;

/// Each merchant's share of what all merchants have together: so many of its transactions at once. The others of the same
/// merchant wait in their order, and nobody else waits for them.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    most: usize,
    taken: Arc<Mutex<HashMap<MerchantId, Arc<Semaphore>>>>,
}

/// A place among a merchant's transactions, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    permit: Option<OwnedSemaphorePermit>,
    merchant: MerchantId,
    taken: Arc<Mutex<HashMap<MerchantId, Arc<Semaphore>>>>,
}

impl Shares {
    /// With so many for each.
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place of the merchant's, if one is free within this time.
    pub(super) async fn take(&self, merchant: &MerchantId, longest: Duration) -> Option<Share> {
        let places = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(self.most));
            Arc::clone(taken.entry(merchant.clone()).or_insert_with(new))
        };
        let share = |permit| Share { permit, merchant: merchant.clone(), taken: Arc::clone(&self.taken) };
        // Made before the wait, so that whoever gives up leaves nothing behind.
        let mut share = share(None);
        share.permit = Some(timeout(longest, places.acquire_owned()).await.ok()?.ok()?);
        Some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.permit = None;
        // Whoever waits or works has it too, and those that come wait for the map.
        if taken.get(&self.merchant).is_some_and(|places| Arc::strong_count(places) == 1) {
            taken.remove(&self.merchant);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[tokio::test]
    async fn a_merchant_has_its_share_and_takes_none_of_anothers() {
        let shares = Shares::new(2);
        let (one, other) = (MerchantId::random(Mode::Test), MerchantId::random(Mode::Test));
        let wait = Duration::from_millis(50);
        let first = shares.take(&one, wait).await.unwrap();
        let second = shares.take(&one, wait).await.unwrap();
        assert!(shares.take(&one, wait).await.is_none());
        assert!(shares.take(&other, wait).await.is_some());
        drop(first);
        let third = shares.take(&one, wait).await.unwrap();
        drop((second, third));
        assert!(shares.taken.lock().unwrap().is_empty(), "nothing stays of whom nobody asks for");
    }
}
