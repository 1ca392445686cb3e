//! Telling a client of changes, as vendors do: with a certificate of their own, to a server that the client runs.

use anyhow::{Context, Result, ensure};
use reqwest::{Certificate, Client, RequestBuilder, tls};
use serde::Deserialize;
use serde_json::Value;

use crate::certificates::Identity;
use crate::random::uuid;

/// Where a client listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// For PCI tokens the whole address; for D1 what comes before `/merchant-gateways`.
    pub url: String,
    /// Whose signature its certificate has, PEM.
    pub authority: String,
    /// What an access token is asked for with at its `/oauth2/token`; none if it wants the certificate only.
    pub oauth: Option<OAuth>,
}

/// Credentials of a client by RFC 6749 section 4.4.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

/// A change to tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What comes after the receiver's address.
    pub path: String,
    /// What is told.
    pub body: Value,
}

/// The vendor, as a client of its clients.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    identity: Identity,
}

#[derive(Deserialize)]
struct Access {
    access_token: String,
}

impl Caller {
    /// One with this certificate.
    pub(crate) const fn new(identity: Identity) -> Self {
        Self { identity }
    }

    /// What it shows.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells a receiver once. Gives the status of its answer.
    ///
    /// # Errors
    /// When it could not be reached or gives no access.
    pub(crate) async fn tell(&self, receiver: &Receiver, notification: &Notification) -> Result<u16> {
        let client = self.client(receiver)?;
        let request = client.post(format!("{}{}", receiver.url, notification.path)).json(&notification.body);
        let request = match &receiver.oauth {
            Some(oauth) => request.bearer_auth(access(&client, receiver, oauth).await?),
            None => request,
        };
        Ok(named(request).send().await?.status().as_u16())
    }

    fn client(&self, receiver: &Receiver) -> Result<Client> {
        let Identity { certificate, key } = &self.identity;
        let identity = reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes())?;
        let authority = Certificate::from_pem(receiver.authority.as_bytes())?;
        let client = Client::builder().tls_certs_only([authority]).identity(identity);
        Ok(client.tls_version_min(tls::Version::TLS_1_2).no_proxy().build()?)
    }
}

async fn access(client: &Client, receiver: &Receiver, oauth: &OAuth) -> Result<String> {
    let request = client.post(format!("{}/oauth2/token", receiver.url));
    let request = request.basic_auth(&oauth.client_id, Some(&oauth.client_secret));
    let answer = named(request.form(&[("grant_type", "client_credentials")])).send().await?;
    ensure!(answer.status().is_success(), "the receiver gives no access: {}", answer.status());
    let access: Access = answer.json().await.context("what the receiver gives is no access token")?;
    Ok(access.access_token)
}

fn named(request: RequestBuilder) -> RequestBuilder {
    request.header("x-correlation-id", uuid())
}
