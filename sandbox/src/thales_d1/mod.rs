//! Thales D1's eCom API.
//!
//! | what | how sure |
//! | --- | --- |
//! | client certificates, TLS 1.2 or 1.3 | documented |
//! | `POST /authz/v1/oauth2/token`: JWT bearer, ES256, `kid`, `iss` = the gateway's id, `exp` within 15 minutes; `x-correlation-id` | documented |
//! | access tokens live for 15 minutes | documented |
//! | JWE of `{"pan","exp"}`, `ECDH-ES` on P-256 and `A256GCM`, with the `kid` of the recipient's key | documented |
//! | `notify-update` under `/merchant-gateways/{}/merchants/{}/tokens/{}`, with a client certificate | documented; its body is not |
//! | an access token for it from the receiver's `/oauth2/token`, by client credentials | documented |
//! | making, reading and deleting a token, cryptograms | not documented where we could read: here under the same kind of path |
//! | a card of an issuer that takes no part: 422, `CARD_NOT_ENROLLED` | not documented where we could read |

mod issuer;
mod lifecycle;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callback::{Caller, Notification, Receiver};
use crate::certificates::{Authority, Identity};
use crate::clock;
use crate::jwe::EcKey;
use crate::random::letters;
use crate::server::{Server, bare};

pub use issuer::Issuer;
pub use lifecycle::Event;

use lifecycle::Dpan;

/// The server.
#[derive(Debug)]
pub struct ThalesD1 {
    /// Where it listens, what it was asked, how it answers.
    pub server: Server,
    /// What a client needs to know.
    pub credentials: Credentials,
    gateway: Arc<Gateway>,
    authority: Authority,
    caller: Caller,
}

/// What Thales and a client give each other when they begin.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who the client is.
    pub merchant_gateway_id: String,
    /// A merchant of it.
    pub merchant_id: String,
    /// The name of the key that the client signs assertions with.
    pub signing_kid: String,
    /// That key, PKCS#8 DER.
    pub signing_key: Vec<u8>,
    /// The key that cards are sealed to, a JWK.
    pub sealing_key: Value,
    /// Whose signature the server's certificate has, and the one that it shows when it tells of changes, PEM.
    pub authority: String,
    /// The client's own certificate.
    pub client: Identity,
}

/// A token as D1 keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The card behind it.
    pub card: Card,
    /// Who issued that.
    pub issuer: Issuer,
    /// What it can be used for.
    pub state: &'static str,
    /// How many cryptograms were given out.
    pub cryptograms: u32,
    dpan: Dpan,
    /// The payment account reference: the same for a card's number and everything in its place.
    par: String,
    /// Milliseconds since 1970.
    updated_at: u64,
    notifications: Vec<Notification>,
}

/// A card as it is sealed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its number.
    pub pan: String,
    /// Its expiry, MMYY.
    pub exp: String,
}

/// No digit of it.
impl fmt::Debug for Card {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Card").finish_non_exhaustive()
    }
}

struct Gateway {
    id: String,
    merchant_id: String,
    signing_kid: String,
    signing_public: Vec<u8>,
    key: EcKey,
    /// Access tokens, with when they were given.
    access: Mutex<HashMap<String, Instant>>,
    tokens: Mutex<HashMap<String, Token>>,
}

/// Nothing of what it keeps: those are cards.
impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

/// How long an access token lives.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

