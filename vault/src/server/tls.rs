//! TLS with the operator's certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use thiserror::Error;

use crate::access::party::AuthorityError;
use crate::keys::kek::file::{self, FileError, Secret};

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// TLS 1.2 and 1.3 with rustls's own choice of suites.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        self.read_with(WebPkiClientVerifier::no_client_auth())
    }

    /// The same for clients that show a certificate that `clients` takes, and nobody else.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn read_mutual(&self, clients: Arc<dyn ClientCertVerifier>) -> Result<Arc<ServerConfig>, TlsError> {
        self.read_with(clients)
    }

    fn read_with(&self, clients: Arc<dyn ClientCertVerifier>) -> Result<Arc<ServerConfig>, TlsError> {
        file::check(Secret::ClientKey, &self.key)?;
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_client_cert_verifier(clients).with_single_cert(chain, key))
            .map_err(|source| TlsError::Certificate { path: self.certificate.clone(), source })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl FnOnce(pem::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File { path, source }
}

/// Why there is no TLS. The operator's to put right.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate is none, or not the key's.
    #[error("the certificate {path} cannot be used with this key: {source}", path = .path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// A PEM file cannot be read.
    #[error("the PEM file {path} cannot be read: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// Clients' certificates cannot be looked at.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Others can get at the key.
    #[error(transparent)]
    Key(#[from] FileError),
}
