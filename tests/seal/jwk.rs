use base64ct::{Base64Url, Base64UrlUnpadded, Encoding};
use cardseal::plain;
use cardseal::seal::jwk::{Jwk, MAX_KID_BYTES, Unusable, thumbprint_input};
use cardseal::seal::{Algorithm, KeySet, PublicKey, RsaKey};
use serde_json::{Value, json};

use super::recipient::{EcRecipient, Recipient, thumbprint};

/// An odd number of exactly `bits` bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xFB; bits.div_ceil(8)];
    bytes[0] = 1 << ((bits - 1) % 8);
    bytes
}

fn jwk(bits: usize) -> Jwk {
    Jwk::rsa_oaep_256("key-1", &modulus(bits), &[1, 0, 1])
}

fn rsa(jwk: &Jwk) -> RsaKey {
    match PublicKey::try_from(jwk).unwrap() {
        PublicKey::Rsa(key) => key,
        other => panic!("{other:?}"),
    }
}

fn with(change: impl FnOnce(&mut Jwk)) -> Result<PublicKey, Unusable> {
    let mut jwk = jwk(2048);
    change(&mut jwk);
    PublicKey::try_from(&jwk)
}

fn with_modulus(text: &str) -> Result<PublicKey, Unusable> {
    with(|jwk| jwk.n = Some(text.into()))
}

fn with_exponent(text: &str) -> Result<PublicKey, Unusable> {
    with(|jwk| jwk.e = Some(text.into()))
}

#[test]
fn a_published_key_is_read_back() {
    for bits in [2048, 2049, 2056, 3000, 3072, 4095, 4096] {
        let key = rsa(&jwk(bits));
        assert_eq!((key.kid(), key.modulus(), key.exponent()), ("key-1", &*modulus(bits), &[1, 0, 1][..]));
    }
}

#[test]
fn a_key_is_published_with_the_members_of_an_rsa_encryption_key() {
    let Value::Object(members) = serde_json::to_value(jwk(2048)).unwrap() else { panic!("no object") };
    let n = Base64UrlUnpadded::encode_string(&modulus(2048));
    assert_eq!(
        Value::Object(members),
        json!({ "kty": "RSA", "alg": "RSA-OAEP-256", "use": "enc", "kid": "key-1", "n": n, "e": "AQAB" })
    );
}

#[test]
fn a_key_of_another_type_is_refused() {
    for kty in ["", "OKP", "oct", "rsa", "RSA ", "ec"] {
        assert_eq!(with(|jwk| jwk.kty = kty.into()), Err(Unusable::KeyType), "{kty}");
    }
    assert_eq!(with(|jwk| jwk.kty = "EC".into()), Err(Unusable::Algorithm), "an RSA key's members under EC");
}

#[test]
fn a_key_for_another_algorithm_is_refused_and_so_is_one_that_does_not_say() {
    for alg in ["", "RSA-OAEP", "RSA-OAEP-512", "RSA1_5", "RS256", "rsa-oaep-256", "A256GCM"] {
        assert_eq!(with(|jwk| jwk.alg = Some(alg.into())), Err(Unusable::Algorithm), "{alg}");
    }
    assert_eq!(with(|jwk| jwk.alg = None), Err(Unusable::Algorithm));
}

#[test]
fn a_key_for_another_use_is_refused_and_one_that_does_not_say_is_taken() {
    for key_use in ["", "sig", "ENC"] {
        assert_eq!(with(|jwk| jwk.key_use = Some(key_use.into())), Err(Unusable::Use), "{key_use}");
    }
    assert!(with(|jwk| jwk.key_use = None).is_ok());
}

#[test]
fn a_key_without_an_id_of_1_to_256_bytes_is_refused() {
    assert_eq!(with(|jwk| jwk.kid = None), Err(Unusable::KeyId));
    assert_eq!(with(|jwk| jwk.kid = Some(String::new())), Err(Unusable::KeyId));
    assert_eq!(with(|jwk| jwk.kid = Some("k".repeat(MAX_KID_BYTES + 1))), Err(Unusable::KeyId));
    assert!(with(|jwk| jwk.kid = Some("k".repeat(MAX_KID_BYTES))).is_ok());
}

#[test]
fn a_modulus_outside_2048_to_4096_bits_is_refused() {
    for bits in [8, 512, 1024, 1536, 2040, 2047, 4097, 4104, 8192, 65536] {
        assert_eq!(PublicKey::try_from(&jwk(bits)), Err(Unusable::Modulus), "{bits}");
    }
    assert_eq!(with(|jwk| jwk.n = None), Err(Unusable::Modulus));
    assert_eq!(with_modulus(""), Err(Unusable::Modulus));
}

#[test]
fn a_modulus_that_is_even_or_has_a_leading_zero_is_refused() {
    let mut even = modulus(2048);
    *even.last_mut().unwrap() = 0xFA;
    let padded = [vec![0], modulus(2048)].concat();
    for modulus in [even, padded, vec![0; 256]] {
        assert_eq!(with_modulus(&Base64UrlUnpadded::encode_string(&modulus)), Err(Unusable::Modulus));
    }
}

#[test]
fn a_modulus_in_any_spelling_but_strict_base64url_is_refused() {
    let strict = Base64UrlUnpadded::encode_string(&modulus(2048));
    assert!(with_modulus(&strict).is_ok());
    let standard = strict.replace('-', "+").replace('_', "/");
    assert_ne!(strict, standard);
    // 256 bytes leave four spare bits in the last character.
    let spare = [&strict[..strict.len() - 1], "x"].concat();
    let padded = Base64Url::encode_string(&modulus(2048));
    assert!(padded.ends_with("=="));
    for text in [
        standard,
        spare,
        padded,
        format!(" {strict}"),
        format!("{strict}\n"),
        format!("{}\n{}", &strict[..64], &strict[64..]),
        format!("{strict}A"),
        format!("{strict}é"),
    ] {
        assert_eq!(with_modulus(&text), Err(Unusable::Modulus), "{text}");
    }
}

