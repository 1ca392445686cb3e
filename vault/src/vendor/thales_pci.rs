//! Thales's PCI tokens: `POST /pci-tokens` of its "ETP Server API", over TLS with a client certificate.
//!
//! | what | how sure |
//! | --- | --- |
//! | client certificate, `authorization: APIKEY …`, a new `x-correlation-id` for each request | documented |
//! | what may be asked again: 429 and 503, nothing else | documented |
//! | 201 with `tokenId` | documented for the same API's `POST /tokens` |
//! | the path, the members of the body | as there; settings |
//! | deleting, detokenizing | not documented: settings, and without one for it no detokenizing |

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method};
use cardseal::client::Profile;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Watched;
use super::account::{self, Name};
use super::backoff::Backoff;
use super::fault::{Failed, Fault};
use super::http::{Client, Reply, Request};
use super::sealed::Sealed;
use super::sealing_key::SealingKey;
use super::settings;
use crate::pci_token::CorrelationId;
use crate::time::Pauses;

/// Thales's PCI tokens, as far as they are set up.
#[derive(Debug)]
pub struct ThalesPci {
    /// Where they are.
    pub settings: settings::ThalesPci,
    /// The key that cards are sealed to.
    pub sealing_key: Watched<SealingKey>,
    /// Their server.
    pub client: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    token_id: Name,
}

/// A card on its way to whoever has the key: a JWE in compact form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detokenized {
    encrypted_data: String,
}

impl ThalesPci {
    /// Has a token made of a sealed card, once.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn create(
        &self,
        account: &account::ThalesPci,
        sealed: &Sealed,
        pauses: &Pauses,
    ) -> Result<Name, Failed> {
        let settings::ThalesPci { merchant_member, sealed_member, .. } = &self.settings;
        let body = json!({
            merchant_member.as_str(): account.merchant_id.as_str(),
            sealed_member.as_str(): sealed.as_str(),
        });
        let (reply, id) = self.ask(account, pauses, &Method::POST, &self.tokens(), &body.to_string()).await?;
        match serde_json::from_slice(&reply.body) {
            Ok(Created { token_id }) => Ok(token_id),
            Err(_) => Err(Fault::unreadable(PROFILE, &reply, id)),
        }
    }

    /// Deletes a token. One that Thales does not know any more is deleted.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn delete(
        &self,
        account: &account::ThalesPci,
        token: &Name,
        pauses: &Pauses,
    ) -> Result<(), Failed> {
        let url = format!("{}/{}", self.tokens(), token.as_str());
        match self.ask(account, pauses, &Method::DELETE, &url, "").await {
            Ok(_) | Err(Failed::Missing(_)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }

    /// The card behind a token, sealed to the merchant's own key. `None` where that is not set up.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn detokenize(
        &self,
        account: &account::ThalesPci,
        token: &Name,
        pauses: &Pauses,
    ) -> Option<Result<String, Failed>> {
        let url = self.settings.url.join(&self.settings.detokenize_path.as_ref()?.of(token));
        let asked = self.ask(account, pauses, &Method::POST, &url, "{}").await;
        Some(asked.map_err(Failed::of_a_question).and_then(|(reply, id)| {
            let sealed =
                serde_json::from_slice(&reply.body).ok().map(|Detokenized { encrypted_data }| encrypted_data);
            let unreadable = || Fault::unreadable(PROFILE, &reply, id).of_a_question();
            sealed.filter(|sealed| is_jwe(sealed)).ok_or_else(unreadable)
        }))
    }

    /// Asks, and asks again where Thales says that one may, each time under another correlation id.
    async fn ask(
        &self,
        account: &account::ThalesPci,
        pauses: &Pauses,
        method: &Method,
        url: &str,
        body: &str,
    ) -> Result<(Reply, CorrelationId), Failed> {
        let mut backoff = Backoff::default();
        loop {
            let id = CorrelationId::random();
            let request = Request {
                method: method.clone(),
                url: url.into(),
                headers: headers(account, &id),
                body: Zeroizing::new(body.into()),
            };
            let reply = match self.client.send(request).await {
                Ok(reply) => reply,
                Err(lost) => return Err(Fault::lost(PROFILE, lost, id)),
            };
            let wish = reply.retry_after;
            match Fault::judge(PROFILE, reply, id.clone()) {
                Ok(reply) => return Ok((reply, id)),
                Err(failed @ Failed::Unavailable(_)) => match backoff.next(wish) {
                    Some(pause) => pauses.pause(pause).await,
                    None => return Err(failed),
                },
                Err(failed) => return Err(failed),
            }
        }
    }

    /// Where tokens are.
    fn tokens(&self) -> String {
        self.settings.url.join(self.settings.tokens_path.as_str())
    }
}

const PROFILE: Profile = Profile::ThalesPci;

fn headers(account: &account::ThalesPci, id: &CorrelationId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Both are visible ASCII, as headers take it.
    if let Ok(mut key) = HeaderValue::try_from(format!("APIKEY {}", account.api_key.expose())) {
        key.set_sensitive(true);
        headers.insert(AUTHORIZATION, key);
    }
    if let Ok(id) = HeaderValue::try_from(id.as_str()) {
        headers.insert(CORRELATION_ID, id);
    }
    headers
}

/// What ties request, answer and notifications together.
pub(super) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Most characters of a JWE (Thales, `encryptedData`).
const MAX_JWE_CHARS: usize = 8196;

/// Whether a text has the five parts of a JWE in compact form, of base64url. What is in it is not for the vault.
fn is_jwe(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= MAX_JWE_CHARS && text.bytes().all(allowed) && text.split('.').count() == 5
}