impl ThalesD1 {
    /// Starts it at a port of this machine.
    ///
    /// # Errors
    /// When keys could not be made or the port not be had.
    pub async fn start(port: u16) -> Result<Self> {
        let authority = Authority::new("Sandbox of Thales D1")?;
        let signing_key =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, signing_key.as_ref())?;
        let gateway = Arc::new(Gateway {
            id: "sandbox-gateway".into(),
            merchant_id: "sandbox-merchant".into(),
            signing_kid: "sandbox-signing-1".into(),
            signing_public: pair.public_key().as_ref().into(),
            key: EcKey::generate()?,
            access: Mutex::default(),
            tokens: Mutex::default(),
        });
        let credentials = Credentials {
            merchant_gateway_id: gateway.id.clone(),
            merchant_id: gateway.merchant_id.clone(),
            signing_kid: gateway.signing_kid.clone(),
            signing_key: signing_key.as_ref().into(),
            sealing_key: gateway.key.jwk().clone(),
            authority: authority.certificate().into(),
            client: authority.client("sandbox-gateway")?,
        };
        let caller = Caller::new(authority.client("sandbox-d1")?);
        let tls = authority.mutual_tls(&[&rustls::version::TLS12, &rustls::version::TLS13])?;
        const TOKENS: &str = "/merchant-gateways/{gateway}/merchants/{merchant}/tokens";
        let tokens = Router::new()
            .route(TOKENS, post(create))
            .route(&format!("{TOKENS}/{{token}}"), get(show).delete(remove))
            .route(&format!("{TOKENS}/{{token}}/cryptograms"), post(cryptogram))
            .route_layer(middleware::from_fn_with_state(Arc::clone(&gateway), check));
        let routes = Router::new()
            .route("/authz/v1/oauth2/token", post(authorize))
            .merge(tokens)
            .fallback(async || bare(StatusCode::NOT_FOUND))
            .with_state(Arc::clone(&gateway));
        Ok(Self {
            server: Server::start(port, Some(tls), routes).await?,
            credentials,
            gateway,
            authority,
            caller,
        })
    }

    /// What it keeps under a token's id.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<Token> {
        self.gateway.tokens().get(id).cloned()
    }

    /// Another certificate for the client, with an RSA key.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn rsa_client(&self) -> Result<Identity> {
        self.authority.rsa_client("sandbox-gateway")
    }

    /// A certificate of its authority for another customer, who is called this.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn certify(&self, name: &str) -> Result<Identity> {
        self.authority.client(name)
    }

    /// How many access tokens it has given out.
    #[must_use]
    pub fn authorizations(&self) -> usize {
        self.gateway.access().len()
    }

    /// Lets something happen to a token's card. Gives what is to be told of it; `None` if there is no such token.
    #[must_use]
    pub fn happen(&self, id: &str, event: Event) -> Option<Notification> {
        self.gateway.happen(id, event)
    }

    /// What there was to tell of a token, in the order in which it happened.
    #[must_use]
    pub fn notifications(&self, id: &str) -> Vec<Notification> {
        self.token(id).map(|token| token.notifications).unwrap_or_default()
    }

    /// The certificate that it tells clients of changes with.
    #[must_use]
    pub const fn calls_as(&self) -> &Identity {
        self.caller.identity()
    }

    /// Tells a client. As often and in whatever order as one likes: D1 promises neither once nor in order.
    ///
    /// # Errors
    /// When it could not be reached or gives no access.
    pub async fn tell(&self, receiver: &Receiver, notification: &Notification) -> Result<u16> {
        self.caller.tell(receiver, notification).await
    }

    /// Lets every access token end at once, as if its time were over.
    pub fn expire(&self) {
        self.gateway.access().clear();
    }
}