#[test]
fn any_exponent_but_65537_is_refused() {
    for (what, exponent) in
        [("3", "Aw"), ("17", "EQ"), ("1", "AQ"), ("65539", "AQAD"), ("65537 padded", "AAEAAQ"), ("none", "")]
    {
        assert_eq!(with_exponent(exponent), Err(Unusable::Exponent), "{what}");
    }
    for spelling in ["AQAB=", "AQAB ", "AQA", "65537"] {
        assert_eq!(with_exponent(spelling), Err(Unusable::Exponent), "{spelling}");
    }
    assert_eq!(with(|jwk| jwk.e = None), Err(Unusable::Exponent));
}

fn sealing_key(keys: Value) -> Result<String, Unusable> {
    let set: KeySet = plain::parse(&json!({ "keys": keys }).to_string()).unwrap();
    set.sealing_key(Algorithm::RsaOaep256, false).map(|key| key.kid().to_owned())
}

fn published(kid: &str) -> Value {
    serde_json::to_value(Jwk { kid: Some(kid.into()), ..jwk(2048) }).unwrap()
}

#[test]
fn the_first_usable_key_of_a_set_is_sealed_to() {
    assert_eq!(sealing_key(json!([published("one"), published("two")])), Ok("one".into()));
    assert_eq!(sealing_key(json!([jwk(1024), published("two")])), Ok("two".into()));
    let elliptic = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "use": "enc", "kid": "ec" });
    assert_eq!(sealing_key(json!([elliptic, {}, { "kty": "oct" }, published("rsa")])), Ok("rsa".into()));
}

#[test]
fn a_key_for_the_other_mode_is_passed_over() {
    let of_mode = |kid: &str, livemode| Jwk { kid: Some(kid.into()), livemode, ..jwk(2048) };
    let set = KeySet { keys: vec![of_mode("live", Some(true)), of_mode("test", Some(false))] };
    let kid =
        |set: &KeySet, live| set.sealing_key(Algorithm::RsaOaep256, live).map(|key| key.kid().to_owned());
    assert_eq!((kid(&set, true), kid(&set, false)), (Ok("live".into()), Ok("test".into())));
    let set = KeySet { keys: vec![of_mode("live", Some(true))] };
    assert_eq!(kid(&set, false), Err(Unusable::Empty));
    // A vendor's keys come for one merchant, and do not say it.
    let set = KeySet { keys: vec![of_mode("any", None)] };
    assert_eq!((kid(&set, true), kid(&set, false)), (Ok("any".into()), Ok("any".into())));
}

#[test]
fn a_set_of_both_kinds_has_a_key_for_either_algorithm() {
    let elliptic = EcRecipient::generate().jwk;
    let set = KeySet { keys: vec![elliptic.clone(), jwk(2048)] };
    let kid = |algorithm| set.sealing_key(algorithm, false).unwrap().kid().to_owned();
    assert_eq!(kid(Algorithm::RsaOaep256), "key-1");
    assert_eq!(Some(kid(Algorithm::EcdhEs)), elliptic.kid);
    for (key, algorithm) in [(elliptic, Algorithm::RsaOaep256), (jwk(2048), Algorithm::EcdhEs)] {
        let set = KeySet { keys: vec![key] };
        assert_eq!(set.sealing_key(algorithm, false), Err(Unusable::Algorithm), "{algorithm:?}");
    }
}

#[test]
fn a_set_without_a_usable_key_says_what_is_wrong_with_its_first() {
    assert_eq!(sealing_key(json!([])), Err(Unusable::Empty));
    assert_eq!(sealing_key(json!([jwk(1024)])), Err(Unusable::Modulus));
    assert_eq!(sealing_key(json!([{ "kty": "EC" }, jwk(1024)])), Err(Unusable::Algorithm));
    assert_eq!(sealing_key(json!([{ "kty": "oct" }, jwk(1024)])), Err(Unusable::KeyType));
    assert_eq!(sealing_key(json!([{}])), Err(Unusable::KeyType));
}

#[test]
fn members_that_are_not_known_are_ignored() {
    let mut key = published("key");
    let members = key.as_object_mut().unwrap();
    members.insert("x5c".into(), json!(["MII"]));
    members.insert("key_ops".into(), json!(["wrapKey"]));
    members.insert("exp".into(), json!(1));
    let set: KeySet = plain::parse(&json!({ "keys": [key], "issuer": { "name": "x" } }).to_string()).unwrap();
    assert_eq!(set.sealing_key(Algorithm::RsaOaep256, false).unwrap().kid(), "key");
}

#[test]
fn a_set_that_is_written_is_read_back() {
    let set = KeySet { keys: vec![jwk(2048), jwk(3072)] };
    let back: KeySet = plain::parse(&serde_json::to_string(&set).unwrap()).unwrap();
    assert_eq!(back.keys, set.keys);
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
    const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\
        oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQM\
        icAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHa\
        Q-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let modulus = Base64UrlUnpadded::decode_vec(MODULUS).unwrap();
    assert_eq!(
        thumbprint_input(&modulus, &[1, 0, 1]),
        format!(r#"{{"e":"AQAB","kty":"RSA","n":"{MODULUS}"}}"#)
    );
    assert_eq!(thumbprint(&modulus, &[1, 0, 1]), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn wycheproofs_keys_are_usable() {
    for bits in [2048, 3072, 4096] {
        assert_eq!(rsa(&Recipient::with_bits(bits).jwk).modulus().len() * 8, bits);
    }
}
