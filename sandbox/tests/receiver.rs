//! A client's server that Thales tells of changes.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use cardseal_sandbox::callback::OAuth;
use cardseal_sandbox::certificates::Authority;
use cardseal_sandbox::{Receiver, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;

/// One that lets in whoever has a certificate of `clients`.
pub(crate) async fn receiver(clients: &str, oauth: Option<OAuth>) -> (Server, Receiver) {
    let authority = Authority::new("A client's own").unwrap();
    let identity = authority.server().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap())
        .unwrap();
    let access = json!({ "access_token": "let-me-in", "expires_in": 900, "token_type": "Bearer" });
    let routes = Router::new()
        .route("/oauth2/token", post(async || axum::Json(access)))
        .fallback(async || StatusCode::NO_CONTENT);
    let server = Server::start(0, Some(Arc::new(tls)), routes).await.unwrap();
    let receiver = Receiver { url: server.url(), authority: authority.certificate().into(), oauth };
    (server, receiver)
}
