use serde_json::json;

use crate::support::{Answer, Asked, VISA};

#[tokio::test]
async fn an_errors_location_leads_to_a_word_on_it() {
    let asked = Asked::new().await;
    let page = asked.get("/docs/errors", "").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    assert_eq!(page.header("content-security-policy"), Some(policy));

    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    asked.charge(&account, &token).await;
    for answer in [
        asked.get("/nothing", "").await,
        asked.get("/charges", "").await,
        asked.get(&format!("/tokens/{token}"), "").await,
        asked.post("/tokens", &account.public_key, &json!({})).await,
        asked.tokenize_sealed(&account, "nonsense").await,
        asked.charge(&account, &token).await,
        asked.charge(&account, "tokn_test_0").await,
    ] {
        let (anchor, code) = described(&answer);
        let row = page.body.lines().find(|line| line.starts_with(&format!("<tr id=\"{anchor}\">")));
        let row = row.unwrap_or_else(|| panic!("{anchor}: {}", page.body));
        assert!(
            row.contains(&format!("<code>{code}</code></td><td>{}</td>", answer.status.as_u16())),
            "{row}"
        );
    }
}

/// Where an error says it is described, and its code.
fn described(answer: &Answer) -> (String, String) {
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    let location = text("location");
    (location.strip_prefix("/docs/errors#").unwrap().to_owned(), text("code"))
}
