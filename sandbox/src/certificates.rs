//! Certificates for mutual TLS: an authority of the vendor's that signs its own server's certificate and its clients'.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS#8.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = params(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// For a server on this machine.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn server(&self) -> Result<Identity> {
        self.signed(params("sandbox", &["127.0.0.1", "localhost"])?, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For a client of this common name.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn client(&self, name: &str) -> Result<Identity> {
        self.signed(params(name, &[])?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The same with an RSA key, which takes a while to make.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn rsa_client(&self, name: &str) -> Result<Identity> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        self.signed_with(key, params(name, &[])?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// TLS for a server that lets in only who has a certificate of this authority.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn mutual_tls(&self, versions: &[&'static SupportedProtocolVersion]) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.certificate.as_bytes())?)?;
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
        let identity = self.server()?;
        let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes())?];
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn signed(&self, params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Identity> {
        self.signed_with(KeyPair::generate()?, params, usage)
    }

    fn signed_with(
        &self,
        key: KeyPair,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Identity> {
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

/// A certificate that says whose an RSA key is, as vendors hand theirs out: the key itself is what matters.
///
/// # Errors
/// When the certificate cannot be made.
pub fn of_rsa_key(name: &str, pkcs8: &[u8]) -> Result<String> {
    let der = PrivatePkcs8KeyDer::from(pkcs8);
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256)?;
    Ok(params(name, &[])?.self_signed(&key)?.pem())
}

fn params(name: &str, hosts: &[&str]) -> Result<CertificateParams> {
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
