use axum::body::Body;
use axum::http::Method;
use axum::http::header::ACCEPT_LANGUAGE;
use cardseal::client::Profile;
use cardseal_vault::merchant::{ClearCards, Mode};

use crate::support::release::Released;
use crate::support::vendors::Vendors;
use crate::support::{Account, Answer, Asked, SHOP, request};

const OTHER_SHOP: &str = "https://other.example";

#[tokio::test]
async fn a_registered_page_gets_the_card_fields() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    let account = asked.merchant().await;
    let answer = asked.get(&frame(&account, SHOP, "&locale=ja"), "").await;
    assert_eq!(answer.status, 200);
    let link = |path: &str| {
        format!("href=\"{}\" data-integrity=\"{}\">", released.hashed(path), released.integrity(path))
    };
    let preload = r#"rel="preload" as="fetch" crossorigin="anonymous""#;
    // That of its mode, as the set for everybody has it.
    let set = asked.get("/.well-known/jwks.json", "").await.body;
    let key = set.split_inclusive('}').find(|key| key.contains(r#""livemode":false"#)).unwrap();
    let key = key.trim_start_matches(',');
    let html = [
        "<!doctype html>".into(),
        format!(
            r#"<html lang="ja" data-key="{}" data-origins="{SHOP}" data-keys='{{"keys":[{key}]}}'>"#,
            account.public_key
        ),
        r#"<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Card</title>"#.into(),
        format!(r#"<link data-asset="wasm" {preload} type="application/wasm" {}"#, link("cardseal_bg.wasm")),
        format!(
            r#"<link data-asset="locale" hreflang="ja" {preload} type="application/json" {}"#,
            link("locales/ja.json")
        ),
        format!(r#"<link data-asset="locale" hreflang="en" {}"#, link("locales/en.json")),
        format!(r#"<link data-asset="locale" hreflang="th" {}"#, link("locales/th.json")),
        format!(
            r#"<script type="module" crossorigin="anonymous" {}</script>"#,
            link("frame.js").replace("href", "src").replace("data-integrity", "integrity")
        ),
        "</head><body></body></html>\n".into(),
    ];
    assert_eq!(answer.body, html.join("\n"));
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {SHOP}; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    for (name, value) in [
        ("content-security-policy", &*policy),
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("vary", "Accept-Language"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let permissions = answer.header("permissions-policy").unwrap();
    assert!(permissions.split(", ").all(|feature| feature.ends_with("=()")), "{permissions}");
    assert!(permissions.contains("camera=()") && permissions.contains("payment=()"));
    // A page that may be framed by some says so in its policy alone.
    assert_eq!(answer.header("x-frame-options"), None);
}

#[tokio::test]
async fn a_form_may_send_cards_to_omise_only_for_a_merchant_that_is_there() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await.serving_assets(Released::new("1.0.0").assets());
    let account = asked.merchant().await;
    let connects = async || {
        let answer = asked.get(&frame(&account, SHOP, ""), "").await;
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        policy.split("; ").find(|directive| directive.starts_with("connect-src ")).unwrap().to_owned()
    };
    assert_eq!(connects().await, "connect-src 'self'");
    vendors.connect(&asked, &account, Profile::PaymentOptions).await;
    assert_eq!(connects().await, "connect-src 'self'");
    vendors.connect(&asked, &account, Profile::Omise).await;
    assert_eq!(connects().await, format!("connect-src 'self' {}", vendors.sandbox.omise.server.url()));
}

#[tokio::test]
async fn each_files_address_leads_to_the_file() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    let account = asked.merchant().await;
    for page in [frame(&account, SHOP, ""), "/frame".into()] {
        let page = asked.get(&page, "").await.body;
        let addresses: Vec<_> = page.split('"').filter(|text| text.starts_with("/v1/")).collect();
        assert!(!addresses.is_empty());
        for address in addresses {
            assert_eq!(asked.get(address, "").await.status, 200, "{address}");
        }
    }
}

#[tokio::test]
async fn only_a_merchants_own_pages_may_show_its_frame() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    let other = asked.merchant_with(Mode::Live, ClearCards::Refused, OTHER_SHOP).await;
    for (account, origin) in [(&account, SHOP), (&other, OTHER_SHOP)] {
        let answer = asked.get(&frame(account, origin, ""), "").await;
        assert_eq!(ancestors(&answer), origin);
        assert!(answer.body.contains(&format!("data-origins=\"{origin}\"")));
    }
    for (account, origin) in [(&account, OTHER_SHOP), (&other, SHOP), (&other, "https://stranger.example")] {
        let answer = asked.get(&frame(account, origin, ""), "").await;
        refused(&answer, 403, "origin_not_allowed");
        assert!(
            answer.body.contains(&account.public_key) && answer.body.contains(&format!("--origin {origin}"))
        );
        assert!(answer.body.contains("cardseal-vault merchant origins --data-dir DIR --key"));
    }
}

#[tokio::test]
async fn an_origin_is_read_as_browsers_and_people_write_it() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant_with(Mode::Test, ClearCards::Refused, OTHER_SHOP).await;
    for origin in ["https://other.example", "https%3A%2F%2Fother.example", "HTTPS://Other.Example:443/"] {
        assert_eq!(asked.get(&frame(&account, origin, ""), "").await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn who_asks_from_no_page_gets_the_frame_too() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    let answer = asked.get(&format!("/frame?key={}", account.public_key), "").await;
    assert_eq!((answer.status.as_u16(), ancestors(&answer)), (200, SHOP));
    assert_eq!(answer.body, asked.get(&frame(&account, SHOP, ""), "").await.body);
}

#[tokio::test]
async fn the_page_speaks_the_language_asked_for() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    for (locale, header, language) in [
        ("&locale=th", "ja", "th"),
        ("", "ja,en;q=0.9", "ja"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("&locale=", "th", "th"),
        ("&locale=fr", "th", "th"),
        ("&locale=%22%3E%3Cscript%3E", "th", "th"),
    ] {
        let request =
            request(Method::GET, &frame(&account, SHOP, locale), "").header(ACCEPT_LANGUAGE, header);
        let page = asked.send(request.body(Body::empty()).unwrap()).await.body;
        assert!(page.contains(&format!("<html lang=\"{language}\"")), "{locale} {header}: {page}");
        assert!(page.contains(&format!("hreflang=\"{language}\" rel=\"preload\"")), "{page}");
        assert_eq!(page.matches("rel=\"preload\"").count(), 2);
    }
}

#[tokio::test]
async fn wrong_keys_are_told_to_a_developer() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    for (query, words) in [
        (String::new(), "gave no public key"),
        ("?".into(), "gave no public key"),
        (format!("?origin={SHOP}"), "gave no public key"),
        (format!("?key=&origin={SHOP}"), "begins with pkey_"),
        (format!("?key=pkey_test_nobody&origin={SHOP}"), "no merchant with the public key pkey_test_nobody"),
        (format!("?key={}&origin={SHOP}", account.secret_key), "must be revoked"),
    ] {
        let answer = asked.get(&format!("/frame{query}"), "").await;
        refused(&answer, 401, "authentication_failure");
        assert!(answer.body.contains(words), "{query}: {}", answer.body);
        assert!(!answer.body.contains("skey_test_"));
        // A browser would ask the cardholder for a password.
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn hostile_queries_are_refused_and_never_shown() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let key = asked.merchant().await.public_key;
    let long = "hostile".repeat(7_000);
    for hostile in [
        "%3Cscript%3Ehostilealert(1)%3C/script%3E",
        "<b>hostile",
        "%22%20onload=%22hostile",
        "hostile%0d%0aSet-Cookie:%20a=b",
        "https://hostile.example%0d%0aX:%20y",
        "https://hostile.example;%20script-src%20*",
        "https://hostile.example%20https://b.example",
        "https://hostile.example/<b>",
        "pkey_test_hostile%22%3E",
        "pkey_test_hostile'",
        "%ff%fehostile",
        "%",
        "%hostile",
        "%00hostile",
        "null",
        "*",
        &long,
    ] {
        for (query, status, code) in [
            (format!("key={hostile}&origin={SHOP}"), 401, "authentication_failure"),
            (format!("key={key}&origin={hostile}"), 403, "origin_not_allowed"),
        ] {
            let uri: Result<axum::http::Uri, _> = format!("/frame?{query}").parse();
            let Ok(uri) = uri else { continue };
            let answer = asked.get(&uri.to_string(), "").await;
            refused(&answer, status, code);
            assert!(
                !answer.body.contains("hostile") && !format!("{:?}", answer.headers).contains("hostile"),
                "{query}"
            );
        }
        let query = format!("/frame?key={key}&origin={SHOP}&locale={hostile}&hostile={hostile}&{hostile}");
        if query.parse::<axum::http::Uri>().is_ok() {
            let answer = asked.get(&query, "").await;
            assert_eq!(answer.status, 200);
            assert!(
                !answer.body.contains("hostile") && !format!("{:?}", answer.headers).contains("hostile"),
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn other_members_of_the_query_change_nothing() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    let plain = asked.get(&frame(&account, SHOP, ""), "").await;
    for more in
        ["&x=y", "&=", "&&&", "&key=pkey_test_other", "&origin=https://stranger.example", "&KEY=x", "&x"]
    {
        let answer = asked.get(&frame(&account, SHOP, more), "").await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &plain.body), "{more}");
        assert_eq!(ancestors(&answer), SHOP);
    }
}

#[tokio::test]
async fn heads_are_answered_and_other_methods_are_not() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    let account = asked.merchant().await;
    let path = frame(&account, SHOP, "");
    let page = asked.get(&path, "").await;
    let head = asked.send(request(Method::HEAD, &path, "").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    for name in ["content-security-policy", "content-type", "content-length"] {
        assert_eq!(head.header(name), page.header(name), "{name}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = asked.send(request(method, &path, "").body(Body::empty()).unwrap()).await;
        answer.error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    }
}

/// Where a page of a merchant finds its frame.
fn frame(account: &Account, origin: &str, more: &str) -> String {
    format!("/frame?key={}&origin={origin}{more}", account.public_key)
}

fn ancestors(answer: &Answer) -> &str {
    let policy = answer.header("content-security-policy").unwrap();
    policy.split("; ").find_map(|directive| directive.strip_prefix("frame-ancestors ")).unwrap()
}

/// Asserts the page for those who get no frame: no fields, one script, nothing to load but it.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains(&format!("data-code=\"{code}\"")), "{}", answer.body);
    assert_eq!(
        answer.header("content-security-policy"),
        Some(
            "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *; \
             require-trusted-types-for 'script'; trusted-types 'none'"
        )
    );
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.body.matches("<script").count(), 1);
    assert!(answer.body.contains(" src=\"/v1/refused-") && answer.body.contains("integrity=\"sha384-"));
    assert!(!answer.body.contains("data-origins"));
}
