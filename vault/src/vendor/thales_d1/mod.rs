//! Thales D1's eCom API, over TLS with a client certificate and an OAuth access token.
//!
//! | what | how sure |
//! | --- | --- |
//! | client certificate, access by JWT bearer, `x-correlation-id` | documented |
//! | paths under `/merchant-gateways/{gateway}/merchants/{merchant}/tokens` | documented for what D1 sends; settings |
//! | making, reading and deleting a token, cryptograms; their members | not documented where we could read; as the rest of D1 names them |
//! | 422 for a card that it does not take | not documented where we could read |
//!
//! Nothing says that a request may come again, so none does, but after 401: then nothing was done, and the access token has
//! ended.

mod access;

use std::fmt;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use cardseal::client::Profile;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::account::{self, Name};
use super::fault::{Failed, Fault};
use super::http::{Client, Reply, Request};
use super::sealed::Sealed;
use super::sealing_key::SealingKey;
use super::settings;
use super::thales_pci::CORRELATION_ID;
use super::token::State;
use super::{VendorError, Watched};
use crate::pci_token::{CorrelationId, MonthYear};
use crate::time::Clock;

use access::Access;

/// Thales D1, as far as it is set up.
#[derive(Debug)]
pub struct ThalesD1 {
    /// Where it is, and who the vault is to it.
    pub settings: settings::ThalesD1,
    /// The keys that cards are sealed to, the one to seal to first.
    pub sealing_keys: Watched<Vec<SealingKey>>,
    client: Client,
    access: Access,
}

/// What stands in a card's place for a payment.
#[derive(Debug)]
pub struct Credentials {
    /// The number.
    pub dpan: Dpan,
    /// Its expiry.
    pub expiry: MonthYear,
    /// The proof that the payment is the merchant's; none where the network wants none.
    pub cryptogram: Option<Cryptogram>,
}

/// A number in a card's place: 12 to 19 digits. It is no card's, and not shown all the same.
pub struct Dpan(Zeroizing<String>);

