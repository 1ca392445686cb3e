//! A card that is sealed for a vendor. The vault passes it on and cannot open it.

use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::{Compact, jwe};
use serde::Deserialize;

use super::sealing_key::SealingKey;
use crate::keys::Sha256Digest;
use crate::seal::Refused;

/// A JWE in compact form for one of a vendor's keys, with exactly the header that the vendor's documents show.
#[derive(Clone, Debug)]
pub struct Sealed {
    jwe: String,
    hash: Sha256Digest,
}

impl Sealed {
    /// Reads a JWE that is for one of these keys.
    ///
    /// # Errors
    /// [`Refused::Invalid`] if it is another thing, and [`Refused::UnknownKid`] if it is for another key.
    pub fn parse(text: &str, keys: &[SealingKey]) -> Result<Self, Refused> {
        let kid = match keys.first() {
            Some(SealingKey::Rsa(_)) => Compact::parse(text).map_err(|_| Refused::Invalid)?.kid().to_owned(),
            Some(SealingKey::P256(_)) => kid_of_ecdh(text).ok_or(Refused::Invalid)?,
            None => return Err(Refused::UnknownKid),
        };
        if !keys.iter().any(|key| key.kid() == kid) {
            return Err(Refused::UnknownKid);
        }
        Ok(Self { jwe: text.into(), hash: Sha256Digest::of(text.as_bytes()) })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.jwe
    }

    /// What tells it from every other one.
    #[must_use]
    pub const fn hash(&self) -> Sha256Digest {
        self.hash
    }
}

/// The header of a JWE by ECDH-ES, direct, on P-256 (RFC 7518 section 4.6).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: String,
    kid: String,
    epk: Ephemeral,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ephemeral {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

/// The `kid` of a JWE by ECDH-ES; `None` if it is another thing.
fn kid_of_ecdh(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    // The content key is agreed on, so there is none to send.
    let (true, [protected, "", iv, ciphertext, tag]) = (text.len() <= jwe::MAX_BYTES, &*parts) else {
        return None;
    };
    let decoded = |part: &str| Base64UrlUnpadded::decode_vec(part).ok();
    let is_long = |part: &str, bytes: usize| decoded(part).is_some_and(|decoded| decoded.len() == bytes);
    if !is_long(iv, jwe::IV_BYTES) || !is_long(tag, jwe::TAG_BYTES) || decoded(ciphertext)?.is_empty() {
        return None;
    }
    let header = decoded(protected)?;
    // Serde reads an array as a struct, too.
    let header: Header = header.starts_with(b"{").then(|| serde_json::from_slice(&header).ok())??;
    let Ephemeral { kty, crv, x, y } = &header.epk;
    let is_documented = header.alg == "ECDH-ES" && header.enc == "A256GCM" && kty == "EC" && crv == "P-256";
    (is_documented && is_long(x, 32) && is_long(y, 32)).then_some(header.kid)
}
