//! Telling a merchant's server what happened, by requests that it can tell from forged ones.

mod address;
mod reach;
mod secret;
mod sender;
mod url;

use crate::id::WebhookId;
use crate::time::Timestamp;

pub use reach::{NotAReach, Reach};
pub use secret::{WebhookSecret, signature};
pub use sender::{LONGEST_DELIVERY, NotDelivered, Sender};
pub use url::{NotAWebhookUrl, WebhookUrl};

/// Where a merchant hears of events.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Its address.
    pub url: WebhookUrl,
    /// When it was made. It gets the events from then on.
    pub created_at: Timestamp,
    /// How often the event that is next was tried in vain.
    pub failed_attempts: u32,
}
