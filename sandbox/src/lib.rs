//! Stand-ins for the servers of the four vendors, for tests and demos: each as strict as its vendor's documents, and no
//! kinder. What the documents do not say is marked where it is made up. They listen on this machine only.
//!
//! | vendor | stand-in |
//! | --- | --- |
//! | Omise's vault and API | [`omise`] |
//! | Thales PCI tokens | [`thales_pci`] |
//! | Thales D1 | [`thales_d1`] |
//! | Payment Options | [`payment_options`] |
//!
//! Each keeps what it was asked ([`record`]) and can be told how to answer next ([`mood`]). Thales's tell a client of what
//! happens to cards ([`callback`]). A [`tap`] keeps what goes to a vault, and [`wire`] shows all of it without a card.
//! They are for test cards: what they keep, they keep in the clear, in memory.

pub mod callback;
pub mod certificates;
mod clock;
mod control;
pub mod handover;
pub mod jwe;
mod luhn;
pub mod mood;
pub mod omise;
pub mod payment_options;
mod random;
pub mod record;
pub mod server;
pub mod tap;
pub mod thales_d1;
pub mod thales_pci;
pub mod wire;

use std::sync::Arc;

use anyhow::Result;

pub use callback::{Notification, Receiver};
pub use control::Control;
pub use mood::Mood;
pub use record::Exchange;
pub use server::Server;
pub use tap::Tap;

use omise::Omise;
use payment_options::PaymentOptions;
use thales_d1::ThalesD1;
use thales_pci::ThalesPci;

/// All four.
#[derive(Debug)]
pub struct Sandbox {
    /// Omise.
    pub omise: Omise,
    /// Payment Options.
    pub payment_options: PaymentOptions,
    /// Thales D1.
    pub thales_d1: ThalesD1,
    /// Thales PCI tokens.
    pub thales_pci: ThalesPci,
}

impl Sandbox {
    /// Starts them, each at a free port.
    ///
    /// # Errors
    /// When keys could not be made or ports not be had.
    pub async fn start() -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            omise: Omise::start(0).await?,
            payment_options: PaymentOptions::start(0).await?,
            thales_d1: ThalesD1::start(0).await?,
            thales_pci: ThalesPci::start(0).await?,
        }))
    }

    /// The server of this name: `omise`, `payment-options`, `thales-d1` or `thales-pci`.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Server> {
        Some(match name {
            "omise" => &self.omise.server,
            "payment-options" => &self.payment_options.server,
            "thales-d1" => &self.thales_d1.server,
            "thales-pci" => &self.thales_pci.server,
            _ => return None,
        })
    }

    /// The names of the servers.
    pub const NAMES: [&str; 4] = ["omise", "payment-options", "thales-d1", "thales-pci"];
}
