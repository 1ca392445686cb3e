use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{alone, open, opens_only_what_was_wrapped, refusal};

const KEY: &str = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";

#[test]
fn a_variable_holds_32_bytes_in_base64() {
    let variables = || {
        vec![
            ("CARDSEAL_GOOD", KEY.into()),
            ("CARDSEAL_LINE", format!("{KEY}\n").into()),
            ("CARDSEAL_SHORT", KEY[4..].into()),
            ("CARDSEAL_LONG", KEY.repeat(2).into()),
            ("CARDSEAL_OTHER", "swordfish".into()),
            ("CARDSEAL_EMPTY", "".into()),
            ("CARDSEAL_BYTES", OsString::from_vec(b"swordfish\xff".to_vec())),
        ]
    };
    if !alone("keys::kek::environment::a_variable_holds_32_bytes_in_base64", variables) {
        return;
    }
    let kek = open("env:CARDSEAL_GOOD").unwrap();
    opens_only_what_was_wrapped(&kek);
    assert!(super::opens(&open("env:CARDSEAL_LINE").unwrap(), &super::wrap(&kek)));

    for name in ["CARDSEAL_SHORT", "CARDSEAL_LONG", "CARDSEAL_OTHER", "CARDSEAL_EMPTY"] {
        let message = refusal(&format!("env:{name}"));
        assert!(message.contains(&format!("{name} does not hold 32 bytes in base64")), "{message}");
        assert!(!message.contains("swordfish") && !message.contains(&KEY[4..12]), "{message}");
    }
    let message = refusal("env:CARDSEAL_BYTES");
    assert!(message.contains("CARDSEAL_BYTES") && !message.contains("swordfish"), "{message}");
    let message = refusal("env:CARDSEAL_NONE");
    assert!(message.contains("CARDSEAL_NONE is not set"), "{message}");
}
