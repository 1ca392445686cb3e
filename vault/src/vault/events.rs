//! What happened.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::secrets::encrypt_details;
use super::{Failure, Vault};
use crate::event::{Event, EventKey};
use crate::id::EventId;
use crate::list::{Page, Window};
use crate::merchant::Merchant;
use crate::store::{NewEvent, StoredEvent};

impl Vault {
    /// A merchant's event, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn event(&self, merchant: &Merchant, id: &EventId) -> Result<Option<Event>, Failure> {
        match self.store.event(&merchant.id, id).await? {
            Some(stored) => Ok(Some(self.shown_event(merchant, stored).await?)),
            None => Ok(None),
        }
    }

    /// A page of a merchant's events.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn events(&self, merchant: &Merchant, window: Window) -> Result<Page<Event>, Failure> {
        let Page { window, items: stored, total } = self.store.events(&merchant.id, window).await?;
        let mut items = Vec::with_capacity(stored.len());
        for event in stored {
            items.push(self.shown_event(merchant, event).await?);
        }
        Ok(Page { window, items, total })
    }

    /// Waits until this process has told of an event, no longer than `longest`.
    pub async fn wait_for_event(&self, longest: Duration) {
        // That it took too long is as good a reason to look.
        let _ = timeout(longest, self.news.notified()).await;
    }

    /// An event to be stored in the transaction of what it tells: `data` is the object as it is then.
    pub(super) fn new_event(
        &self,
        merchant: &Merchant,
        key: EventKey,
        object: &str,
        data: &impl Serialize,
    ) -> Result<NewEvent, Failure> {
        let id = EventId::random(merchant.mode);
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), data))?;
        Ok(NewEvent { id, key, object: object.into(), details, created_at: self.clock.now() })
    }

    pub(super) async fn shown_event(
        &self,
        merchant: &Merchant,
        stored: StoredEvent,
    ) -> Result<Event, Failure> {
        let data = self.details(merchant, stored.id.as_str(), &stored.details).await?;
        Ok(Event { id: stored.id, key: stored.key, created_at: stored.created_at, data })
    }
}
