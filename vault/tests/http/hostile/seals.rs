use serde_json::json;

use super::{nothing_was_stored, shortened};
use crate::support::jwe::{Jwe, decode, encode};
use crate::support::{Asked, VISA};

#[tokio::test]
async fn seals_that_are_odd_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let compact = asked.seal(&account).await;
    let parts: Vec<&str> = compact.split('.').collect();
    let header = String::from_utf8(decode(parts[0])).unwrap();
    let with = |index: usize, part: &str| {
        let mut parts = parts.clone();
        parts[index] = part;
        parts.join(".")
    };
    let with_header = |header: &str| with(0, &encode(header.as_bytes()));
    let mut odd = vec![
        String::new() + ".",
        "....".into(),
        ".".repeat(1000),
        "A".repeat(7000),
        parts[..3].join("."),
        format!("{compact}.{compact}"),
        compact.replace('.', ".."),
        format!(" {compact}"),
        format!("{compact}\n"),
        format!("{compact}\0"),
        compact.to_uppercase(),
        // Base64 of the other alphabet, and padded.
        with(1, &parts[1].replace(['-', '_'], "+")),
        with(1, &format!("{}==", parts[1])),
        with(4, &format!("{}==", parts[4])),
        // Headers.
        with_header("{}"),
        with_header("[]"),
        with_header("null"),
        with_header(r#"["RSA-OAEP-256","A256GCM","kid"]"#),
        with_header(&"[".repeat(3000)),
        with_header(&header.replace("RSA-OAEP-256", "none")),
        with_header(&header.replace("RSA-OAEP-256", "rsa-oaep-256")),
        with_header(&header.replace("\"RSA-OAEP-256\"", "null")),
        with_header(&header.replace("RSA-OAEP-256", "RSA-OAEP")),
        with_header(&header.replace("RSA-OAEP-256", "RSA1_5")),
        with_header(&header.replace("RSA-OAEP-256", "ECDH-ES")),
        with_header(&header.replace("RSA-OAEP-256", "A256KW")),
        with_header(&header.replace("RSA-OAEP-256", "PBES2-HS256+A128KW")),
        with_header(&header.replace("A256GCM", "A128GCM")),
        with_header(&header.replace("A256GCM", "A256CBC-HS512")),
        with_header(&header.replace("A256GCM", "none")),
        with_header(&header.replace("{", r#"{"alg":"RSA-OAEP-256","#)),
        with_header(&header.replace("{", r#"{"zip":"DEF","#)),
        with_header(&header.replace("{", r#"{"crit":["zip"],"#)),
        with_header(&header.replace("{", r#"{"crit":[],"#)),
        with_header(&header.replace("{", r#"{"jku":"https://keys.example/jwks.json","#)),
        with_header(&header.replace("{", r#"{"jwk":{"kty":"RSA"},"#)),
        with_header(&header.replace("{", r#"{"x5u":"https://keys.example/x5u","#)),
        with_header(&header.replace("{", r#"{"p2c":2147483647,"#)),
        with_header(&header.replace("{", r#"{"typ":"JWE","#)),
        with_header(&format!("{header} ")),
        with_header(&format!("{header}{header}")),
        with_header(&format!("\u{feff}{header}")),
    ];
    for (index, part) in parts.iter().enumerate() {
        // Cut short everywhere, and with bits set that belong to no byte.
        odd.extend((0..part.len()).step_by(part.len() / 12 + 1).map(|length| with(index, &part[..length])));
        odd.extend(non_canonical(part).map(|part| with(index, &part)));
    }
    assert!(non_canonical(parts[1]).is_some() && non_canonical(parts[4]).is_some(), "{parts:?}");
    for jwe in &odd {
        let answer = asked.tokenize_sealed(&account, jwe).await;
        assert_eq!(answer.error(400, "invalid_seal"), "the seal does not open", "{}", shortened(jwe));
    }
    nothing_was_stored(&asked, &account).await;
    assert_eq!(asked.tokenize_sealed(&account, &compact).await.status, 200);
}

#[tokio::test]
async fn what_is_inside_a_seal_may_be_odd_too() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let good = json!({
        "number": VISA, "expiration_month": 12, "expiration_year": 2030, "merchant": account.public_key,
        "iat": 1_795_262_400_u64, "jti": "0123456789abcdef",
    })
    .to_string();
    for odd in [
        format!("{good}{good}"),
        format!("{good}x"),
        format!("\u{feff}{good}"),
        format!("[{good}]"),
        good.replace('{', r#"{"number":"5555555555554444","#),
        good.replace('{', r#"{"extra":null,"#),
        good.replace("1795262400", "1795262400.0"),
        good.replace("1795262400", "1e30"),
        good.replace("1795262400", "-1"),
        good.replace("1795262400", "\"1795262400\""),
        good.replace("1795262400", "18446744073709551616"),
        good.replace("0123456789abcdef", "0123456789abcde/"),
        good.replace("0123456789abcdef", &"0".repeat(65)),
        good.replace("\"0123456789abcdef\"", "123456789012345678"),
        good.replace("\"4242424242424242\"", "4242424242424242"),
        good.replace(&account.public_key, "pkey_test_"),
        good.replace(&account.public_key, &account.secret_key),
        r#"{"number":"#.repeat(500),
        "[".repeat(5000),
        String::new(),
        "\0".repeat(100),
    ] {
        let answer = asked.tokenize_sealed(&account, &Jwe::seal(&key, odd.as_bytes()).compact()).await;
        assert_eq!(answer.error(400, "invalid_seal"), "the seal does not open", "{}", shortened(&odd));
    }
    nothing_was_stored(&asked, &account).await;
    assert_eq!(
        asked.tokenize_sealed(&account, &Jwe::seal(&key, good.as_bytes()).compact()).await.status,
        200
    );
}

/// The same bytes in other letters: the last one's lowest bit set, where it belongs to no byte.
fn non_canonical(part: &str) -> Option<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if part.len().is_multiple_of(4) {
        return None;
    }
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    Some(format!("{rest}{}", &ALPHABET[value + 1..value + 2]))
}
