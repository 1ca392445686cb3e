//! A key-encryption key, or the private key of a certificate, in a PKCS#11 token: a hardware security module, a smart card, or SoftHSM.
//!
//! The key never leaves the token, which does AES-256-GCM itself (`CKM_AES_GCM`, PKCS #11 v3.0 section 2.13.3). What
//! goes in and comes out is what is wrapped, so that a stolen disk or database opens nothing without the token and its
//! PIN. Every use is a session of its own, so that none hangs on one that the token has ended meanwhile.

mod signer;
mod uri;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use thiserror::Error;
use zeroize::Zeroizing;

use super::super::gcm::{KEY_BYTES, TAG_BYTES, Unopened};
use super::environment::EnvironmentError;
use super::file::{self, FileError, Secret};
use super::random;

pub(crate) use signer::{Kind, TokenSigner, Way};
pub use uri::{Label, PinSource, TokenUri};

/// The use of a key in a token.
#[derive(Debug)]
pub(super) struct TokenKey {
    uri: TokenUri,
    pin: AuthPin,
}

impl TokenKey {
    /// Finds the key, and checks that it is one that stays where it is.
    pub(super) fn open(uri: &TokenUri) -> Result<Self, TokenError> {
        let key = Self { uri: uri.clone(), pin: pin(uri)? };
        key.session(Access::Use)?.find(uri)?;
        Ok(key)
    }

