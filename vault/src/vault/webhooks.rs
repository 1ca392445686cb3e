//! Webhooks. Each gets a merchant's events one by one in the order in which they happened, and none before the one before
//! it has arrived or was given up: so they are in order for each object too. An event may arrive twice, when a process
//! dies over it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::task::JoinHandle;

use super::secrets::encrypt_details;
use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::id::{MerchantId, WebhookId};
use crate::merchant::Merchant;
use crate::object::EventObject;
use crate::store::{StoreError, StoredWebhook};
use crate::time::Timestamp;
use crate::webhook::{LONGEST_DELIVERY, Webhook, WebhookSecret, WebhookUrl, signature};

/// Most webhooks of a merchant.
pub const MOST_WEBHOOKS: u32 = 16;

/// Most webhooks that a process sends to at once.
const MOST_DELIVERIES: usize = 32;

/// How long one delivery and storing that it was made may take. Then another process may try.
const LEASE: Duration = LONGEST_DELIVERY.saturating_add(Duration::from_secs(20));

/// The wait after the first attempt in vain. After each further one it is twice as long, up to the longest.
const SHORTEST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 60 * 60);

/// How old an event gets before its delivery is given up. It stays in the list of events.
const LONGEST_DELAY: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How long a secret signs beside the one that followed it: for a merchant's servers to get to know that one.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Most secrets that sign beside the newest. A request that is sent again because its answer was lost makes one more, and
/// the one that the merchant's servers know has to stay.
const MOST_RETIRED: usize = 4;

/// What is kept of a webhook, encrypted: an address may have a password of the merchant's in it.
#[derive(Debug, Deserialize, Serialize)]
struct WebhookDetails {
    url: String,
    secret: WebhookSecret,
    /// Those before it, newest first.
    #[serde(default)]
    retired: Vec<RetiredSecret>,
}

#[derive(Debug, Deserialize, Serialize)]
struct RetiredSecret {
    secret: WebhookSecret,
    /// Seconds since 1970.
    signs_until: u64,
}

impl WebhookDetails {
    fn url(&self) -> Result<WebhookUrl, Failure> {
        WebhookUrl::kept(&self.url).ok_or(Failure::Unreadable("webhook"))
    }

    /// What signs at this time, newest first.
    fn signing(&self, now: Timestamp) -> impl Iterator<Item = &WebhookSecret> {
        let retired = self.retired.iter().filter(move |retired| now.unix_seconds() < retired.signs_until);
        std::iter::once(&self.secret).chain(retired.map(|retired| &retired.secret))
    }

    fn rotate(self, now: Timestamp) -> Self {
        let before = RetiredSecret { secret: self.secret, signs_until: now.plus(OVERLAP).unix_seconds() };
        let still = self.retired.into_iter().filter(|retired| now.unix_seconds() < retired.signs_until);
        let retired = std::iter::once(before).chain(still).take(MOST_RETIRED).collect();
        Self { secret: WebhookSecret::random(), retired, ..self }
    }
}

