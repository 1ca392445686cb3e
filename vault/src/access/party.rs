//! Who a client certificate says that its holder is: one of the vendors, each with an authority and a name of its own. A
//! certificate of the same authority under another name is another customer's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde::{Deserialize, Deserializer, de};
use thiserror::Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The certificates that a client has shown, its own first. On requests of a connection that asks for them.
#[derive(Clone, Debug)]
pub struct Shown(pub Arc<[CertificateDer<'static>]>);

/// The name in a certificate: its common name, or a DNS name of its alternative names. 1 to 255 printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateName(String);

impl CertificateName {
    /// Reads one; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_printable = !text.chars().any(char::is_control);
        ((1..=255).contains(&text.len()) && is_printable && text.trim() == text).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CertificateName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a certificate's name has 1 to 255 characters"))
    }
}

/// One that may be let in.
#[derive(Clone)]
pub struct Party {
    clients: Arc<dyn ClientCertVerifier>,
    name: CertificateName,
}

impl Party {
    /// Whoever has a certificate of these authorities (PEM) with this name.
    ///
    /// # Errors
    /// [`AuthorityError`]
    pub fn read(authorities: &Path, name: CertificateName) -> Result<Self, AuthorityError> {
        Ok(Self { clients: verifier(&[authorities])?, name })
    }

    /// Whether these are certificates of its.
    #[must_use]
    pub fn has_shown(&self, Shown(certificates): &Shown) -> bool {
        let Some((own, others)) = certificates.split_first() else { return false };
        self.clients.verify_client_cert(own, others, UnixTime::now()).is_ok() && self.is_named_in(own)
    }

    /// Names are compared whole; those of hosts without regard to case (RFC 4343).
    fn is_named_in(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
        let names = certificate.subject_alternative_name().ok().flatten();
        let mut hosts =
            names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
                GeneralName::DNSName(host) => Some(*host),
                _ => None,
            });
        let mut common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        hosts.any(|host| host.eq_ignore_ascii_case(self.name.as_str()))
            || common.any(|name| name == self.name.as_str())
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Party").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Takes certificates of any of these authorities (PEM), and nothing else.
///
/// # Errors
/// [`AuthorityError`]
pub fn verifier(authorities: &[&Path]) -> Result<Arc<dyn ClientCertVerifier>, AuthorityError> {
    let mut roots = RootCertStore::empty();
    for path in authorities {
        let file = |source| AuthorityError::File { path: path.into(), source };
        let before = roots.len();
        for authority in CertificateDer::pem_file_iter(path).map_err(file)? {
            let unusable = |source| AuthorityError::Unusable { path: path.into(), source };
            roots.add(authority.map_err(file)?).map_err(unusable)?;
        }
        if roots.len() == before {
            return Err(AuthorityError::None { path: path.into() });
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let path = authorities.first().map(PathBuf::from).unwrap_or_default();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map(|verifier| verifier as _).map_err(|_| AuthorityError::None { path })
}

/// Why no certificate could be looked at. The operator's to put right.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A PEM file cannot be read.
    #[error("the PEM file {path} cannot be read: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// There is no authority whose certificates clients could show.
    #[error("the PEM file {path} has no certificate of an authority", path = .path.display())]
    None {
        /// The file.
        path: PathBuf,
    },
    /// A certificate is none of an authority.
    #[error("a certificate in {path} cannot be an authority's: {source}", path = .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}
