//! Requests to a vendor's server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::client_key::{ClientKey, TokenKey};
use super::{VendorError, Watched};
use crate::keys::kek::file::{self, Secret};
use crate::time::Timestamp;

/// How long a vendor may take to be reached.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How long a vendor may take for an answer, unless a request says otherwise.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// How long a connection is kept that nobody uses: shorter than servers do, so that none ends as it is used again.
const LONGEST_IDLE: Duration = Duration::from_secs(20);

/// The longest body that is read of a vendor's answer.
const MOST_BYTES: usize = 64 * 1024;

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Whose signature the vendor's certificate has (PEM); the system's authorities, if there is none.
    pub authority: Option<PathBuf>,
    /// The vault's own certificate, with those that lead to the authority that the vendor knows, and its key.
    pub identity: Option<Identity>,
}

/// The vault's own certificate, with those that lead to the authority that the vendor knows (PEM), and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: ClientKey,
}

/// One vendor's server. Made anew when the files change that its connections are made with.
#[derive(Debug)]
pub struct Client(Watched<Held>);

/// What a client is made of.
struct Held {
    client: reqwest::Client,
    /// When the vault's own certificate ends, if it has one.
    expires_at: Option<Timestamp>,
}

/// Something to ask a vendor.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The headers. Values that are secret are marked so ([`HeaderValue::set_sensitive`](axum::http::HeaderValue)).
    pub headers: HeaderMap,
    /// The body; cleared when it was sent.
    pub body: Zeroizing<Vec<u8>>,
}

/// What a vendor answered. Nothing of it is to be believed yet.
pub struct Reply {
    /// How it went.
    pub status: StatusCode,
    /// How long it asks to be left alone, when it says so in seconds.
    pub retry_after: Option<Duration>,
    /// The body; it may hold a card.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nobody could be reached: nothing was asked, so asking again is safe.
    NotSent,
    /// The connection broke, the answer was too long or none came in time: what was asked for may have been done.
    Unknown,
}

impl Client {
    /// Reads the files. Nothing is sent.
    ///
    /// # Errors
    /// [`VendorError`]
    pub fn open(tls: Tls) -> Result<Self, VendorError> {
        let certificate = tls.identity.iter().map(|identity| &*identity.certificate);
        let key = tls.identity.iter().filter_map(|identity| identity.key.file());
        let files = tls.authority.iter().map(|path| &**path).chain(certificate).chain(key);
        let files = files.map(PathBuf::from).collect();
        Ok(Self(Watched::new(files, move || Held::new(&tls))?))
    }

    /// Asks once. No redirect is followed, and no proxy used that the environment names.
    ///
    /// # Errors
    /// [`Lost`]
    pub async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let Request { method, url, headers, body } = request;
        let held = self.0.get();
        // Not a copy of it, which nobody would clear.
        let body = Bytes::from_owner(body);
        let sent = held.client.request(method, url).headers(headers).body(body).send().await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => return Err(Lost::NotSent),
            Err(_) => return Err(Lost::Unknown),
        };
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|wish| wish.to_str().ok()?.parse().ok());
        let mut body = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        while let Some(chunk) = response.chunk().await.map_err(|_| Lost::Unknown)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(Lost::Unknown);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status(), retry_after: retry_after.map(Duration::from_secs), body })
    }

    /// When the vault's own certificate ends, if it has one.
    #[must_use]
    pub fn certificate_expires_at(&self) -> Option<Timestamp> {
        self.0.get().expires_at
    }
}

impl Held {
    fn new(tls: &Tls) -> Result<Self, VendorError> {
        let no_client = |error: &dyn fmt::Display| VendorError::NoClient(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| no_client(&error))?;
        let builder = match &tls.authority {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    let wrong = |source| VendorError::Certificate { path: path.clone(), source };
                    roots.add(certificate).map_err(wrong)?;
                }
                builder.with_root_certificates(roots)
            }
            None => builder.with_platform_verifier().map_err(|error| no_client(&error))?,
        };
        let (config, expires_at) = match &tls.identity {
            Some(Identity { certificate: path, key }) => {
                let chain = certificates(path)?;
                let expires_at = chain.first().and_then(expiry);
                let config = match key {
                    ClientKey::File(key) => {
                        file::check(Secret::ClientKey, key)?;
                        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
                        let wrong = |source| VendorError::Certificate { path: path.clone(), source };
                        builder.with_client_auth_cert(chain, key).map_err(wrong)?
                    }
                    ClientKey::Token(uri) => {
                        let key = CertifiedKey::new(chain, Arc::new(TokenKey::open(uri)?));
                        builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
                    }
                };
                (config, expires_at)
            }
            None => (builder.with_no_client_auth(), None),
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(LONGEST_CONNECT)
            .timeout(LONGEST_ANSWER)
            .pool_idle_timeout(LONGEST_IDLE)
            .user_agent("cardseal-vault")
            .build();
        Ok(Self { client: client.map_err(|error| no_client(&error))?, expires_at })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, VendorError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl FnOnce(pem::Error) -> VendorError {
    let path = PathBuf::from(path);
    move |source| VendorError::Pem { path, source }
}

/// When a certificate ends (RFC 5280 section 4.1.2.5).
fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    u64::try_from(certificate.validity().not_after.timestamp()).ok().map(Timestamp::from_unix_seconds)
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Held").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Headers may hold a key, and a body a card.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A body may hold a card.
impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