    /// Nonce, ciphertext and tag in one.
    pub(super) fn encrypt(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, TokenError> {
        let session = self.session(Access::Use)?;
        let key = session.find(&self.uri)?;
        let mut nonce: Zeroizing<[u8; NONCE_LEN]> = random();
        let ciphertext = session.0.encrypt(&gcm(&mut nonce, aad)?, key, plaintext)?;
        if ciphertext.len() != plaintext.len() + TAG_BYTES {
            return Err(TokenError::OddCiphertext(self.uri.clone()));
        }
        // After the call: a token that will have no nonce but its own has written that one over ours.
        Ok([&nonce[..], &ciphertext].concat())
    }

    /// The plaintext of what [`encrypt`](Self::encrypt) gave.
    pub(super) fn decrypt(
        &self,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Result<Zeroizing<Vec<u8>>, Unopened>, TokenError> {
        let Some((nonce, ciphertext)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            return Ok(Err(Unopened));
        };
        if ciphertext.len() < TAG_BYTES {
            return Ok(Err(Unopened));
        }
        let session = self.session(Access::Use)?;
        let key = session.find(&self.uri)?;
        let mut nonce = *nonce;
        match session.0.decrypt(&gcm(&mut nonce, aad)?, key, ciphertext) {
            Ok(plaintext) => Ok(Ok(Zeroizing::new(plaintext))),
            // PKCS #11 v3.0 section 5.10 has the first two for a wrong tag; SoftHSM says the third.
            Err(CryptokiError::Pkcs11(
                RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
                Function::Decrypt,
            )) => Ok(Err(Unopened)),
            Err(error) => Err(error.into()),
        }
    }

    fn session(&self, access: Access) -> Result<LoggedIn, TokenError> {
        LoggedIn::new(&self.uri, &self.pin, access, Some(MechanismType::AES_GCM))
    }
}

/// Makes an AES-256 key in the token that never leaves it, under the address's label. A key that is there is left as it
/// is.
pub(super) fn create_in_token(uri: &TokenUri) -> Result<(), TokenError> {
    let session = LoggedIn::new(uri, &pin(uri)?, Access::Create, Some(MechanismType::AES_GCM))?;
    if !session.0.find_objects(&template(uri))?.is_empty() {
        return Err(TokenError::KeyExists(uri.clone()));
    }
    let mut template = template(uri);
    template.extend([
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen((KEY_BYTES as u64).into()),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ]);
    session.0.generate_key(&Mechanism::AesKeyGen, &template)?;
    // Says at once if the token made another key than it was asked for.
    session.find(uri).map(|_| ())
}

/// What a session is for.
#[derive(Clone, Copy, Debug)]
enum Access {
    Create,
    Use,
}

/// A session of a user whose PIN was right.
struct LoggedIn(Session);

impl LoggedIn {
    /// Logs in at a token that does what it is needed for.
    fn new(
        uri: &TokenUri,
        pin: &AuthPin,
        access: Access,
        needed: Option<MechanismType>,
    ) -> Result<Self, TokenError> {
        let module = module(uri.module())?;
        let slot = slot(&module, uri)?;
        let info = module.get_token_info(slot)?;
        if !info.user_pin_initialized() {
            return Err(TokenError::NoPin(uri.clone()));
        }
        if info.user_pin_locked() {
            return Err(TokenError::PinLocked(uri.clone()));
        }
        if info.user_pin_final_try() {
            return Err(TokenError::LastTry(uri.clone()));
        }
        if let Some(needed) = needed
            && !module.get_mechanism_list(slot)?.contains(&needed)
        {
            return Err(TokenError::NoGcm(uri.clone()));
        }
        let session = match access {
            Access::Create => module.open_rw_session(slot),
            Access::Use => module.open_ro_session(slot),
        }?;
        match session.login(UserType::User, Some(pin)) {
            // Another session of this process has: a token knows processes, not sessions.
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(Self(session)),
            Err(error) => Err(not_logged_in(uri, error)),
        }
    }

    /// The one key with the address's label.
    fn find(&self, uri: &TokenUri) -> Result<ObjectHandle, TokenError> {
        match self.0.find_objects(&template(uri))?[..] {
            [key] => self.check(uri, key).map(|()| key),
            [] => Err(TokenError::KeyMissing(uri.clone())),
            _ => Err(TokenError::KeyAmbiguous(uri.clone())),
        }
    }

    /// A key that can be read out of its token is a key in a file with extra steps.
    fn check(&self, uri: &TokenUri, key: ObjectHandle) -> Result<(), TokenError> {
        let attributes = self.0.get_attributes(
            key,
            &[
                AttributeType::KeyType,
                AttributeType::ValueLen,
                AttributeType::Sensitive,
                AttributeType::Extractable,
                AttributeType::Encrypt,
                AttributeType::Decrypt,
            ],
        )?;
        let unfit = |unfit| Err(TokenError::Unfit { uri: uri.clone(), unfit });
        let is = |attribute| attributes.contains(&attribute);
        if !is(Attribute::KeyType(KeyType::AES)) || !is(Attribute::ValueLen((KEY_BYTES as u64).into())) {
            return unfit(Unfit::NotAes256);
        }
        if !is(Attribute::Sensitive(true)) || !is(Attribute::Extractable(false)) {
            return unfit(Unfit::Extractable);
        }
        if !is(Attribute::Encrypt(true)) || !is(Attribute::Decrypt(true)) {
            return unfit(Unfit::NotForEncryption);
        }
        Ok(())
    }
}

/// What is asked of a key to be the one.
fn template(uri: &TokenUri) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Label(uri.object().as_str().into()),
    ]
}

fn gcm<'a>(nonce: &'a mut [u8; NONCE_LEN], aad: &'a [u8]) -> Result<Mechanism<'a>, CryptokiError> {
    Ok(Mechanism::AesGcm(GcmParams::new(nonce, aad, (8 * TAG_BYTES as u64).into())?))
}

fn not_logged_in(uri: &TokenUri, error: CryptokiError) -> TokenError {
    match error {
        CryptokiError::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => {
            TokenError::WrongPin(uri.clone())
        }
        CryptokiError::Pkcs11(RvError::PinLocked, _) => TokenError::PinLocked(uri.clone()),
        error => error.into(),
    }
}

