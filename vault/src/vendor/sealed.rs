//! A card that is sealed for a vendor. The vault passes it on and cannot open it.

use std::ops::RangeInclusive;

use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::jwk::Jwk;
use cardseal::seal::{Compact, jwe};
use serde::Deserialize;

use super::sealing_key::{SealingKey, is_on_p256};
use crate::keys::Sha256Digest;
use crate::seal::Refused;

/// Bytes of a card as browsers seal it for a vendor: `{"pan":"…","exp":"MMYY"}` has 35 with the shortest number, and 43 under
/// Thales PCI's names with the longest. There is room for white space and a member more; none for what is no card.
const CARD_BYTES: RangeInclusive<usize> = 35..=256;

/// A JWE in compact form for one of a vendor's keys, with exactly the header that the vendor's documents show, and parts of
/// the sizes that a card in it has.
#[derive(Clone, Debug)]
pub struct Sealed {
    jwe: String,
    hash: Sha256Digest,
    key: Sha256Digest,
}

impl Sealed {
    /// Reads a JWE that is for one of these keys, as far as it can be told without opening it.
    ///
    /// # Errors
    /// [`Refused::Invalid`] if it is another thing, and [`Refused::UnknownKid`] if it is for another key.
    pub fn parse(text: &str, keys: &[SealingKey]) -> Result<Self, Refused> {
        let of_kid = |kid: &str| keys.iter().find(|key| key.kid() == kid).ok_or(Refused::UnknownKid);
        let (key, card_bytes) = match keys.first() {
            Some(SealingKey::Rsa(_)) => {
                let seal = Compact::parse(text).map_err(|_| Refused::Invalid)?;
                let key = of_kid(seal.kid())?;
                if !is_below_modulus(seal.encrypted_key(), key) {
                    return Err(Refused::Invalid);
                }
                (key, seal.ciphertext().len())
            }
            Some(SealingKey::P256(_)) => {
                let (header, card_bytes) = parse_ecdh(text).ok_or(Refused::Invalid)?;
                let key = of_kid(&header.kid)?;
                if !header.epk.is_on_curve() {
                    return Err(Refused::Invalid);
                }
                (key, card_bytes)
            }
            None => return Err(Refused::UnknownKid),
        };
        if !CARD_BYTES.contains(&card_bytes) {
            return Err(Refused::Invalid);
        }
        Ok(Self { jwe: text.into(), hash: Sha256Digest::of(text.as_bytes()), key: key.thumbprint() })
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

    /// The thumbprint of the key that it is for.
    #[must_use]
    pub const fn key(&self) -> Sha256Digest {
        self.key
    }
}

/// Whether this may have come of an RSA operation with the key: as long as its modulus, and a smaller number (RFC 8017 section
/// 7.1.2). A larger one is also how one seal could have two texts.
fn is_below_modulus(encrypted: &[u8], key: &SealingKey) -> bool {
    let SealingKey::Rsa(Jwk { n: Some(n), .. }) = key else { return false };
    decode(n).is_some_and(|modulus| encrypted.len() == modulus.len() && *encrypted < *modulus)
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

impl Ephemeral {
    fn is_on_curve(&self) -> bool {
        let coordinates = decode(&self.x).zip(decode(&self.y));
        coordinates.is_some_and(|(x, y)| is_on_p256(&[&[4], &*x, &*y].concat()))
    }
}

/// The header of a JWE by ECDH-ES, and the bytes of its ciphertext; `None` if it is another thing.
fn parse_ecdh(text: &str) -> Option<(Header, usize)> {
    let parts: Vec<&str> = text.split('.').collect();
    // The content key is agreed on, so there is none to send.
    let (true, [protected, "", iv, ciphertext, tag]) = (text.len() <= jwe::MAX_BYTES, &*parts) else {
        return None;
    };
    let is_long = |part: &str, bytes: usize| decode(part).is_some_and(|decoded| decoded.len() == bytes);
    if !is_long(iv, jwe::IV_BYTES) || !is_long(tag, jwe::TAG_BYTES) {
        return None;
    }
    let header = decode(protected)?;
    // Serde reads an array as a struct, too.
    let header: Header = header.starts_with(b"{").then(|| serde_json::from_slice(&header).ok())??;
    let Ephemeral { kty, crv, x, y } = &header.epk;
    let is_documented = header.alg == "ECDH-ES" && header.enc == "A256GCM" && kty == "EC" && crv == "P-256";
    let is_whole = is_documented && is_long(x, 32) && is_long(y, 32);
    is_whole.then_some((header, decode(ciphertext)?.len()))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(part).ok()
}
