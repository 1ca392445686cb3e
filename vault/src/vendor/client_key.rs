//! The private key of a certificate that the vault shows to a vendor: in a file, or in a PKCS#11 token that it never leaves.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use serde::{Deserialize, Deserializer, de};

use crate::keys::kek::pkcs11::{Kind, TokenError, TokenSigner, TokenUri, Way};

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// In a file (PEM).
    File(PathBuf),
    /// In a token: `pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=file:PATH`.
    Token(TokenUri),
}

impl ClientKey {
    /// Its file, if it is in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Token(_) => None,
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Token(uri) => uri.fmt(formatter),
        }
    }
}

impl<'de> Deserialize<'de> for ClientKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with("pkcs11:") {
            return text.parse().map(Self::Token).map_err(de::Error::custom);
        }
        Ok(Self::File(text.into()))
    }
}

/// A key in a token, as TLS takes it.
#[derive(Clone, Debug)]
pub(super) struct TokenKey(Arc<TokenSigner>);

/// The same, for one signature.
#[derive(Debug)]
struct TokenSignature {
    signer: Arc<TokenSigner>,
    way: Way,
}

impl TokenKey {
    /// Finds it in its token.
    pub(super) fn open(uri: &TokenUri) -> Result<Self, TokenError> {
        TokenSigner::open(uri).map(Arc::new).map(Self)
    }
}

impl SigningKey for TokenKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let ways = match self.0.kind() {
            Kind::P256 => &[Way::Ecdsa][..],
            // TLS 1.3 takes the first only.
            Kind::Rsa => &[Way::RsaPss, Way::RsaPkcs1],
        };
        let way = *ways.iter().find(|way| offered.contains(&scheme(**way)))?;
        Some(Box::new(TokenSignature { signer: Arc::clone(&self.0), way }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.kind() {
            Kind::P256 => SignatureAlgorithm::ECDSA,
            Kind::Rsa => SignatureAlgorithm::RSA,
        }
    }
}

impl Signer for TokenSignature {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = self.signer.sign(self.way, message).map_err(|error| {
            tracing::error!(%error, "a token did not sign");
            rustls::Error::General("the token did not sign".into())
        })?;
        Ok(match self.way {
            Way::Ecdsa => der_of_ecdsa(&signed),
            Way::RsaPkcs1 | Way::RsaPss => signed,
        })
    }

    fn scheme(&self) -> SignatureScheme {
        scheme(self.way)
    }
}

const fn scheme(way: Way) -> SignatureScheme {
    match way {
        Way::Ecdsa => SignatureScheme::ECDSA_NISTP256_SHA256,
        Way::RsaPkcs1 => SignatureScheme::RSA_PKCS1_SHA256,
        Way::RsaPss => SignatureScheme::RSA_PSS_SHA256,
    }
}

/// A signature's two numbers as TLS writes them: `SEQUENCE { INTEGER, INTEGER }` in DER (RFC 3279 section 2.2.3). Tokens
/// give them one after the other, each as long as the curve's order.
fn der_of_ecdsa(numbers: &[u8]) -> Vec<u8> {
    let (r, s) = numbers.split_at(numbers.len() / 2);
    let content = [integer(r), integer(s)].concat();
    tagged(0x30, &content)
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros.min(number.len().saturating_sub(1))..];
    // A first bit that is set would make it negative.
    let sign: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    tagged(0x02, &[sign, digits].concat())
}

/// Tag, length, content; none here is longer than 127 bytes.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, content.len() as u8], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_short_as_they_are() {
        let mut numbers = [0; 64];
        (numbers[31], numbers[32]) = (0x7f, 0x80);
        let der = der_of_ecdsa(&numbers);
        assert_eq!(der[..8], [0x30, 38, 0x02, 1, 0x7f, 0x02, 33, 0]);
        assert_eq!((der[8], der.len()), (0x80, 40));
        assert_eq!(der_of_ecdsa(&[0; 64]), [0x30, 6, 0x02, 1, 0, 0x02, 1, 0]);
    }
}
