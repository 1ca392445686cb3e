//! What happened.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::secrets::encrypt_details;
use super::tokens::facts;
use super::{Failure, Vault};
use crate::customer::Customer;
use crate::event::{Event, EventKey};
use crate::id::{CustomerId, EventId};
use crate::list::{Page, Window};
use crate::merchant::Merchant;
use crate::object::{CardObject, CustomerObject, DeletedCustomerObject};
use crate::store::{NewEvent, StoredCard, StoredCustomer, StoredEvent, WithCards};

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

    /// What is told of a customer, as it is after the change that is told of.
    pub(super) fn customer_event(
        &self,
        merchant: &Merchant,
        key: EventKey,
        changed: &WithCards,
    ) -> Option<NewEvent> {
        let WithCards { customer, cards, total } = changed;
        let StoredCustomer { id, details, default_card, created_at } = customer;
        let made = || {
            let profile = self.details_now(merchant, id.as_str(), details)?;
            let shown = |card: &StoredCard| {
                let details = self.details_now(merchant, card.id.as_str(), &card.details)?;
                Ok(facts(card.clone(), details))
            };
            let items = cards.iter().map(shown).collect::<Result<_, Failure>>()?;
            let cards = Page { window: Window::default(), items, total: *total };
            let customer = Customer {
                id: id.clone(),
                created_at: *created_at,
                profile,
                cards,
                default_card: default_card.clone(),
            };
            let object = CustomerObject::new(customer, merchant.mode, self.clock.now());
            self.new_event(merchant, key, id.as_str(), &object)
        };
        told(made())
    }

    /// What is told of a customer that is deleted.
    pub(super) fn deleted_customer_event(
        &self,
        merchant: &Merchant,
        customer: &StoredCustomer,
    ) -> Option<NewEvent> {
        let object = DeletedCustomerObject::new(customer, merchant.mode);
        told(self.new_event(merchant, EventKey::CustomerDestroy, customer.id.as_str(), &object))
    }

    /// What is told of a customer's card that is deleted.
    pub(super) fn deleted_card_event(
        &self,
        merchant: &Merchant,
        customer: &CustomerId,
        card: &StoredCard,
    ) -> Option<NewEvent> {
        let id = card.id.as_str();
        let made = || {
            let details = self.details_now(merchant, id, &card.details)?;
            let object = CardObject::deleted(facts(card.clone(), details), customer, merchant.mode);
            self.new_event(merchant, EventKey::CardDestroy, id, &object)
        };
        told(made())
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

/// An event, or none with its reason in the log: nothing is stored then.
fn told(event: Result<NewEvent, Failure>) -> Option<NewEvent> {
    event.inspect_err(|error| tracing::error!(%error, "an event could not be made")).ok()
}
