//! Who asks, what they may do, and how much of it.

mod api_key;
pub mod client;
pub mod limit;
pub mod party;

pub use api_key::{KeyKind, Permission, Scopes};