impl Gateway {
    fn access(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may do anything at this place.
    fn lets_in(&self, headers: &HeaderMap, gateway: &str, merchant: &str) -> Result<(), StatusCode> {
        if !correlates(headers) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let bearer =
            headers.get("authorization").and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
        let is_valid = bearer
            .is_some_and(|token| self.access().get(token).is_some_and(|since| since.elapsed() < LIFETIME));
        if !is_valid {
            return Err(StatusCode::UNAUTHORIZED);
        }
        if gateway == self.id && merchant == self.merchant_id { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
    }

    /// Whether an assertion is the client's, and good for long enough and not for too long.
    fn is_the_clients(&self, assertion: &str) -> bool {
        let parts: Vec<_> = assertion.split('.').collect();
        let [header, claims, signature] = parts[..] else { return false };
        let decoded = |part| Base64UrlUnpadded::decode_vec(part).ok();
        let json = |part| serde_json::from_slice::<Value>(&decoded(part)?).ok();
        let (Some(named), Some(told), Some(signature)) = (json(header), json(claims), decoded(signature))
        else {
            return false;
        };
        let signed = format!("{header}.{claims}");
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.signing_public);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        named["alg"] == "ES256"
            && named["kid"] == *self.signing_kid
            && told["iss"] == *self.id
            && told["exp"].as_u64().is_some_and(|exp| exp > now && exp <= now + LIFETIME.as_secs())
            && key.verify(signed.as_bytes(), &signature).is_ok()
    }
}

/// What every request about tokens needs.
async fn check(
    State(gateway): State<Arc<Gateway>>,
    Path(place): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let part = |name| place.get(name).map_or("", String::as_str);
    match gateway.lets_in(request.headers(), part("gateway"), part("merchant")) {
        Ok(()) => next.run(request).await,
        Err(status) => bare(status),
    }
}

/// `^[A-Za-z0-9_-]{1,64}$`
fn correlates(headers: &HeaderMap) -> bool {
    let id = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&id.len()) && id.bytes().all(allowed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorize {
    grant_type: String,
    assertion: String,
}

async fn authorize(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let refused = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({ "code": code }))).into_response();
    if !correlates(&headers) {
        return refused("MISSING_FIELD");
    }
    let Ok(request) = serde_json::from_slice::<Authorize>(&body) else { return refused("MISSING_FIELD") };
    let is_bearer = request.grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer";
    if !is_bearer || !gateway.is_the_clients(&request.assertion) {
        return refused("INVALID_FIELD");
    }
    let token = letters(40);
    gateway.access().insert(token.clone(), Instant::now());
    let answer = json!({ "access_token": token, "expires_in": LIFETIME.as_secs(), "token_type": "Bearer" });
    Json(answer).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    encrypted_data: String,
}

async fn create(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Response<Body> {
    let card = serde_json::from_slice::<Create>(&body)
        .ok()
        .and_then(|request| gateway.key.open(&request.encrypted_data).ok())
        .and_then(|card| serde_json::from_slice::<Card>(&card).ok());
    let Some(card) = card else { return bare(StatusCode::BAD_REQUEST) };
    let Some(issuer) = Issuer::of(&card.pan) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "code": "CARD_NOT_ENROLLED" })))
            .into_response();
    };
    let id = letters(32);
    let token = Token {
        dpan: Dpan::first(&card.exp),
        card,
        issuer,
        state: "ACTIVE",
        cryptograms: 0,
        par: letters(29).to_uppercase(),
        updated_at: clock::later_than(0),
        notifications: Vec::new(),
    };
    gateway.tokens().insert(id.clone(), token);
    let mut answer = json!({ "tokenId": id, "state": "ACTIVE" });
    if let Some(name) = issuer.named() {
        answer["issuerId"] = name.into();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path((_, _, token)): Path<(String, String, String)>,
) -> Response<Body> {
    match gateway.tokens().get(&token) {
        Some(Token { state, dpan: Dpan { number, expiry }, .. }) => {
            let answer = json!({ "tokenId": token, "state": state, "dpan": number, "dpanExpiry": expiry });
            Json(answer).into_response()
        }
        None => bare(StatusCode::NOT_FOUND),
    }
}

/// What one transaction needs: a number in the card's place, and proof that its holder's merchant asked.
async fn cryptogram(
    State(gateway): State<Arc<Gateway>>,
    Path((_, _, token)): Path<(String, String, String)>,
) -> Response<Body> {
    match gateway.tokens().get_mut(&token) {
        Some(Token { state: "ACTIVE", cryptograms, dpan: Dpan { number, expiry }, .. }) => {
            *cryptograms += 1;
            let answer = json!({ "dpan": number, "dpanExpiry": expiry, "cryptogram": letters(28) });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Some(_) => bare(StatusCode::CONFLICT),
        None => bare(StatusCode::NOT_FOUND),
    }
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Path((_, _, token)): Path<(String, String, String)>,
) -> Response<Body> {
    match gateway.tokens().get_mut(&token) {
        Some(token) if token.state != "DELETED" => {
            token.state = "DELETED";
            StatusCode::NO_CONTENT.into_response()
        }
        Some(_) | None => bare(StatusCode::NOT_FOUND),
    }
}
