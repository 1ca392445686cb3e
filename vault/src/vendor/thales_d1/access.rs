//! The access token for D1: asked for with an assertion (RFC 7523 section 2.1), shared by all requests, and renewed before
//! its end, once, however many requests wait for it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::http::{HeaderValue, Method};
use base64ct::{Base64UrlUnpadded, Encoding};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{PROFILE, ThalesD1, headers};
use crate::keys::kek::file::{self, Secret};
use crate::pci_token::CorrelationId;
use crate::time::{Clock, Timestamp};
use crate::vendor::fault::{Failed, Fault};
use crate::vendor::http::{Reply, Request};
use crate::vendor::settings;
use crate::vendor::{VendorError, Watched};

/// Access to D1.
#[derive(Debug)]
pub(super) struct Access {
    signing_key: Watched<EcdsaKeyPair>,
    state: Mutex<State>,
    /// How often it was asked for.
    rounds: AtomicU64,
}

/// What came of asking for it last.
#[derive(Debug)]
enum State {
    /// It is good until then.
    Held(HeaderValue, Timestamp),
    /// Nothing came of it. Whoever waited meanwhile hears the same.
    Failed(Failed),
    Nothing,
}

/// The longest that an access token lives (Thales, "Get an OAuth 2.0 access token").
const LONGEST_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long before its end it is renewed: longer than any request is on its way.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// How long an assertion is good. D1 allows 15 minutes from its own clock; the rest is for clocks that are off.
const ASSERTION_LIFE: Duration = Duration::from_secs(10 * 60);

/// What D1 answers with.
#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    expires_in: Option<u64>,
}

impl Access {
    pub(super) fn open(settings: &settings::ThalesD1) -> Result<Self, VendorError> {
        let file = settings.signing_key.clone();
        Ok(Self {
            signing_key: Watched::new(vec![file.clone()], move || read(&file))?,
            state: Mutex::new(State::Nothing),
            rounds: AtomicU64::default(),
        })
    }

    /// The header for a request. One that was `refused` is not given again.
    pub(super) async fn get(
        &self,
        d1: &ThalesD1,
        clock: &Clock,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Failed> {
        let round = self.rounds.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        match &*state {
            State::Held(header, until) if clock.now() < *until && refused != Some(header) => {
                return Ok(header.clone());
            }
            // Somebody asked while this one waited: it would be told the same.
            State::Failed(failed) if self.rounds.load(Ordering::SeqCst) != round => {
                return Err(failed.clone());
            }
            State::Held(..) | State::Failed(_) | State::Nothing => {}
        }
        let asked_at = clock.now();
        let asked = self.ask(d1, asked_at).await;
        self.rounds.fetch_add(1, Ordering::SeqCst);
        match asked {
            Ok((header, life)) => {
                *state = State::Held(header.clone(), asked_at.plus(life.saturating_sub(RENEW_BEFORE)));
                Ok(header)
            }
            Err(failed) => {
                *state = State::Failed(failed.clone());
                Err(failed)
            }
        }
    }

    /// Asks for it.
    async fn ask(&self, d1: &ThalesD1, now: Timestamp) -> Result<(HeaderValue, Duration), Failed> {
        let id = CorrelationId::random();
        let assertion = self.assertion(&d1.settings, now).ok_or_else(|| unsigned(&id))?;
        let body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": &*assertion,
        });
        let request = Request {
            method: Method::POST,
            url: d1.settings.url.join(d1.settings.access_path.as_str()),
            headers: headers(&id),
            body: Zeroizing::new(body.to_string().into()),
        };
        let reply = match d1.client.send(request).await {
            Ok(reply) => Fault::judge(PROFILE, reply, id.clone()).map_err(without_a_card)?,
            Err(lost) => return Err(without_a_card(Fault::lost(PROFILE, lost, id))),
        };
        granted(&reply).ok_or_else(|| without_a_card(Fault::unreadable(PROFILE, &reply, id)))
    }

    /// A JWT (RFC 7519) signed with ES256 (RFC 7518 section 3.4).
    fn assertion(&self, settings: &settings::ThalesD1, now: Timestamp) -> Option<Zeroizing<String>> {
        let encode = |part: Value| Base64UrlUnpadded::encode_string(part.to_string().as_bytes());
        let header = encode(json!({ "alg": "ES256", "kid": settings.signing_kid }));
        let expires_at = now.plus(ASSERTION_LIFE).unix_seconds();
        let claims = encode(json!({ "iss": settings.gateway.as_str(), "exp": expires_at }));
        let signed = format!("{header}.{claims}");
        let signature = self.signing_key.get().sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = Base64UrlUnpadded::encode_string(signature.as_ref());
        Some(Zeroizing::new(format!("{signed}.{signature}")))
    }
}

/// What a failure means where no card is involved.
fn without_a_card(failed: Failed) -> Failed {
    match failed.of_a_question() {
        Failed::Card(fault) | Failed::Missing(fault) => Failed::Refused(fault),
        other => other,
    }
}

/// The library failed to sign, which no input makes it do.
fn unsigned(id: &CorrelationId) -> Failed {
    Failed::Unavailable(Fault { profile: PROFILE, status: None, code: None, correlation_id: id.clone() })
}

fn granted(reply: &Reply) -> Option<(HeaderValue, Duration)> {
    let Granted { access_token, expires_in } = serde_json::from_slice(&reply.body).ok()?;
    let is_token = !access_token.is_empty() && access_token.bytes().all(|byte| byte.is_ascii_graphic());
    let text = is_token.then(|| Zeroizing::new(format!("Bearer {}", &*access_token)))?;
    let mut header = HeaderValue::try_from(&*text).ok()?;
    header.set_sensitive(true);
    Some((header, expires_in.map_or(LONGEST_LIFE, Duration::from_secs).min(LONGEST_LIFE)))
}

/// A private key on P-256, PKCS#8, DER or PEM.
fn read(path: &Path) -> Result<EcdsaKeyPair, VendorError> {
    let unreadable = |source| VendorError::Unreadable { path: path.into(), source };
    file::check(Secret::ClientKey, path)?;
    let bytes = Zeroizing::new(fs::read(path).map_err(unreadable)?);
    let pem = PrivatePkcs8KeyDer::from_pem_slice(&bytes).ok();
    let der = pem.as_ref().map_or(&**bytes, |key| key.secret_pkcs8_der());
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
        .map_err(|_| VendorError::SigningKey { path: path.into() })
}