impl Vault {
    /// Adds a webhook, and gives its secret this once.
    ///
    /// # Errors
    /// [`WebhookError`]
    pub async fn add_webhook(
        &self,
        merchant: &Merchant,
        by: By,
        url: WebhookUrl,
    ) -> Result<(Webhook, WebhookSecret), WebhookError> {
        let (id, now) = (WebhookId::random(merchant.mode), self.clock.now());
        let (url_text, secret) = (url.as_str().into(), WebhookSecret::random());
        let kept = WebhookDetails { url: url_text, secret, retired: Vec::new() };
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &kept))?;
        let new = StoredWebhook { id, details, created_at: now, delivered_seq: 0, attempts: 0, next_at: now };
        let entry = self.audit_entry(Some(&merchant.id), by, Action::AddWebhook, new.id.as_str(), None);
        let audit = (&*self.audit_key()?, &entry);
        if !self.store.add_webhook(&merchant.id, &new, MOST_WEBHOOKS, audit).await? {
            return Err(WebhookError::TooMany);
        }
        Ok((Webhook { id: new.id, url, created_at: now, failed_attempts: 0 }, kept.secret))
    }

    /// A merchant's webhooks, oldest first.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn webhooks(&self, merchant: &Merchant) -> Result<Vec<Webhook>, Failure> {
        let mut webhooks = Vec::new();
        for stored in self.store.webhooks(&merchant.id).await? {
            let details = self.webhook_details(merchant, &stored).await?;
            webhooks.push(shown(stored, details.url()?));
        }
        Ok(webhooks)
    }

    /// Gives a webhook a new secret, and gives that this once. The one before signs beside it for a day. None if the
    /// merchant has no such webhook.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn rotate_webhook_secret(
        &self,
        merchant: &Merchant,
        by: By,
        id: &WebhookId,
    ) -> Result<Option<(Webhook, WebhookSecret)>, Failure> {
        let action = Action::RotateWebhookSecret;
        let entry = self.audit_entry(Some(&merchant.id), by, action, id.as_str(), None);
        let key = self.audit_key()?;
        loop {
            let webhooks = self.store.webhooks(&merchant.id).await?;
            let Some(stored) = webhooks.into_iter().find(|webhook| webhook.id == *id) else {
                return Ok(None);
            };
            let details = self.webhook_details(merchant, &stored).await?.rotate(self.clock.now());
            let after = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &details))?;
            // Whoever was first is done, so this comes to an end.
            if self.store.replace_webhook(&merchant.id, &stored, &after, (&key, &entry)).await? {
                return Ok(Some((shown(stored, details.url()?), details.secret)));
            }
        }
    }

    /// Deletes a webhook. What is being sent to it is still sent. False if the merchant has no such webhook.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn delete_webhook(&self, merchant: &Merchant, by: By, id: &WebhookId) -> Result<bool, Failure> {
        let entry = self.audit_entry(Some(&merchant.id), by, Action::DeleteWebhook, id.as_str(), None);
        Ok(self.store.delete_webhook(&merchant.id, id, (&*self.audit_key()?, &entry)).await?)
    }

    /// Begins to send events to the webhooks whose turn it is, each of which only one process sends to at a time. A task
    /// tells how many arrived; it goes on when nobody waits for it.
    ///
    /// # Errors
    /// [`Failure`]; what was not begun is begun the next time.
    pub async fn deliver(self: &Arc<Self>) -> Result<Vec<JoinHandle<u64>>, Failure> {
        let free = MOST_DELIVERIES.saturating_sub(self.delivering.len());
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        if free == 0 || self.delivering.is_closed() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let webhooks = self.store.lease_webhooks(now, now.plus(LEASE), free).await?;
        let tasks = webhooks.into_iter().map(|(merchant, webhook)| {
            let vault = Arc::clone(self);
            self.delivering.spawn(async move {
                let id = webhook.id.clone();
                let delivered = vault.deliver_to(&merchant, webhook).await;
                delivered.unwrap_or_else(|error| {
                    tracing::error!(%error, webhook = %id, "a delivery failed; it is tried again");
                    0
                })
            })
        });
        Ok(tasks.collect())
    }

    async fn deliver_to(&self, merchant: &MerchantId, mut webhook: StoredWebhook) -> Result<u64, Failure> {
        let merchant = self.owner(merchant).await?;
        let details = self.webhook_details(&merchant, &webhook).await?;
        let url = details.url()?;
        let mut delivered = 0;
        while !self.delivering.is_closed()
            && let Some(event) = self.store.event_after(&merchant.id, webhook.delivered_seq).await?
        {
            let (seq, happened_at) = (event.seq, event.created_at);
            let event = EventObject::new(self.shown_event(&merchant, event).await?, merchant.mode);
            let body = serde_json::to_vec(&event).map_err(|_| Failure::Unreadable("event"))?;
            let now = self.clock.now();
            let signature = signature(details.signing(now), now, &body);
            let sent = self.sender.send(merchant.mode, &url, signature, body).await;
            let now = self.clock.now();
            if let Err(why) = sent {
                let attempts = webhook.attempts.saturating_add(1);
                tracing::warn!(webhook = %webhook.id, attempts, %why, "an event did not arrive");
                let next_at = now.plus(wait_after(attempts));
                let delivered_seq = self.given_up(&merchant.id, &webhook, happened_at, now).await?;
                let after = StoredWebhook { delivered_seq, attempts, next_at, ..webhook.clone() };
                self.store.advance_webhook(&merchant.id, &webhook, &after).await?;
                return Ok(delivered);
            }
            delivered += 1;
            let next_at = now.plus(LEASE);
            let after = StoredWebhook { delivered_seq: seq, attempts: 0, next_at, ..webhook.clone() };
            if !self.store.advance_webhook(&merchant.id, &webhook, &after).await? {
                return Ok(delivered);
            }
            webhook = after;
        }
        let after = StoredWebhook { next_at: self.clock.now(), ..webhook.clone() };
        self.store.advance_webhook(&merchant.id, &webhook, &after).await?;
        Ok(delivered)
    }

    /// Up to which event a webhook that cannot be reached gets no more: as before, or up to the last that is too old.
    async fn given_up(
        &self,
        merchant: &MerchantId,
        webhook: &StoredWebhook,
        happened_at: Timestamp,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        if now.since(happened_at) < LONGEST_DELAY {
            return Ok(webhook.delivered_seq);
        }
        let last = self.store.last_event_before(merchant, now.minus(LONGEST_DELAY)).await?;
        tracing::error!(webhook = %webhook.id, "events of three days ago are given up");
        Ok(last.max(webhook.delivered_seq))
    }

    async fn webhook_details(
        &self,
        merchant: &Merchant,
        webhook: &StoredWebhook,
    ) -> Result<WebhookDetails, Failure> {
        self.details(merchant, webhook.id.as_str(), &webhook.details).await
    }
}

fn shown(webhook: StoredWebhook, url: WebhookUrl) -> Webhook {
    let StoredWebhook { id, created_at, attempts: failed_attempts, .. } = webhook;
    Webhook { id, url, created_at, failed_attempts }
}

/// How long to wait after so many attempts in vain: half of it by chance, so that webhooks that failed together are not
/// tried together.
fn wait_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = SHORTEST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let mut chance = [0; 1];
    // Without chance the whole wait is as good.
    let part = rand::fill(&mut chance).map_or(u32::from(u8::MAX), |()| chance[0].into());
    wait / 2 + wait / 2 * part / u32::from(u8::MAX)
}

/// Why there is no webhook.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The merchant has too many. The merchant's fault.
    #[error("there are {MOST_WEBHOOKS} webhooks already")]
    TooMany,
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_get_longer_and_have_an_end() {
        for (attempts, longest) in
            [(1, 10), (2, 20), (5, 160), (11, 10_240), (12, 14_400), (u32::MAX, 14_400)]
        {
            let longest = Duration::from_secs(longest);
            for _ in 0..100 {
                let wait = wait_after(attempts);
                assert!(wait <= longest && wait >= longest / 2, "{attempts}: {wait:?}");
            }
        }
    }
}
