use cardseal_vault::keys::kek::{Source, SourceError};

use super::source;

const URI: &str =
    "pkcs11:token=cards;object=kek?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin";

#[test]
fn are_written_as_they_are_read() {
    for text in [
        "file:/var/lib/cardseal/kek",
        "file:kek",
        "env:CARDSEAL_KEK",
        "env:_1",
        "shares:/media/a/share,/media/b/share",
        "custodians:2",
        "custodians:16",
        URI,
        "pkcs11:token=The%20cards%3B%20%C3%A9%3F;object=k%2Fe%25k?module-path=/opt/a%26b.so&pin-source=env:PIN",
    ] {
        assert_eq!(source(text).to_string(), text);
        assert_eq!(source(&source(text).to_string()), source(text));
    }
}

#[test]
fn pkcs11_addresses_may_be_in_any_order_and_say_that_the_key_is_secret() {
    let other = "pkcs11:type=secret-key;object=%6bek;token=cards\
        ?pin-source=file%3A/etc/pin&module-path=%2Fusr/lib/softhsm/libsofthsm2.so";
    assert_eq!(source(other), source(URI));
}

#[test]
fn what_is_none_is_refused_and_not_repeated() {
    let long = "t".repeat(33);
    for (text, error) in [
        ("", SourceError::Unknown),
        ("swordfish", SourceError::Unknown),
        ("/swordfish", SourceError::Unknown),
        ("base64:swordfish", SourceError::Unknown),
        ("FILE:/swordfish", SourceError::Unknown),
        ("file:", SourceError::NoPath),
        ("env:", SourceError::Variable),
        ("env:1SWORDFISH", SourceError::Variable),
        ("env:swordfish=", SourceError::Variable),
        ("env:swördfish", SourceError::Variable),
        ("shares:/swordfish", SourceError::ShareCount),
        ("shares:/a,", SourceError::NoPath),
        ("shares:/swordfish,/b,/swordfish", SourceError::SameFile),
        (
            &format!("shares:{}", (0..17).map(|n| n.to_string()).collect::<Vec<_>>().join(",")),
            SourceError::ShareCount,
        ),
        ("custodians:", SourceError::ShareCount),
        ("custodians:1", SourceError::ShareCount),
        ("custodians:17", SourceError::ShareCount),
        ("custodians:-2", SourceError::ShareCount),
        ("custodians:swordfish", SourceError::ShareCount),
        ("pkcs11:", SourceError::Lacks("module-path")),
        (&URI.replace("token=cards;", ""), SourceError::Lacks("token")),
        (&URI.replace("object=kek", ""), SourceError::Lacks("object")),
        (&URI.replace("&pin-source=file:/etc/pin", ""), SourceError::Lacks("pin-source")),
        (&URI.replace("file:/etc/pin", "swordfish"), SourceError::PinSource),
        (&URI.replace("file:/etc/pin", "|swordfish"), SourceError::PinSource),
        (&URI.replace("file:/etc/pin", "file:"), SourceError::NoPath),
        (&URI.replace("pin-source=file:/etc/pin", "pin-value=swordfish"), SourceError::PinInSettings),
        (&format!("{URI}&pin-value=swordfish"), SourceError::PinInSettings),
        (&format!("{URI}&pin-source=file:/etc/pin"), SourceError::Repeated("pin-source")),
        (&URI.replace("object=kek", "object=kek;object=kek"), SourceError::Repeated("object")),
        (&URI.replace("object=kek", "object=kek;id=%01"), SourceError::UnknownAttribute),
        (&URI.replace("object=kek", "object=kek;type=private"), SourceError::UnknownAttribute),
        (&URI.replace("object=kek", "object=kek;swordfish"), SourceError::UnknownAttribute),
        (&format!("{URI}&module-name=swordfish"), SourceError::UnknownAttribute),
        (&URI.replace("cards", "%zz"), SourceError::Encoding),
        (&URI.replace("cards", "%f"), SourceError::Encoding),
        (&URI.replace("cards", "%ff"), SourceError::Encoding),
        (&URI.replace("cards", ""), SourceError::Label { attribute: "token", longest: 32 }),
        (&URI.replace("cards", &long), SourceError::Label { attribute: "token", longest: 32 }),
    ] {
        let refused = text.parse::<Source>().unwrap_err();
        assert_eq!(refused, error, "{text:?}");
        assert!(!refused.to_string().contains("swordfish"), "{refused}");
    }
}

#[test]
fn what_nothing_can_be_written_to_says_how_a_key_is_made() {
    for (text, cure) in
        [("env:KEK", "head -c 32 /dev/urandom | base64"), ("custodians:3", "shares:PATH,PATH")]
    {
        let message = source(text).create().unwrap_err().to_string();
        assert!(message.contains(cure), "{message}");
    }
}