/// A cryptogram: 1 to 256 visible ASCII characters.
pub struct Cryptogram(Zeroizing<String>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    token_id: Name,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenCredentials {
    dpan: Zeroizing<String>,
    dpan_expiry: String,
    cryptogram: Option<Zeroizing<String>>,
}

impl ThalesD1 {
    /// Reads the keys and certificates. Nothing is sent.
    ///
    /// # Errors
    /// [`VendorError`]
    pub(super) fn open(settings: &settings::ThalesD1, client: Client) -> Result<Self, VendorError> {
        let file = settings.sealing_keys.clone();
        Ok(Self {
            sealing_keys: Watched::new(vec![file.clone()], move || SealingKey::from_jwks(&file))?,
            access: Access::open(settings)?,
            settings: settings.clone(),
            client,
        })
    }

    /// Its server.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Has a token made of a sealed card, once, whoever issued the card.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn create(
        &self,
        account: &account::ThalesD1,
        sealed: &Sealed,
        clock: &Clock,
    ) -> Result<(Name, State), Failed> {
        let body = json!({ self.settings.sealed_member.as_str(): sealed.as_str() }).to_string();
        let url = self.tokens(account);
        let (reply, id) = self.ask(clock, &Method::POST, &url, Some(&body)).await?;
        let created = serde_json::from_slice(&reply.body).ok().and_then(|Created { token_id, state }| {
            let state = state.map_or(Some(State::Active), |state| State::parse(&state))?;
            Some((token_id, state))
        });
        created.ok_or_else(|| Fault::unreadable(PROFILE, &reply, id))
    }

    /// Deletes a token. One that D1 does not know any more is deleted.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn delete(
        &self,
        account: &account::ThalesD1,
        token: &Name,
        clock: &Clock,
    ) -> Result<(), Failed> {
        let url = self.token(account, token);
        match self.ask(clock, &Method::DELETE, &url, None).await {
            Ok(_) | Err(Failed::Missing(_)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }

    /// What one payment is made with, with a cryptogram of its own.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn cryptogram(
        &self,
        account: &account::ThalesD1,
        token: &Name,
        clock: &Clock,
    ) -> Result<Credentials, Failed> {
        let url = format!("{}/cryptograms", self.token(account, token));
        let (reply, id) = self.ask(clock, &Method::POST, &url, Some("{}")).await?;
        let credentials = Credentials::read(&reply.body).filter(|given| given.cryptogram.is_some());
        credentials.ok_or_else(|| Fault::unreadable(PROFILE, &reply, id))
    }

    /// What a later payment of a series is made with, as it is now: both can change when a card is renewed or replaced.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn credentials(
        &self,
        account: &account::ThalesD1,
        token: &Name,
        clock: &Clock,
    ) -> Result<Credentials, Failed> {
        let asked = self.ask(clock, &Method::GET, &self.token(account, token), None).await;
        let (reply, id) = asked.map_err(Failed::of_a_question)?;
        let credentials =
            Credentials::read(&reply.body).map(|given| Credentials { cryptogram: None, ..given });
        credentials.ok_or_else(|| Fault::unreadable(PROFILE, &reply, id).of_a_question())
    }

    /// Asks once; or twice, if the access token was refused.
    async fn ask(
        &self,
        clock: &Clock,
        method: &Method,
        url: &str,
        body: Option<&str>,
    ) -> Result<(Reply, CorrelationId), Failed> {
        let access = self.access.get(self, clock, None).await?;
        match self.ask_with(&access, method, url, body).await {
            Err(failed) if failed.fault().status == Some(StatusCode::UNAUTHORIZED) => {
                let renewed = self.access.get(self, clock, Some(&access)).await?;
                self.ask_with(&renewed, method, url, body).await
            }
            answered => answered,
        }
    }

    async fn ask_with(
        &self,
        access: &HeaderValue,
        method: &Method,
        url: &str,
        body: Option<&str>,
    ) -> Result<(Reply, CorrelationId), Failed> {
        let id = CorrelationId::random();
        let mut headers = headers(&id);
        headers.insert(AUTHORIZATION, access.clone());
        let body = Zeroizing::new(body.unwrap_or_default().into());
        let request = Request { method: method.clone(), url: url.into(), headers, body };
        match self.client.send(request).await {
            Ok(reply) => Ok((Fault::judge(PROFILE, reply, id.clone())?, id)),
            Err(lost) => Err(Fault::lost(PROFILE, lost, id)),
        }
    }

    /// Where a merchant's tokens are.
    fn tokens(&self, account: &account::ThalesD1) -> String {
        let settings::ThalesD1 { url, gateway, tokens_path, .. } = &self.settings;
        url.join(&tokens_path.of(gateway, &account.merchant_id))
    }

    fn token(&self, account: &account::ThalesD1, token: &Name) -> String {
        format!("{}/{}", self.tokens(account), token.as_str())
    }
}

const PROFILE: Profile = Profile::ThalesD1;

fn headers(id: &CorrelationId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A UUID, which headers take.
    if let Ok(id) = HeaderValue::try_from(id.as_str()) {
        headers.insert(CORRELATION_ID, id);
    }
    headers
}

impl Credentials {
    fn read(body: &[u8]) -> Option<Self> {
        let GivenCredentials { dpan, dpan_expiry, cryptogram } = serde_json::from_slice(body).ok()?;
        let is_number = (12..=19).contains(&dpan.len()) && dpan.bytes().all(|byte| byte.is_ascii_digit());
        let fits =
            |text: &str| (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let cryptogram = match cryptogram {
            Some(text) if !fits(&text) => return None,
            text => text.map(Cryptogram),
        };
        let expiry = MonthYear::from_mmyy(&dpan_expiry)?;
        is_number.then_some(Self { dpan: Dpan(dpan), expiry, cryptogram })
    }
}

impl Dpan {
    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Cryptogram {
    /// Its text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Dpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Dpan(…)")
    }
}

impl fmt::Debug for Cryptogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cryptogram(…)")
    }
}
