//! A private key in a token that signs for the vault: the one of a certificate that it shows to a vendor.

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::types::AuthPin;

use super::{Access, LoggedIn, TokenError, TokenUri, pin};

/// Signs with a key that never leaves its token. Every signature is a session of its own, as with the key-encryption key.
#[derive(Debug)]
pub(crate) struct TokenSigner {
    uri: TokenUri,
    pin: AuthPin,
    kind: Kind,
}

/// What kind of key it is: those that Thales takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On P-256.
    P256,
    /// RSA.
    Rsa,
}

/// How something is signed, with SHA-256 each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// ECDSA: the two numbers of the signature, 32 bytes each (FIPS 186-5 section 6.4.1).
    Ecdsa,
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1,
    /// RSASSA-PSS with a salt of 32 bytes (RFC 8017 section 8.1).
    RsaPss,
}

impl TokenSigner {
    /// Finds the key, and checks that it is one that stays where it is.
    pub(crate) fn open(uri: &TokenUri) -> Result<Self, TokenError> {
        let pin = pin(uri)?;
        let session = LoggedIn::new(uri, &pin, Access::Use, None)?;
        let kind = kind(uri, &session)?;
        Ok(Self { uri: uri.clone(), pin, kind })
    }

    /// What kind of key it is.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The signature of a message.
    pub(crate) fn sign(&self, way: Way, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let session = LoggedIn::new(&self.uri, &self.pin, Access::Use, None)?;
        let key = find(&self.uri, &session)?;
        Ok(match way {
            Way::Ecdsa => session.0.sign(&Mechanism::Ecdsa, key, digest(&SHA256, message).as_ref()),
            Way::RsaPkcs1 => session.0.sign(&Mechanism::Sha256RsaPkcs, key, message),
            Way::RsaPss => session.0.sign(&Mechanism::Sha256RsaPkcsPss(pss()), key, message),
        }?)
    }
}

fn pss() -> PkcsPssParams {
    PkcsPssParams { hash_alg: MechanismType::SHA256, mgf: PkcsMgfType::MGF1_SHA256, s_len: 32.into() }
}

/// The one private key with the address's label.
fn find(uri: &TokenUri, session: &LoggedIn) -> Result<ObjectHandle, TokenError> {
    let template = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Token(true),
        Attribute::Label(uri.object().as_str().into()),
    ];
    match session.0.find_objects(&template)?[..] {
        [key] => Ok(key),
        _ => Err(TokenError::NoPrivateKey(uri.clone())),
    }
}

fn kind(uri: &TokenUri, session: &LoggedIn) -> Result<Kind, TokenError> {
    let key = find(uri, session)?;
    let wanted = [
        AttributeType::KeyType,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Sign,
        AttributeType::EcParams,
    ];
    let attributes = session.0.get_attributes(key, &wanted)?;
    let is = |attribute| attributes.contains(&attribute);
    let stays = is(Attribute::Sensitive(true)) && is(Attribute::Extractable(false));
    if stays && is(Attribute::Sign(true)) {
        if is(Attribute::KeyType(KeyType::RSA)) {
            return Ok(Kind::Rsa);
        }
        if is(Attribute::KeyType(KeyType::EC)) && is(Attribute::EcParams(P256.into())) {
            return Ok(Kind::P256);
        }
    }
    Err(TokenError::UnfitPrivateKey(uri.clone()))
}

/// The curve's object identifier in DER (RFC 5480 section 2.1.1.1): 1.2.840.10045.3.1.7.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
