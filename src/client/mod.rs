//! Talking to a vault: its wire format, the flow from a card to a token, and in a browser the calls themselves.
//!
//! [`Vault::tokenize`] is the whole of it; which way a card goes, its [`Profile`] says. What it needs of the world (sending, waiting, the time) it takes from a
//! [`Transport`], so that the flow runs against a scripted one in tests and against `fetch` in a browser.

#[cfg(feature = "seal")]
mod address;
#[cfg(feature = "seal")]
pub mod cardseal;
#[cfg(feature = "seal")]
mod connection;
mod error;
#[cfg(feature = "seal")]
mod omise;
#[cfg(feature = "seal")]
mod payment_options;
mod pkey;
mod profile;
#[cfg(feature = "seal")]
pub mod relay;
mod retry;
#[cfg(feature = "seal")]
mod sealed;
#[cfg(feature = "seal")]
mod sealing_key;
#[cfg(feature = "seal")]
pub mod thales_d1;
#[cfg(feature = "seal")]
pub mod thales_pci;
#[cfg(feature = "seal")]
mod token;
mod transport;
#[cfg(feature = "seal")]
mod vault;
mod vendor;

#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;

#[cfg(feature = "seal")]
pub use address::{BadAddress, VaultAddress};
pub use error::{Error, Refusal};
pub use pkey::{Pkey, PkeyError};
pub use profile::Profile;
pub use retry::Policy;
#[cfg(feature = "seal")]
pub use token::Token;
pub use transport::{Answer, Cache, Lost, Method, Request, RequestId, Transport};
#[cfg(feature = "seal")]
pub use vault::Vault;
pub use vendor::Vendor;
