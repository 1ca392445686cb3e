//! The envelope a card travels in: a JWE in compact serialization (RFC 7516) whose header has exactly three members.
//!
//! ```text
//! {"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"<RFC 7638 thumbprint>"}
//! ```
//!
//! The algorithms are those of the W3C's webpayments-crypto: RSA-OAEP with SHA-256 wraps a fresh 256-bit key (RFC 7518
//! section 4.3), AES-256-GCM encrypts the content (section 5.3). The RSA key has 2048 to 4096 bits and e = 65537.
//!
//! This module seals and reads the format. It never opens a seal: that takes the private key, and belongs to the vault.

pub mod envelope;
pub mod jwe;
pub mod jwk;
#[cfg(feature = "seal")]
mod rsa;

pub use envelope::{Envelope, Jti};
pub use jwe::Compact;
pub use jwk::{KeySet, PublicKey};
#[cfg(feature = "seal")]
pub use rsa::{SealError, seal};

/// Reads one JSON object. Serde would take an array of a struct's members for the struct as well.
fn from_object<T: serde::de::DeserializeOwned>(json: &[u8]) -> Option<T> {
    if json.trim_ascii_start().starts_with(b"{") { serde_json::from_slice(json).ok() } else { None }
}