fn pin(uri: &TokenUri) -> Result<AuthPin, TokenError> {
    let text = match uri.pin() {
        PinSource::Environment(variable) => variable.read()?,
        PinSource::File(path) => file::read(Secret::Pin, path)?,
    };
    match text.trim_end_matches(['\r', '\n']) {
        // To try it would cost one of the few tries that a token gives.
        "" => Err(TokenError::WrongPin(uri.clone())),
        pin => Ok(AuthPin::from(pin)),
    }
}

/// The slot with the token of this label.
fn slot(module: &Pkcs11, uri: &TokenUri) -> Result<Slot, TokenError> {
    let mut found = None;
    let mut others = Vec::new();
    for slot in module.get_slots_with_token()? {
        // A slot whose token cannot be read is not the one that is looked for.
        let Ok(info) = module.get_token_info(slot) else { continue };
        if info.label() != uri.token().as_str() {
            others.push(info.label().to_owned());
        } else if found.replace(slot).is_some() {
            return Err(TokenError::TokenAmbiguous(uri.clone()));
        }
    }
    found.ok_or_else(|| TokenError::TokenMissing { uri: uri.clone(), others: others.join(", ") })
}

/// The module, loaded once in the life of the process: PKCS #11 allows one `C_Initialize`, and what is unloaded may
/// have threads.
fn module(path: &Path) -> Result<Pkcs11, TokenError> {
    static MODULES: OnceLock<Mutex<HashMap<PathBuf, Pkcs11>>> = OnceLock::new();
    // A panic in another thread left the map as it was.
    let mut modules = MODULES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(module.clone());
    }
    if !path.exists() {
        return Err(TokenError::ModuleMissing(path.into()));
    }
    let unusable = |source| TokenError::ModuleUnusable { path: path.into(), source };
    let module = Pkcs11::new(path).map_err(unusable)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // By another path to the same module.
        Ok(()) | Err(CryptokiError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(unusable(error)),
    }
    modules.insert(path.into(), module.clone());
    Ok(module)
}

/// What makes a key none for the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It can be read out of its token.
    #[error("can be taken out of its token (CKA_SENSITIVE is not true or CKA_EXTRACTABLE not false)")]
    Extractable,
    /// It is for another cipher.
    #[error("is no AES key of 256 bits")]
    NotAes256,
    /// The token does not encrypt with it.
    #[error("is not for encryption (CKA_ENCRYPT and CKA_DECRYPT are not both true)")]
    NotForEncryption,
}

/// What a module said, by the names of the standard: what they mean is told in more words than help here.
fn said(error: &CryptokiError) -> String {
    match error {
        CryptokiError::Pkcs11(error, function) => format!("{function:?}: {error:?}"),
        error => error.to_string(),
    }
}

