use cardseal::client::{Pkey, PkeyError};

#[test]
fn a_public_key_is_read_and_says_whether_it_is_live() {
    let longest = format!("pkey_{}", "a0".repeat(32));
    for (text, live) in [
        ("pkey_test_5fs3mbqfygjytlolbky", false),
        ("pkey_test_0", false),
        ("pkey_5fs3mbqfygjytlolbky", true),
        ("pkey_0", true),
        ("pkey_testament", true),
        (&longest, true),
    ] {
        let pkey = Pkey::parse(text).unwrap();
        assert_eq!((pkey.as_str(), pkey.is_live()), (text, live));
        assert_eq!(format!("{pkey:?}"), text);
    }
}

#[test]
fn a_secret_key_is_refused_by_name() {
    for text in ["skey_test_5fs3mbqfygjytlolbky", "skey_5fs3mbqfygjytlolbky", "skey_"] {
        assert_eq!(Pkey::parse(text), Err(PkeyError::Secret), "{text}");
    }
    assert!(PkeyError::Secret.to_string().contains("must be revoked"));
}

#[test]
fn anything_else_is_malformed() {
    let too_long = format!("pkey_test_{}", "a".repeat(65));
    for text in [
        "",
        "pkey",
        "pkey_",
        "pkey_test_",
        "PKEY_test_abc",
        "pkey_test_ABC",
        "pkey_test_abc ",
        " pkey_test_abc",
        "pkey_test_abc\n",
        "pkey_test_a_b",
        "pkey_prod_abc",
        "pkey_test_a:b",
        "pkey_test_é",
        "pk_test_abc",
        "<your public key>",
        &too_long,
    ] {
        assert_eq!(Pkey::parse(text), Err(PkeyError::Malformed), "{text}");
    }
}
