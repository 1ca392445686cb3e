//! JWE compact serialization (RFC 7516 section 7.1), strictly as cardseal writes it. Read is the `rsa` profile alone: nobody
//! but the vendor opens the other.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use thiserror::Error;

use super::jwk::Algorithm;
#[cfg(feature = "seal")]
use crate::plain::{self, Json};

/// Bytes of the content encryption key of A256GCM (RFC 7518 section 5.3).
pub const CEK_BYTES: usize = 32;
/// Bytes of its initialization vector.
pub const IV_BYTES: usize = 12;
/// Bytes of its authentication tag.
pub const TAG_BYTES: usize = 16;

/// Most bytes a sealed card may have in compact form; a card under a 4096-bit key needs about 1,300.
pub const MAX_BYTES: usize = 8 * 1024;

/// Bytes an RSA key of 2048 to 4096 bits can wrap a key into.
const WRAPPED_KEY_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A JWE whose form is right. Whether it opens is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compact<'a> {
    protected: &'a str,
    kid: String,
    encrypted_key: Vec<u8>,
    iv: [u8; IV_BYTES],
    ciphertext: Vec<u8>,
    tag: [u8; TAG_BYTES],
}

/// Not a JWE of the `rsa` profile. The sender's fault; sending it again changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a JWE in compact form with exactly alg RSA-OAEP-256, enc A256GCM and kid")]
pub struct Malformed;

impl<'a> Compact<'a> {
    /// Reads five strict, unpadded base64url parts with the profile's header and lengths.
    ///
    /// # Errors
    /// [`Malformed`] for anything else: another `alg` or `enc`, any further header member (`zip`, `crit`, `jku`, …),
    /// a member twice, padding, line breaks, a wrong length.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(Malformed);
        let (protected, encrypted_key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(Malformed);
        }
        let encrypted_key = decode(encrypted_key)?;
        if !WRAPPED_KEY_BYTES.contains(&encrypted_key.len()) {
            return Err(Malformed);
        }
        Ok(Self {
            protected,
            kid: Header::parse(&decode(protected)?)?.kid.into_owned(),
            encrypted_key,
            iv: decode(iv)?.try_into().map_err(|_| Malformed)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?.try_into().map_err(|_| Malformed)?,
        })
    }

    /// The key it was sealed to, as its header says.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the tag authenticates beside the ciphertext: the ASCII of the encoded header (RFC 7516 section 5.1, step 14).
    #[must_use]
    pub fn aad(&self) -> &[u8] {
        self.protected.as_bytes()
    }

    /// The content encryption key under RSA-OAEP-256.
    #[must_use]
    pub fn encrypted_key(&self) -> &[u8] {
        &self.encrypted_key
    }

    /// The initialization vector of A256GCM.
    #[must_use]
    pub const fn iv(&self) -> &[u8; IV_BYTES] {
        &self.iv
    }

    /// The content under A256GCM, without its tag.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// The authentication tag of A256GCM.
    #[must_use]
    pub const fn tag(&self) -> &[u8; TAG_BYTES] {
        &self.tag
    }
}

/// The protected header (RFC 7516 section 4) with the members that the `rsa` profile has, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    alg: Cow<'a, str>,
    enc: Cow<'a, str>,
    kid: Cow<'a, str>,
}

pub(super) const ENC: &str = "A256GCM";

impl Header<'_> {
    fn parse(json: &[u8]) -> Result<Self, Malformed> {
        let header: Self = super::from_object(json).ok_or(Malformed)?;
        let is_rsa = header.alg == Algorithm::RsaOaep256.name() && header.enc == ENC;
        if is_rsa { Ok(header) } else { Err(Malformed) }
    }
}

/// The encoded protected header of a seal: part one of a JWE, and its AAD.
#[cfg(feature = "seal")]
pub(super) fn header(algorithm: Algorithm, kid: &str, epk: Option<Json<'_>>) -> String {
    let mut json = String::new();
    let text = |text| Some(Json::Text(text));
    let members = [("alg", text(algorithm.name())), ("enc", text(ENC)), ("kid", text(kid)), ("epk", epk)];
    plain::write(&mut json, &members);
    Base64UrlUnpadded::encode_string(json.as_bytes())
}

fn decode(part: &str) -> Result<Vec<u8>, Malformed> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| Malformed)
}
