//! A merchant's server that was taken over has a plain secret key, and asks for what payments with D1's tokens are made with,
//! number after number. A scope, a limit and a reason of their own stop it, and each time is a row of the audit.

use std::sync::Arc;

use cardseal::client::Profile;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::access::{KeyKind, Permission, Scopes};
use cardseal_vault::http::router;
use cardseal_vault::id::SecretKey;
use cardseal_vault::merchant::Mode;
use cardseal_vault::store::NewKey;
use serde_json::json;

use crate::support::vendors::Vendors;
use crate::support::{Asked, UNLIMITED, limiter, operator, parts};

const PAYMENTS: &str = "/profiles/thales-d1/tokens/d1-token/cryptograms";

#[tokio::test]
async fn a_plain_secret_key_gets_nothing_to_pay_with() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let answer =
        asked.post(PAYMENTS, &account.secret_key, &json!({ "use": "one_time", "reason": "x" })).await;
    answer.error(403, "not_permitted");
    assert_eq!(asked.count_where("audit", "action = 'api.access' AND outcome = 'missing_scope'").await, 1);
}

#[tokio::test]
async fn a_key_for_payments_gives_a_reason_and_has_a_limit() {
    let vendors = Vendors::start().await;
    let asked = Asked::new_with(|setup| setup.vendors = vendors.settings()).await;
    let account = asked.merchant().await;
    vendors.connect(&asked, &account, Profile::ThalesD1).await;
    let key = SecretKey::random(Mode::Test);
    let scopes = Scopes::new(KeyKind::Secret, [Permission::Pay]).unwrap();
    let new = NewKey { scopes, ..NewKey::secret(Mode::Test, &key) };
    asked.vault.add_api_key(&asked.holder(&account).await, &new, operator()).await.unwrap();

    let limits = Limits { payment_credentials: "1/h burst 3".parse().unwrap(), ..UNLIMITED };
    let routes = router(parts(&asked.vault, None, limiter(&limits, &Arc::default())));
    let asked = asked.routed(routes);
    asked.post(PAYMENTS, key.expose(), &json!({ "use": "one_time" })).await.error(400, "bad_request");
    let order = json!({ "use": "one_time", "reason": "order 7" });
    for _ in 0..2 {
        asked.post(PAYMENTS, key.expose(), &order).await.error(404, "not_found");
    }
    asked.post(PAYMENTS, key.expose(), &order).await.error(429, "too_many_requests");
    // The name that was asked for is the caller's, and not kept.
    let refused = "action = 'vendor_token.pay' AND outcome = 'not_found' AND subject = 'thales-d1'";
    assert_eq!(asked.count_where("audit", refused).await, 1);
    assert_eq!(asked.count_where("audit", "action = 'vendor_token.pay' AND outcome = 'over_limit'").await, 1);
    // It does nothing else.
    asked.get("/customers", key.expose()).await.error(403, "not_permitted");
}
