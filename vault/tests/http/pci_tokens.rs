use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Method;
use cardseal::seal::Jti;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::access::{KeyKind, Permission, Scopes};
use cardseal_vault::audit::{Action, Outcome, Refusal};
use cardseal_vault::id::SecretKey;
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::store::NewKey;
use serde_json::{Value, json};

use crate::support::jwe::Jwe;
use crate::support::operator;
use crate::support::{Account, Answer, Asked, NOON, SHOP, UNLIMITED, VISA};

#[tokio::test]
async fn a_sealed_card_becomes_a_token_is_seen_again_by_who_may_and_is_deleted() {
    let shop = Shop::open().await;
    let created = shop.create("c-1", &json!({ "fpan": VISA, "exp": "1230" })).await;
    assert_eq!(created.status, 201, "{created:?}");
    let token = created.json();
    let id = token["tokenId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("ptok_test_"));
    assert_eq!((&token["state"], &token["cardLastDigits"]), (&json!("ACTIVE"), &json!("4242")));
    assert_eq!((&token["cardExpiryDate"], &token["merchantId"]), (&json!("1230"), &json!(shop.merchant_id)));
    let path = format!("/pci-tokens/{id}");
    assert_eq!(shop.send(Method::GET, &path, &shop.account.secret_key, "c-2", None).await.json(), token);

    let detokenize = format!("{path}/detokenize");
    let reason = Some(json!({ "reason": "network tokenization" }));
    let clear = shop.send(Method::POST, &detokenize, &shop.detokenizer, "c-3", reason.clone()).await;
    assert_eq!(clear.json(), json!({ "fpan": VISA, "exp": "1230" }));
    assert_eq!(clear.header("cache-control"), Some("no-store"));

    assert_eq!(shop.send(Method::DELETE, &path, &shop.account.secret_key, "c-4", None).await.status, 204);
    assert_eq!(shop.asked.count_where("pci_tokens", "pan IS NULL AND details IS NULL").await, 1);
    let gone = shop.send(Method::GET, &path, &shop.account.secret_key, "c-5", None).await.json();
    assert_eq!((&gone["state"], gone.get("cardExpiryDate")), (&json!("DELETED"), None));
    shop.send(Method::POST, &detokenize, &shop.detokenizer, "c-6", reason).await.error(410, "deleted_token");
    let again = shop.send(Method::DELETE, &path, &shop.account.secret_key, "c-7", None).await;
    again.error(410, "deleted_token");

    let chains = shop.asked.chains().await;
    let rows = shop.asked.vault.store().audit_rows(chains[0].merchant.as_ref(), 0, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.entry.action, row.entry.subject.clone())).collect();
    let expected =
        [(Action::Detokenize, id.clone()), (Action::DeletePciToken, id.clone()), (Action::Detokenize, id)];
    assert_eq!(told[1..], expected);
    assert_eq!(rows[3].entry.outcome, Outcome::Refused(Refusal::Deleted));
    assert_eq!(rows[1].entry.reason.as_ref().unwrap().as_str(), "network tokenization");
    assert_eq!(chains[0].flaw, None);
}

#[tokio::test]
async fn a_card_is_given_out_to_nobody_else_and_for_nothing() {
    let shop = Shop::open().await;
    let created = shop.create("c-1", &json!({ "fpan": VISA, "exp": "1230" })).await.json();
    let path = format!("/pci-tokens/{}/detokenize", created["tokenId"].as_str().unwrap());
    let reason = Some(json!({ "reason": "curiosity" }));
    let other = shop.asked.merchant().await;
    for (key, status, code) in [
        (&shop.account.secret_key, 403, "not_permitted"),
        (&other.secret_key, 403, "not_permitted"),
        (&shop.account.public_key, 401, "authentication_failure"),
        (&String::new(), 401, "authentication_failure"),
    ] {
        shop.send(Method::POST, &path, key, "c-2", reason.clone()).await.error(status, code);
    }
    for body in [json!({}), json!({ "reason": "" }), json!({ "reason": VISA }), json!({ "reason": 1 })] {
        shop.send(Method::POST, &path, &shop.detokenizer, "c-3", Some(body)).await.error(400, "bad_request");
    }
    shop.send(Method::POST, &path, &shop.detokenizer, "", reason.clone()).await.error(400, "bad_request");
    let unknown = "/pci-tokens/ptok_test_0/detokenize";
    shop.send(Method::POST, unknown, &shop.detokenizer, "c-4", reason.clone()).await.error(404, "not_found");
    // A key that only detokenizes does nothing else.
    shop.send(Method::GET, "/pci-tokens/ptok_test_0", &shop.detokenizer, "c-5", None)
        .await
        .error(403, "not_permitted");
    assert_eq!(shop.asked.count_where("audit", "action LIKE 'card.%' AND outcome = 'done'").await, 0);

    // Another merchant's key that may detokenize finds nothing.
    let stranger = Shop::beside(shop.asked).await;
    stranger.send(Method::POST, &path, &stranger.detokenizer, "c-6", reason).await.error(404, "not_found");
}

