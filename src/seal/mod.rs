//! The envelope a card travels in: a JWE in compact serialization (RFC 7516) under one of two profiles, whose headers have
//! exactly these members.
//!
//! ```text
//! rsa   {"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"…"}
//! ecdh  {"alg":"ECDH-ES","enc":"A256GCM","kid":"…","epk":{"kty":"EC","crv":"P-256","x":"…","y":"…"}}
//! ```
//!
//! `rsa` is cardseal's own, and that of Thales's PCI tokens; the algorithms are those of the W3C's webpayments-crypto:
//! RSA-OAEP with SHA-256 wraps a fresh 256-bit key (RFC 7518 section 4.3). The RSA key has 2048 to 4096 bits and
//! e = 65537. `ecdh` is Thales D1's: the key is agreed on with a P-256 key (section 4.6). In both, AES-256-GCM encrypts the
//! content (section 5.3). Which it is, the recipient's key says.
//!
//! This module seals, and reads the format of `rsa`. It never opens a seal: that takes the private key, and belongs to the
//! vault or the vendor.

#[cfg(feature = "seal")]
mod ecdh;
pub mod envelope;
pub mod jwe;
pub mod jwk;
#[cfg(feature = "seal")]
mod plaintext;
#[cfg(feature = "seal")]
mod rsa;
mod rsa_key;

#[cfg(feature = "seal")]
pub use ecdh::P256Key;
pub use envelope::{Envelope, Jti, PciCard};
pub use jwe::Compact;
#[cfg(feature = "seal")]
pub use jwk::PublicKey;
pub use jwk::{Algorithm, KeySet};
#[cfg(feature = "seal")]
pub use plaintext::{Plaintext, SealError};
pub use rsa_key::RsaKey;

/// Seals a card to a vault's key: the JWE in compact form. Each call makes a fresh content key and vector.
///
/// # Errors
/// [`SealError`]; nothing of the card is in it.
#[cfg(feature = "seal")]
pub fn seal(key: &PublicKey, envelope: &Envelope) -> Result<String, SealError> {
    envelope.to_plaintext().seal(key)
}

/// Reads one JSON object. Serde would take an array of a struct's members for the struct as well.
fn from_object<T: serde::de::DeserializeOwned>(json: &[u8]) -> Option<T> {
    if json.trim_ascii_start().starts_with(b"{") { serde_json::from_slice(json).ok() } else { None }
}
