//! Vendors' tokens through the vault, with the stand-ins of the vendors behind it.

pub(crate) mod callbacks;
mod program;
mod relay;
mod thales_d1;
mod thales_pci;
mod token_key;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use axum::body::Body;
use axum::http::Method;
use cardseal::client::Profile;
use cardseal::plain;
use cardseal::seal::PublicKey;
use cardseal::seal::jwk::Jwk;
use cardseal_sandbox::Server;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::access::{KeyKind, Permission, Scopes};
use cardseal_vault::http::router;
use cardseal_vault::id::SecretKey;
use cardseal_vault::merchant::Mode;
use cardseal_vault::store::NewKey;
use cardseal_vault::time::Pauses;
use serde_json::{Value, json};

use crate::support::jwe::{Jwe, decode};
use crate::support::operator;
use crate::support::vendors::Vendors;
use crate::support::{Account, Answer, Asked, limiter, parts, request};

/// A merchant with accounts at Thales, and the vendors behind its vault.
pub(crate) struct Shop {
    pub(crate) vendors: Vendors,
    pub(crate) asked: Asked,
    pub(crate) account: Account,
    /// How long the vault waited before it asked again: no time passes in these tests.
    pauses: Arc<Mutex<Vec<Duration>>>,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::before(Vendors::start().await).await
    }

    /// Another vault before the same vendors, who forget what they were asked.
    async fn anew(self) -> Self {
        let Self { vendors, .. } = self;
        for profile in [Profile::ThalesPci, Profile::ThalesD1] {
            vendors.sandbox.server(profile.as_str()).unwrap().records.clear();
        }
        Self::before(vendors).await
    }

    async fn before(vendors: Vendors) -> Self {
        let pauses: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let waited = Arc::clone(&pauses);
        let asked = Asked::new_with(|setup| {
            setup.vendors = vendors.settings();
            setup.pauses = Pauses::new(move |time| {
                waited.lock().unwrap().push(time);
                Box::pin(std::future::ready(()))
            });
        })
        .await;
        // D1 looks at the time in assertions.
        asked.set_time(now());
        let account = asked.merchant().await;
        for profile in [Profile::ThalesPci, Profile::ThalesD1] {
            vendors.connect(&asked, &account, profile).await;
        }
        Self { vendors, asked, account, pauses }
    }

    /// The same with rate limits.
    pub(crate) fn limited(self, limits: &Limits) -> Self {
        let parts = parts(&self.asked.vault, None, limiter(limits, &Arc::default()));
        Self { asked: self.asked.routed(router(parts)), ..self }
    }

    /// The vendor's server.
    pub(crate) fn server(&self, profile: Profile) -> &Server {
        self.vendors.sandbox.server(profile.as_str()).unwrap()
    }

    /// A card, sealed as a browser does.
    pub(crate) async fn seal(&self, profile: Profile, number: &str) -> String {
        let key = self.asked.get(&path(profile, ""), &self.account.public_key).await.json()["keys"][0].take();
        sealed(profile, &key, number)
    }

    pub(crate) async fn send(&self, profile: Profile, jwe: &str) -> Answer {
        let body = json!({ "encryptedData": jwe });
        self.asked.post(&path(profile, "/tokens"), &self.account.public_key, &body).await
    }

    /// The id of a new token.
    pub(crate) async fn token(&self, profile: Profile) -> String {
        let answer = self.send(profile, &self.seal(profile, VISA).await).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["id"].as_str().unwrap().into()
    }

    /// A token as the merchant's server sees it.
    pub(crate) async fn shown(&self, profile: Profile, id: &str) -> Answer {
        self.asked.get(&path(profile, &format!("/tokens/{id}")), &self.account.secret_key).await
    }

    pub(crate) async fn delete(&self, profile: Profile, id: &str) -> Answer {
        let path = path(profile, &format!("/tokens/{id}"));
        let request = request(Method::DELETE, &path, &self.account.secret_key).body(Body::empty()).unwrap();
        self.asked.send(request).await
    }

    /// A key that may see cards.
    async fn detokenizer(&self) -> String {
        self.key_for(Permission::Detokenize).await
    }

    /// A key that may do this.
    async fn key_for(&self, permission: Permission) -> String {
        let key = SecretKey::random(Mode::Test);
        let scopes = Scopes::new(KeyKind::Secret, [permission]).unwrap();
        let new = NewKey { scopes, ..NewKey::secret(Mode::Test, &key) };
        let merchant = self.asked.holder(&self.account).await;
        self.asked.vault.add_api_key(&merchant, &new, operator()).await.unwrap();
        key.expose().into()
    }

    /// The names of what happened, the first thing first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let events = self.asked.get("/events?order=chronological", &self.account.secret_key).await.json();
        let events = events["data"].as_array().unwrap();
        events.iter().map(|event| event["key"].as_str().unwrap().to_owned()).collect()
    }

    /// How often the vendor was asked for this, by method and the end of the path.
    pub(crate) fn asked_for(&self, profile: Profile, method: &str, end: &str) -> usize {
        let records = self.server(profile).records.all();
        records.iter().filter(|asked| asked.method == method && asked.path.ends_with(end)).count()
    }
}

const VISA: &str = "4242424242424242";

pub(crate) fn path(profile: Profile, rest: &str) -> String {
    format!("/profiles/{}{rest}", profile.as_str())
}

/// A card sealed to a key, which is as `/profiles` shows it.
fn sealed(profile: Profile, key: &Value, number: &str) -> String {
    match profile {
        Profile::ThalesD1 => {
            let card = json!({ "pan": number, "exp": "1230" }).to_string();
            Jwe::agree(key, card.as_bytes()).compact()
        }
        _ => {
            let card = json!({ "fpan": number, "exp": "1230" }).to_string();
            Jwe::seal(&rsa_key(key), card.as_bytes()).compact()
        }
    }
}

pub(crate) fn rsa_key(jwk: &Value) -> PublicKey {
    let jwk: Jwk = plain::parse(&jwk.to_string()).unwrap();
    PublicKey::try_from(&jwk).unwrap()
}

/// What is in a JWE for the merchant's own RSA key, PKCS#8.
fn open_rsa(pkcs8: &[u8], jwe: &str) -> Value {
    let parts: Vec<_> = jwe.split('.').collect();
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap()).unwrap();
    let mut cek = vec![0; key.min_output_size()];
    let cek = key.decrypt(&OAEP_SHA256_MGF1SHA256, &decode(parts[1]), &mut cek, None).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, cek).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(&decode(parts[2])).unwrap();
    let mut message = [decode(parts[3]), decode(parts[4])].concat();
    let card = key.open_in_place(nonce, Aad::from(parts[0].as_bytes()), &mut message).unwrap();
    serde_json::from_slice(card).unwrap()
}

/// What a vendor did not do: the error, and what it says of the vendor.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    let json = answer.json();
    assert_eq!((answer.status.as_u16(), json["code"].as_str()), (status, Some(code)), "{answer:?}");
    json["vendor"].clone()
}

/// The system's time, in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