#[tokio::test]
async fn the_same_request_again_gives_the_same_token() {
    let shop = Shop::open().await;
    let card = json!({ "fpan": VISA, "exp": "1230" });
    let (first, second) = tokio::join!(shop.create("c-1", &card), shop.create("c-1", &card));
    assert_eq!(first.json(), second.json());
    let other = json!({ "fpan": "5555555555554444", "exp": "1230" });
    shop.create("c-1", &other).await.error(409, "repeated_request");
    assert_ne!(shop.create("c-2", &card).await.json()["tokenId"], first.json()["tokenId"]);
    assert_eq!(shop.asked.count("pci_tokens").await, 2);
}

#[tokio::test]
async fn what_is_no_pci_card_is_refused() {
    let shop = Shop::open().await;
    for (sealed, code) in [
        (json!({ "fpan": "4242424242424241", "exp": "1230" }), "invalid_card"),
        (json!({ "fpan": VISA, "exp": "1320" }), "invalid_card"),
        (json!({ "fpan": VISA, "exp": "0120" }), "invalid_card"),
        (json!({ "fpan": VISA, "exp": "12/30" }), "invalid_card"),
        (json!({ "fpan": VISA, "exp": "ab30" }), "invalid_card"),
        (json!({ "fpan": VISA }), "invalid_seal"),
        // Thales: number and expiry only, no security code.
        (json!({ "fpan": VISA, "exp": "1230", "cvv": "123" }), "invalid_seal"),
        (json!([VISA, "1230"]), "invalid_seal"),
        (json!(VISA), "invalid_seal"),
    ] {
        let message = shop.create("c-1", &sealed).await.error(400, code);
        assert!(!message.contains("4242"), "{message}");
    }
    let jwe = shop.seal(&json!({ "fpan": VISA, "exp": "1230" })).await;
    for (body, code) in [
        (json!({ "encryptedData": jwe }), "bad_request"),
        (json!({ "merchantId": shop.merchant_id }), "bad_request"),
        (json!({ "merchantId": "mrch_test_0", "encryptedData": jwe }), "wrong_merchant"),
        (json!({ "merchantId": shop.merchant_id, "encryptedData": "x" }), "invalid_seal"),
        (json!({ "merchantId": shop.merchant_id, "encryptedData": VISA }), "invalid_seal"),
    ] {
        let answer = shop.send(Method::POST, "/pci-tokens", &shop.account.secret_key, "c-1", Some(body));
        answer.await.error(400, code);
    }
    for id in ["", VISA, &"x".repeat(37)] {
        let body = json!({ "merchantId": shop.merchant_id, "encryptedData": jwe });
        let answer = shop.send(Method::POST, "/pci-tokens", &shop.account.secret_key, id, Some(body));
        answer.await.error(400, "bad_request");
    }
    assert_eq!(shop.asked.count("pci_tokens").await, 0);
}

#[tokio::test]
async fn cards_given_out_are_limited_by_key_whether_there_is_one_or_not() {
    let limits = Limits { detokenizations: "1/m burst 3".parse().unwrap(), ..UNLIMITED };
    let mut shop = Shop::beside(Asked::limited(&limits).await).await;
    let path = shop.created().await;
    assert_eq!(shop.clear(&path).await.status, 200);
    shop.clear("/pci-tokens/ptok_test_0").await.error(404, "not_found");
    let detokenize = format!("{path}/detokenize");
    let unreasoned = shop.send(Method::POST, &detokenize, &shop.detokenizer, "c-2", Some(json!({})));
    unreasoned.await.error(400, "bad_request");
    shop.peer = ([192, 0, 2, 2], 50_000).into();
    for path in [&*path, "/pci-tokens/ptok_test_0"] {
        let refused = shop.clear(path).await;
        let message = refused.error(429, "too_many_requests");
        assert_eq!(message, "too many cards were shown to this key; try again in 60 s");
        assert_eq!(refused.header("retry-after"), Some("60"));
    }
    assert_eq!(shop.asked.count_where("audit", "action = 'card.detokenize' AND outcome = 'done'").await, 1);
    // The merchant's other key makes and shows tokens, and in a minute there is another card to be had.
    assert_eq!(shop.send(Method::GET, &path, &shop.account.secret_key, "c-3", None).await.status, 200);
    shop.asked.pass(Duration::from_secs(60));
    assert_eq!(shop.clear(&path).await.status, 200);
    assert_eq!(shop.clear(&path).await.status, 429);

    let stranger = Shop::beside(shop.asked).await;
    let path = stranger.created().await;
    assert_eq!(stranger.clear(&path).await.status, 200);
}

