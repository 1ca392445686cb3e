//! The vendors that a card can end up at: what they know a merchant by, where they are, and how they are talked to.

pub mod account;
pub(crate) mod backoff;
pub mod client_key;
pub mod fault;
pub mod http;
pub mod path;
pub mod sealed;
pub mod sealing_key;
pub mod settings;
pub mod thales_d1;
pub mod thales_pci;
pub mod token;
mod watched;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardseal::client::Profile;
use rustls::pki_types::pem;
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::keys::Sha256Digest;
use crate::keys::kek::file::FileError;
use crate::keys::kek::pkcs11::TokenError;
use crate::merchant::Mode;
use crate::time::Timestamp;

pub use account::Account;
pub use fault::Failed;
pub use sealed::Sealed;
pub use thales_d1::ThalesD1;
pub use thales_pci::ThalesPci;
pub use token::VendorToken;
pub use watched::Watched;

use client_key::ClientKey;
use http::{Client, Identity, Tls};
use sealing_key::SealingKey;
use settings::Settings;

/// The vendors as a vault reaches them.
#[derive(Debug, Default)]
pub struct Vendors {
    /// Where they are.
    pub settings: Settings,
    /// Thales D1.
    pub thales_d1: ByMode<ThalesD1>,
    /// Thales's PCI tokens.
    pub thales_pci: ByMode<ThalesPci>,
    /// Where a key is all that a vendor wants to see. Made when it is first used: a vault without such vendors needs no
    /// authorities of the system's.
    plain: OnceCell<Arc<Client>>,
}

/// One for test merchants and one for live ones: a vendor's own test system must not meet real cards, nor the other way.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByMode<T> {
    /// For live merchants.
    pub live: Option<T>,
    /// For test merchants.
    pub test: Option<T>,
}

impl<T> ByMode<T> {
    /// The one for merchants of this mode.
    #[must_use]
    pub const fn of(&self, mode: Mode) -> Option<&T> {
        match mode {
            Mode::Live => self.live.as_ref(),
            Mode::Test => self.test.as_ref(),
        }
    }

    /// Each that there is, with its mode.
    pub fn each(&self) -> impl Iterator<Item = (Mode, &T)> {
        [Mode::Live, Mode::Test].into_iter().filter_map(|mode| Some((mode, self.of(mode)?)))
    }

    fn try_map<U>(&self, open: impl Fn(&T) -> Result<U, VendorError>) -> Result<ByMode<U>, VendorError> {
        let open = |one: &Option<T>| one.as_ref().map(&open).transpose();
        Ok(ByMode { live: open(&self.live)?, test: open(&self.test)? })
    }
}

impl<T> Default for ByMode<T> {
    fn default() -> Self {
        Self { live: None, test: None }
    }
}

impl Vendors {
    /// Reads the certificates and keys that the settings name. Nothing is sent.
    ///
    /// # Errors
    /// [`VendorError`]
    pub fn open(settings: Settings) -> Result<Self, VendorError> {
        Ok(Self {
            thales_d1: settings.thales_d1.try_map(|d1| {
                let tls = identified(&d1.client_cert, &d1.client_key, d1.authority.as_deref());
                ThalesD1::open(d1, Client::open(tls)?)
            })?,
            thales_pci: settings.thales_pci.try_map(|pci| {
                let (file, kid) = (pci.sealing_cert.clone(), pci.sealing_kid.clone());
                Ok(ThalesPci {
                    client: Client::open(identified(
                        &pci.client_cert,
                        &pci.client_key,
                        pci.authority.as_deref(),
                    ))?,
                    sealing_key: Watched::new(vec![file.clone()], move || {
                        SealingKey::from_certificate(&file, kid.as_str())
                    })?,
                    settings: pci.clone(),
                })
            })?,
            plain: OnceCell::new(),
            settings,
        })
    }

    /// The thumbprints of the keys that cards are sealed to for vendors, as they are in their files now.
    pub(crate) fn sealing_keys(&self) -> Vec<Sha256Digest> {
        let d1 = self
            .thales_d1
            .each()
            .flat_map(|(_, d1)| d1.sealing_keys.get().iter().map(SealingKey::thumbprint).collect::<Vec<_>>());
        d1.chain(self.thales_pci.each().map(|(_, pci)| pci.sealing_key.get().thumbprint())).collect()
    }

    /// Connections without a certificate of the vault's.
    ///
    /// # Errors
    /// [`VendorError`]
    pub(crate) async fn client(&self) -> Result<Arc<Client>, VendorError> {
        let client = self.plain.get_or_try_init(async || Client::open(Tls::default()).map(Arc::new)).await?;
        Ok(Arc::clone(client))
    }
}

/// A certificate that the vault shows to a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// To whom.
    pub profile: Profile,
    /// For merchants of which mode.
    pub mode: Mode,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Vendors {
    /// The certificates that the vault shows, as they are in their files now.
    pub fn client_certificates(&self) -> impl Iterator<Item = ClientCertificate> {
        let d1 = self.thales_d1.each().map(|(mode, d1)| (Profile::ThalesD1, mode, d1.client()));
        let pci = self.thales_pci.each().map(|(mode, pci)| (Profile::ThalesPci, mode, &pci.client));
        d1.chain(pci).filter_map(|(profile, mode, client)| {
            client.certificate_expires_at().map(|expires_at| ClientCertificate { profile, mode, expires_at })
        })
    }
}

fn identified(certificate: &Path, key: &ClientKey, authority: Option<&Path>) -> Tls {
    let identity = Identity { certificate: certificate.into(), key: key.clone() };
    Tls { authority: authority.map(Into::into), identity: Some(identity) }
}

/// Why a vendor cannot be reached at all. The operator's to put right.
#[derive(Debug, Error)]
pub enum VendorError {
    /// A certificate is none, or not the key's.
    #[error("the certificate {path} cannot be used: {source}", path = .path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// Connections cannot be made: the machine may have no certificates of authorities.
    #[error("no connection to a vendor can be made: {0}")]
    NoClient(String),
    /// A PEM file cannot be read.
    #[error("the PEM file {path} cannot be read: {source}", path = .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// A file holds no key that a card can be sealed to.
    #[error("{path} holds no key that a card can be sealed to: {why}", path = .path.display())]
    SealingKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// A file holds no key that assertions can be signed with.
    #[error("{path} holds no private key on P-256 in PKCS#8, DER or PEM", path = .path.display())]
    SigningKey {
        /// The file.
        path: PathBuf,
    },
    /// Others can get at a file with a private key.
    #[error(transparent)]
    Secret(#[from] FileError),
    /// A token does not give its key's use.
    #[error("client_key: {0}")]
    Token(#[from] TokenError),
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
}
