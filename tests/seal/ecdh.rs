use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::{thales_d1, thales_pci};
use cardseal::plain;
use cardseal::seal::jwk::{Jwk, MAX_KID_BYTES, Unusable};
use cardseal::seal::{Algorithm, Compact, KeySet, PublicKey};
use serde_json::json;

use super::recipient::{EcRecipient, Recipient};

const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

fn card(number: &str, expiry: &str) -> Card {
    Card {
        number: Number::parse(number).valid().unwrap(),
        expiry: Expiry::parse(expiry, TODAY).valid().unwrap(),
        security_code: SecurityCode::parse("987", None).valid(),
        holder: Holder::parse("Taro Yamada").valid(),
    }
}

fn public_key(recipient: &EcRecipient) -> PublicKey {
    PublicKey::try_from(&recipient.jwk).unwrap()
}

fn sealed(recipient: &EcRecipient) -> String {
    thales_d1::plaintext(&card("4242424242424242", "12/34")).seal(&public_key(recipient)).unwrap()
}

fn opened(recipient: &EcRecipient, seal: &str) -> String {
    String::from_utf8(recipient.open(seal).expect("it opens")).unwrap()
}

#[test]
fn what_is_sealed_opens_with_aws_lc_and_is_number_and_expiry_alone() {
    let recipient = EcRecipient::generate();
    for (number, expiry, content) in [
        ("4242424242424242", "12/34", r#"{"pan":"4242424242424242","exp":"1234"}"#),
        ("6447032400000000001", "1/30", r#"{"pan":"6447032400000000001","exp":"0130"}"#),
        ("378282246310005", "02/2027", r#"{"pan":"378282246310005","exp":"0227"}"#),
    ] {
        let seal = thales_d1::plaintext(&card(number, expiry)).seal(&public_key(&recipient)).unwrap();
        assert_eq!(opened(&recipient, &seal), content);
    }
}

#[test]
fn thaless_other_service_has_another_name_for_the_number() {
    let recipient = Recipient::with_bits(2048);
    let seal =
        thales_pci::plaintext(&card("4242424242424242", "9/29")).seal(&recipient.public_key()).unwrap();
    let content = recipient.open(&seal).unwrap();
    assert_eq!(String::from_utf8(content).unwrap(), r#"{"fpan":"4242424242424242","exp":"0929"}"#);
}

#[test]
fn no_plaintext_is_printed() {
    let card = card("4242424242424242", "12/34");
    assert_eq!(format!("{:?} {:?}", thales_d1::plaintext(&card), thales_pci::plaintext(&card)), "••• •••");
}

#[test]
fn another_recipient_cannot_open_it() {
    let [one, other] = [(), ()].map(|()| EcRecipient::generate());
    assert_eq!(other.open(&sealed(&one)), None);
}

#[test]
fn a_key_id_of_any_characters_comes_back_as_it_was() {
    let mut recipient = EcRecipient::generate();
    for kid in ["a\"b\\c", "鍵 №1", "{}", &"k".repeat(MAX_KID_BYTES)] {
        recipient.jwk.kid = Some(kid.into());
        assert!(recipient.open(&sealed(&recipient)).is_some(), "{kid}");
        assert_eq!(public_key(&recipient).kid(), kid);
    }
}

#[test]
fn every_seal_has_a_key_pair_a_vector_and_a_text_of_its_own() {
    const SEALS: usize = 64;
    let recipient = EcRecipient::generate();
    let seals: Vec<String> = (0..SEALS).map(|_| sealed(&recipient)).collect();
    for part in [0, 2, 3, 4] {
        let parts: HashSet<_> = seals.iter().map(|seal| seal.split('.').nth(part).unwrap()).collect();
        assert_eq!(parts.len(), SEALS, "part {part}");
    }
}

#[test]
fn a_change_to_any_character_of_a_seal_keeps_it_from_opening() {
    let recipient = EcRecipient::generate();
    let sealed = sealed(&recipient);
    for place in 0..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'g' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(recipient.open(&changed), None, "character {place}");
    }
}

#[test]
fn it_is_no_seal_of_the_vaults() {
    assert!(Compact::parse(&sealed(&EcRecipient::generate())).is_err());
}

/// The key that D1's documents show (Thales D1, "Data encryption"), as the vault publishes it.
#[test]
fn the_vendors_sample_key_is_sealed_to() {
    let set: KeySet = plain::parse(
        &json!({ "keys": [{
            "kty": "EC",
            "crv": "P-256",
            "alg": "ECDH-ES",
            "use": "enc",
            "kid": "ASDsL-Jx2XOkRnFtqW-QblWY-mDnQW2LgapadFx75tA",
            "x": "UbInEqNbZZZ9SJptBwKTKO6qslSyuWvMkVK44Bx_d8U",
            "y": "PUxeHMNVL0VRxOYJrkHcpe6sap7IG-Are0QborZDngI",
        }] })
        .to_string(),
    )
    .unwrap();
    let key = set.sealing_key(Algorithm::EcdhEs, false).unwrap();
    let seal = thales_d1::plaintext(&card("4242424242424242", "12/34")).seal(&key).unwrap();
    let header = Base64UrlUnpadded::decode_vec(seal.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["kid"], "ASDsL-Jx2XOkRnFtqW-QblWY-mDnQW2LgapadFx75tA");
    assert_eq!(header["epk"].as_object().unwrap().len(), 4);
}

mod a_key_is_refused {
    use super::*;

    fn with(change: impl FnOnce(&mut Jwk)) -> Result<PublicKey, Unusable> {
        let mut jwk = EcRecipient::generate().jwk;
        change(&mut jwk);
        PublicKey::try_from(&jwk)
    }

    fn encoded(bytes: &[u8]) -> Option<String> {
        Some(Base64UrlUnpadded::encode_string(bytes))
    }

    #[test]
    fn for_another_algorithm() {
        for alg in [None, Some(""), Some("ECDH-ES+A256KW"), Some("ES256"), Some("RSA-OAEP-256")] {
            assert_eq!(with(|jwk| jwk.alg = alg.map(Into::into)), Err(Unusable::Algorithm), "{alg:?}");
        }
    }

    #[test]
    fn for_another_use_or_without_an_id() {
        assert_eq!(with(|jwk| jwk.key_use = Some("sig".into())), Err(Unusable::Use));
        assert!(with(|jwk| jwk.key_use = None).is_ok());
        assert_eq!(with(|jwk| jwk.kid = None), Err(Unusable::KeyId));
        assert_eq!(with(|jwk| jwk.kid = Some("k".repeat(MAX_KID_BYTES + 1))), Err(Unusable::KeyId));
    }

    #[test]
    fn on_another_curve() {
        for crv in
            [None, Some(""), Some("P-384"), Some("P-521"), Some("secp256k1"), Some("X25519"), Some("p-256")]
        {
            assert_eq!(with(|jwk| jwk.crv = crv.map(Into::into)), Err(Unusable::Curve), "{crv:?}");
        }
    }

    #[test]
    fn that_is_no_point_on_the_curve() {
        let prime = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        ];
        for bytes in [[0; 32], [1; 32], [0xFF; 32], prime] {
            assert_eq!(with(|jwk| jwk.x = encoded(&bytes)), Err(Unusable::Point), "x {bytes:?}");
            assert_eq!(with(|jwk| jwk.y = encoded(&bytes)), Err(Unusable::Point), "y {bytes:?}");
        }
        let zero = |jwk: &mut Jwk| (jwk.x, jwk.y) = (encoded(&[0; 32]), encoded(&[0; 32]));
        assert_eq!(with(zero), Err(Unusable::Point));
        assert_eq!(with(|jwk| std::mem::swap(&mut jwk.x, &mut jwk.y)), Err(Unusable::Point));
        let other = EcRecipient::generate().jwk;
        assert_eq!(with(|jwk| jwk.y = other.y), Err(Unusable::Point), "another point's y");
    }

    #[test]
    fn whose_coordinates_are_not_of_32_bytes() {
        let decoded =
            |text: &Option<String>| Base64UrlUnpadded::decode_vec(text.as_deref().unwrap()).unwrap();
        assert_eq!(with(|jwk| jwk.x = None), Err(Unusable::Point));
        assert_eq!(with(|jwk| jwk.y = None), Err(Unusable::Point));
        assert_eq!(with(|jwk| jwk.y = Some(String::new())), Err(Unusable::Point));
        assert_eq!(with(|jwk| jwk.x = encoded(&decoded(&jwk.x)[1..])), Err(Unusable::Point), "shorter");
        let longer = |jwk: &mut Jwk| jwk.x = encoded(&[vec![0], decoded(&jwk.x)].concat());
        assert_eq!(with(longer), Err(Unusable::Point), "longer");
        assert_eq!(with(|jwk| jwk.x = encoded(&[0; 1000])), Err(Unusable::Point));
        for padding in ["=", "\n", " "] {
            assert_eq!(
                with(|jwk| jwk.x.as_mut().unwrap().push_str(padding)),
                Err(Unusable::Point),
                "{padding:?}"
            );
        }
    }
}