/// Why a token does not give its key's use. The operator's to put right.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The token failed, or the way to it. Trying again may help.
    #[error(
        "the PKCS#11 token failed ({said}); look whether it is there and reachable, then try again",
        said = said(.0)
    )]
    Failed(#[from] CryptokiError),
    /// There are several keys of this label.
    #[error(
        "the token {token} has several secret keys {object}; give the right one a label of its own",
        token = .0.token(), object = .0.object()
    )]
    KeyAmbiguous(TokenUri),
    /// The label is taken.
    #[error(
        "the token {token} has a secret key {object} already and it may be in use; name another with object=",
        token = .0.token(), object = .0.object()
    )]
    KeyExists(TokenUri),
    /// There is no such key.
    #[error(
        "the token {token} has no secret key {object}; restore it from the token's backup, or for a new vault \
         type: cardseal-vault keys kek init --kek '{0}'", token = .0.token(), object = .0.object()
    )]
    KeyMissing(TokenUri),
    /// One wrong PIN more locks the token.
    #[error(
        "the token {token} was given wrong PINs and takes one more try, which the vault leaves to you; log in \
         with the right PIN by hand, put it where pin-source says, and start again", token = .0.token()
    )]
    LastTry(TokenUri),
    /// There is no such module.
    #[error(
        "there is no PKCS#11 module {path}; install the token's software (SoftHSM's on Debian: apt-get install \
         softhsm2) or put module-path right", path = .0.display()
    )]
    ModuleMissing(PathBuf),
    /// The module does not start.
    #[error(
        "the PKCS#11 module {path} cannot be used ({said}); put module-path or the module's own configuration \
         right", path = .path.display(), said = said(.source)
    )]
    ModuleUnusable {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        source: CryptokiError,
    },
    /// The token does not do AES-GCM.
    #[error("the token {token} does not do AES-GCM (CKM_AES_GCM); use one that does", token = .0.token())]
    NoGcm(TokenUri),
    /// There is no such private key, or there are several.
    #[error(
        "the token {token} has not exactly one private key {object}; put object= right", token = .0.token(),
        object = .0.object()
    )]
    NoPrivateKey(TokenUri),
    /// Nobody has set the token up.
    #[error("the token {token} has no user PIN yet; set one with the token's own tool", token = .0.token())]
    NoPin(TokenUri),
    /// The token's AES-GCM gives something else than ciphertext and tag.
    #[error("the token {token} does AES-GCM in a form of its own; use another", token = .0.token())]
    OddCiphertext(TokenUri),
    /// The PIN's file cannot be had, or not safely.
    #[error(transparent)]
    PinFile(#[from] FileError),
    /// Too many wrong PINs.
    #[error(
        "the PIN of the token {token} is locked after too many wrong ones; unlock it with the token's own tool \
         and the security officer's PIN", token = .0.token()
    )]
    PinLocked(TokenUri),
    /// The PIN's variable cannot be had.
    #[error(transparent)]
    PinVariable(#[from] EnvironmentError),
    /// There are several tokens of this label.
    #[error("several tokens have the label {token}; give the right one a label of its own", token = .0.token())]
    TokenAmbiguous(TokenUri),
    /// There is no such token.
    #[error(
        "no token has the label {token} (there are: {others}); put token= right, or look whether it is plugged \
         in and its module configured", token = .uri.token()
    )]
    TokenMissing {
        /// What was looked for.
        uri: TokenUri,
        /// The labels of those that are there.
        others: String,
    },
    /// The key would not be safe, or of no use.
    #[error(
        "the key {object} in the token {token} {unfit}; name another with object=, or make one: \
         cardseal-vault keys kek init --kek '{uri}'", object = .uri.object(), token = .uri.token()
    )]
    Unfit {
        /// Where it is.
        uri: TokenUri,
        /// What is wrong with it.
        unfit: Unfit,
    },
    /// The private key would not be safe, or of no use.
    #[error(
        "the private key {object} in the token {token} is neither RSA nor on P-256, is not for signing, or can be \
         taken out of its token", object = .0.object(), token = .0.token()
    )]
    UnfitPrivateKey(TokenUri),
    /// The PIN is wrong. Trying it again would lock the token.
    #[error(
        "the PIN of the token {token} is wrong; put the right one where pin-source says before you start \
         again: a few wrong ones lock the token", token = .0.token()
    )]
    WrongPin(TokenUri),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_that_the_token_does_not_take_is_told_apart_from_a_failure() {
        let uri = "pkcs11:token=cards;object=kek?module-path=/m.so&pin-source=file:/pin".parse().unwrap();
        let told = |error| not_logged_in(&uri, CryptokiError::Pkcs11(error, Function::Login));
        for error in [RvError::PinIncorrect, RvError::PinInvalid, RvError::PinLenRange] {
            assert!(matches!(told(error), TokenError::WrongPin(_)));
        }
        let locked = told(RvError::PinLocked);
        assert!(matches!(locked, TokenError::PinLocked(_)));
        assert!(locked.to_string().contains("security officer's PIN"), "{locked}");
        assert!(matches!(told(RvError::DeviceRemoved), TokenError::Failed(_)));
    }
}