#[tokio::test]
async fn cards_given_out_are_limited_by_address_whether_there_is_one_or_not() {
    let limits = Limits { address: "1/m burst 4".parse().unwrap(), ..UNLIMITED };
    let mut shop = Shop::beside(Asked::limited(&limits).await).await;
    let path = shop.created().await;
    let here = shop.peer;
    shop.peer = ([198, 51, 100, 7], 50_000).into();
    for path in [&*path, "/pci-tokens/ptok_test_0", &path, "/pci-tokens/ptok_test_1"] {
        assert_ne!(shop.clear(path).await.status, 429);
    }
    let refused = shop.clear(&path).await;
    refused.error(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(shop.asked.count_where("audit", "action = 'card.detokenize' AND outcome = 'done'").await, 2);
    shop.peer = here;
    assert_eq!(shop.clear(&path).await.status, 200);
}

/// A merchant with a key that may detokenize.
struct Shop {
    asked: Asked,
    account: Account,
    merchant_id: String,
    detokenizer: String,
    /// Where its requests come from.
    peer: SocketAddr,
}

impl Shop {
    async fn open() -> Self {
        Self::beside(Asked::new().await).await
    }

    async fn beside(asked: Asked) -> Self {
        let account = asked.merchant_with(Mode::Test, ClearCards::Refused, SHOP).await;
        let secret_key = SecretKey::parse(&account.secret_key).unwrap();
        let (merchant, _) = asked.vault.key_holder(secret_key.hash()).await.unwrap().unwrap();
        let key = SecretKey::random(Mode::Test);
        let scopes = Scopes::new(KeyKind::Secret, [Permission::Detokenize]).unwrap();
        let new = NewKey { scopes, ..NewKey::secret(Mode::Test, &key) };
        asked.vault.add_api_key(&merchant, &new, operator()).await.unwrap();
        let peer = ([192, 0, 2, 1], 50_000).into();
        Self {
            asked,
            account,
            merchant_id: merchant.id.to_string(),
            detokenizer: key.expose().to_owned(),
            peer,
        }
    }

    /// Where a new token is.
    async fn created(&self) -> String {
        let created = self.create("c-1", &json!({ "fpan": VISA, "exp": "1230" })).await.json();
        format!("/pci-tokens/{}", created["tokenId"].as_str().unwrap())
    }

    /// Asks for the card of a token.
    async fn clear(&self, path: &str) -> Answer {
        let (path, reason) = (format!("{path}/detokenize"), json!({ "reason": "a test" }));
        self.send(Method::POST, &path, &self.detokenizer, "c-9", Some(reason)).await
    }

    /// Seals a card with what ties it to this merchant, this moment and one use.
    async fn seal(&self, plaintext: &Value) -> String {
        let key = self.asked.sealing_key().await;
        let mut plaintext = plaintext.clone();
        if let Some(members) = plaintext.as_object_mut() {
            members.insert("merchant".into(), json!(self.account.public_key));
            members.insert("iat".into(), json!(NOON));
            members.insert("jti".into(), json!(Jti::random().unwrap().as_str()));
        }
        Jwe::seal(&key, plaintext.to_string().as_bytes()).compact()
    }

    async fn create(&self, request: &str, plaintext: &Value) -> Answer {
        let body = json!({ "merchantId": self.merchant_id, "encryptedData": self.seal(plaintext).await });
        self.send(Method::POST, "/pci-tokens", &self.account.secret_key, request, Some(body)).await
    }

    /// As Thales's clients ask.
    async fn send(&self, method: Method, path: &str, key: &str, id: &str, body: Option<Value>) -> Answer {
        let mut request = axum::http::Request::builder().method(method).uri(path);
        request = request.extension(ConnectInfo(self.peer));
        if !key.is_empty() {
            request = request.header("authorization", format!("APIKEY {key}"));
        }
        if !id.is_empty() {
            request = request.header("x-correlation-id", id);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.asked.send(request.body(body).unwrap()).await
    }
}
