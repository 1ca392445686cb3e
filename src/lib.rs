//! Card fields for a checkout page that turn a card into a token.
//!
//! The card is sealed in the browser with the vault's public key and posted straight to the vault; the merchant's page,
//! scripts and servers only ever hold the token.
//!
//! - [`card`]: what a card is. Parsing gives values that cannot be wrong.
//! - [`seal`]: the envelope a card travels in, a JWE (RFC 7516).
//! - [`client`]: talking to a vault, and the vault's wire format.
//! - [`form`]: what the cardholder sees.
//! - [`frame`]: isolation from the page around the form.
//! - [`plain`]: reading JSON.
//!
//! Only the form's own elements and the client's `fetch` need a browser; the rest is pure. The vault builds on `card`, the
//! format of `seal` and the wire types, without the feature `seal`.

pub mod card;
pub mod client;
pub mod form;
pub mod frame;
pub mod plain;
pub mod seal;

#[cfg(target_arch = "wasm32")]
pub mod bindings;
#[cfg(target_arch = "wasm32")]
mod failure;
#[cfg(target_arch = "wasm32")]
mod object;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(all(target_arch = "wasm32", feature = "seal"))]
mod random;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static CLEARING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);
