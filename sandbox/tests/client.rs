//! Clients, with and without a certificate.

use cardseal_sandbox::certificates::Identity;
use reqwest::{Certificate, Client, tls};

/// One that trusts an authority, and shows a certificate if it has one.
pub(crate) fn trusting(authority: &str, identity: Option<&Identity>) -> Client {
    let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([authority]);
    match identity {
        Some(identity) => client.identity(read(identity)),
        None => client,
    }
    .build()
    .unwrap()
}

/// One that speaks nothing newer than TLS 1.2, or nothing older than TLS 1.3.
pub(crate) fn speaking(authority: &str, identity: &Identity, version: tls::Version) -> Client {
    let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([authority]).identity(read(identity));
    client.tls_version_min(version).tls_version_max(version).build().unwrap()
}

fn read(Identity { certificate, key }: &Identity) -> reqwest::Identity {
    reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap()
}
