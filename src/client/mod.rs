//! Talking to a vault: its wire format, the flow from a card to a token, and in a browser the calls themselves.
//!
//! [`Vault::tokenize`] is the whole of it. What it needs of the world (sending, waiting, the time) it takes from a
//! [`Transport`], so that the flow runs against a scripted one in tests and against `fetch` in a browser.

#[cfg(feature = "seal")]
pub mod cardseal;
mod error;
mod pkey;
mod profile;
mod retry;
mod transport;
#[cfg(feature = "seal")]
mod vault;

#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;

pub use error::{Error, Refusal};
pub use pkey::{Pkey, PkeyError};
pub use profile::Profile;
pub use retry::Policy;
pub use transport::{Answer, Cache, Lost, Method, Request, RequestId, Transport};
#[cfg(feature = "seal")]
pub use vault::{BadAddress, Vault, VaultAddress};
