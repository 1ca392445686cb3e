use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::Compact;
use cardseal::seal::jwe::{MAX_BYTES, Malformed};
use proptest::prelude::*;

const HEADER: &str = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1"}"#;

/// The parts of a JWE before they are encoded.
struct Parts<'a> {
    header: &'a str,
    key: usize,
    iv: usize,
    ciphertext: usize,
    tag: usize,
}

const GOOD: Parts<'_> = Parts { header: HEADER, key: 256, iv: 12, ciphertext: 200, tag: 16 };

impl Parts<'_> {
    fn encoded(&self) -> [String; 5] {
        let bytes = |length| Base64UrlUnpadded::encode_string(&vec![0xA5; length]);
        let header = Base64UrlUnpadded::encode_string(self.header.as_bytes());
        [header, bytes(self.key), bytes(self.iv), bytes(self.ciphertext), bytes(self.tag)]
    }

    fn text(&self) -> String {
        self.encoded().join(".")
    }
}

fn with_header(header: &str) -> String {
    Parts { header, ..GOOD }.text()
}

fn is_malformed(text: &str) -> bool {
    Compact::parse(text) == Err(Malformed)
}

#[test]
fn five_parts_with_the_profiles_header_and_lengths_are_read() {
    let text = GOOD.text();
    let compact = Compact::parse(&text).unwrap();
    assert_eq!(compact.kid(), "k1");
    assert_eq!(compact.aad(), text.split('.').next().unwrap().as_bytes());
    assert_eq!(compact.encrypted_key(), [0xA5; 256]);
    assert_eq!(compact.iv(), &[0xA5; 12]);
    assert_eq!(compact.ciphertext(), [0xA5; 200]);
    assert_eq!(compact.tag(), &[0xA5; 16]);
}

#[test]
fn the_headers_members_may_come_in_any_order() {
    for header in [
        r#"{"enc":"A256GCM","kid":"k1","alg":"RSA-OAEP-256"}"#,
        r#"{"kid":"k1","enc":"A256GCM","alg":"RSA-OAEP-256"}"#,
        r#"{ "alg": "RSA-OAEP-256", "kid": "k1",
             "enc": "A256GCM" }"#,
        r#"{"alg":"RSA\u002dOAEP-256","enc":"A256GCM","kid":"\u006b1"}"#,
    ] {
        let text = with_header(header);
        let compact = Compact::parse(&text).unwrap();
        assert_eq!(compact.kid(), "k1", "{header}");
        assert_eq!(compact.aad(), Base64UrlUnpadded::encode_string(header.as_bytes()).as_bytes());
    }
}

#[test]
fn any_further_member_is_refused() {
    for member in [
        r#""zip":"DEF""#,
        r#""crit":["exp"],"exp":1"#,
        r#""crit":[]"#,
        r#""jku":"https://example.com/keys""#,
        r#""jwk":{"kty":"RSA"}"#,
        r#""x5u":"https://example.com/cert""#,
        r#""x5c":["MII"]"#,
        r#""x5t":"AA""#,
        r#""typ":"JOSE""#,
        r#""cty":"json""#,
        r#""epk":{}"#,
        r#""iss":"x""#,
        r#""ALG":"RSA-OAEP-256""#,
        r#""":"""#,
    ] {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1",{member}}}"#);
        assert!(is_malformed(&with_header(&header)), "{member}");
    }
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    for member in [r#""alg":"RSA-OAEP-256""#, r#""enc":"A256GCM""#, r#""kid":"k1""#, r#""kid":"k2""#] {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1",{member}}}"#);
        assert!(is_malformed(&with_header(&header)), "{member}");
    }
}

#[test]
fn another_algorithm_is_refused() {
    for alg in [
        r#""RSA-OAEP""#,
        r#""RSA1_5""#,
        r#""RSA-OAEP-512""#,
        r#""dir""#,
        r#""none""#,
        r#""ECDH-ES""#,
        r#""rsa-oaep-256""#,
        r#""RSA-OAEP-256 ""#,
        r#""RSA-OAEP-256\u0000""#,
        r#""""#,
        "null",
        "{}",
        r#"["RSA-OAEP-256"]"#,
        r#"{"":"RSA-OAEP-256"}"#,
        "1",
    ] {
        let header = format!(r#"{{"alg":{alg},"enc":"A256GCM","kid":"k1"}}"#);
        assert!(is_malformed(&with_header(&header)), "{alg}");
    }
    assert!(is_malformed(&with_header(r#"{"enc":"A256GCM","kid":"k1"}"#)));
}

#[test]
fn another_encryption_is_refused() {
    for enc in [
        r#""A128GCM""#,
        r#""A192GCM""#,
        r#""A256CBC-HS512""#,
        r#""a256gcm""#,
        r#""A256GCMKW""#,
        r#""""#,
        "null",
        "{}",
        r#"["A256GCM"]"#,
        "256",
    ] {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":{enc},"kid":"k1"}}"#);
        assert!(is_malformed(&with_header(&header)), "{enc}");
    }
    assert!(is_malformed(&with_header(r#"{"alg":"RSA-OAEP-256","kid":"k1"}"#)));
}

#[test]
fn a_key_id_that_is_missing_or_no_string_is_refused() {
    assert!(is_malformed(&with_header(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#)));
    for kid in ["null", "1", "true", "{}", r#"["k1"]"#] {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":{kid}}}"#);
        assert!(is_malformed(&with_header(&header)), "{kid}");
    }
}

#[test]
fn a_header_that_is_not_one_json_object_is_refused() {
    for header in [
        "",
        " ",
        "null",
        "{}",
        r#""RSA-OAEP-256""#,
        r#"["RSA-OAEP-256","A256GCM","k1"]"#,
        r#"[{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1"}]"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1"}{}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1"},"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1",}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1""#,
        r"{'alg':'RSA-OAEP-256','enc':'A256GCM','kid':'k1'}",
        "\u{FEFF}{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"k1\"}",
    ] {
        assert!(is_malformed(&with_header(header)), "{header}");
    }
}

#[test]
fn a_header_in_broken_utf_8_is_refused() {
    let mut header = HEADER.as_bytes().to_vec();
    let place = header.len() - 3;
    header[place] = 0xFF;
    let text = [Base64UrlUnpadded::encode_string(&header), GOOD.encoded()[1..].join(".")].join(".");
    assert!(is_malformed(&text));
}

#[test]
fn any_number_of_parts_but_five_is_refused() {
    let text = GOOD.text();
    let parts = GOOD.encoded();
    for count in 0..5 {
        assert!(is_malformed(&parts[..count].join(".")), "{count}");
    }
    for text in [
        format!("{text}."),
        format!(".{text}"),
        format!("{text}.AAAA"),
        text.replacen('.', "..", 1),
        "....".into(),
        String::new(),
    ] {
        assert!(is_malformed(&text), "{text}");
    }
}

#[test]
fn a_part_in_any_spelling_but_strict_base64url_is_refused() {
    for part in 0..5 {
        let with = |change: &dyn Fn(&str) -> String| {
            let mut parts = GOOD.encoded();
            parts[part] = change(&parts[part]);
            parts.join(".")
        };
        assert!(Compact::parse(&with(&ToString::to_string)).is_ok());
        for (what, text) in [
            ("leading space", with(&|part| format!(" {part}"))),
            ("trailing space", with(&|part| format!("{part} "))),
            ("line break", with(&|part| format!("{}\n{}", &part[..4], &part[4..]))),
            ("tab", with(&|part| format!("\t{part}"))),
            ("padding", with(&|part| format!("{part}="))),
            ("two of padding", with(&|part| format!("{part}=="))),
            ("standard alphabet", with(&|part| format!("+/{}", &part[2..]))),
            ("percent", with(&|part| format!("%{}", &part[1..]))),
            ("not ASCII", with(&|part| format!("{part}ー"))),
        ] {
            assert!(is_malformed(&text), "part {part}: {what}");
        }
    }
}

#[test]
fn spare_bits_at_the_end_of_a_part_must_be_zero() {
    // 256 and 200 bytes end in two characters, the last with four spare bits; 16 bytes as well. The header has 50 bytes
    // and two spare bits, the vector has none.
    for (part, last) in [(0, 1), (1, 1), (3, 1), (4, 8)] {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut parts = Parts { header: &format!("{HEADER} "), ciphertext: 202, ..GOOD }.encoded();
        assert!(Compact::parse(&parts.join(".")).is_ok());
        let final_letter = parts[part].pop().unwrap();
        let value = ALPHABET.find(final_letter).unwrap();
        parts[part].push(char::from(ALPHABET.as_bytes()[value | last]));
        assert_ne!(value, value | last, "part {part}");
        assert!(is_malformed(&parts.join(".")), "part {part}");
    }
}

#[test]
fn a_part_of_another_length_is_refused() {
    for (what, parts) in [
        ("vector of 11", Parts { iv: 11, ..GOOD }),
        ("vector of 13", Parts { iv: 13, ..GOOD }),
        ("vector of 16", Parts { iv: 16, ..GOOD }),
        ("no vector", Parts { iv: 0, ..GOOD }),
        ("tag of 15", Parts { tag: 15, ..GOOD }),
        ("tag of 17", Parts { tag: 17, ..GOOD }),
        ("tag of 12", Parts { tag: 12, ..GOOD }),
        ("no tag", Parts { tag: 0, ..GOOD }),
        ("key of 128", Parts { key: 128, ..GOOD }),
        ("key of 255", Parts { key: 255, ..GOOD }),
        ("key of 513", Parts { key: 513, ..GOOD }),
        ("no key", Parts { key: 0, ..GOOD }),
    ] {
        assert!(is_malformed(&parts.text()), "{what}");
    }
    for key in [256, 384, 512] {
        assert!(Compact::parse(&Parts { key, ..GOOD }.text()).is_ok(), "{key}");
    }
}

#[test]
fn more_than_8_kib_are_refused() {
    // Characters left for the ciphertext; the rest and three dots aside, and a header to make it come out even.
    let longest = (0..MAX_BYTES)
        .rev()
        .map(|ciphertext| Parts { ciphertext, ..GOOD }.text())
        .find(|text| text.len() <= MAX_BYTES)
        .unwrap();
    assert!(longest.len() > MAX_BYTES - 3);
    assert!(Compact::parse(&longest).is_ok());
    let padded = |spaces: usize, ciphertext| {
        Parts { header: &format!("{HEADER}{}", " ".repeat(spaces)), ciphertext, ..GOOD }.text()
    };
    let texts: Vec<String> =
        (0..3).flat_map(|spaces| (5_700..5_900).map(move |ciphertext| padded(spaces, ciphertext))).collect();
    for length in [MAX_BYTES, MAX_BYTES + 1] {
        let text = texts.iter().find(|text| text.len() == length).expect("a text of this length");
        assert_eq!(Compact::parse(text).is_ok(), length <= MAX_BYTES, "{length}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Compact::parse(&text);
    }

    #[test]
    fn no_text_of_base64url_and_dots_is_a_seal(text in "[A-Za-z0-9_.-]{0,600}") {
        prop_assert!(is_malformed(&text));
    }

    #[test]
    fn no_header_panics(header in any::<String>()) {
        prop_assert!(is_malformed(&with_header(&header)));
    }

    #[test]
    fn what_is_put_into_a_seal_anywhere_is_never_overlooked(
        place in any::<prop::sample::Index>(),
        what in any::<char>(),
    ) {
        let mut text = GOOD.text();
        let place = place.index(text.len() + 1);
        text.insert(place, what);
        if let Ok(compact) = Compact::parse(&text) {
            // One character more can only pass where it makes the ciphertext or the key another one, or the header, whose
            // text the tag authenticates as it stands.
            let (key, ciphertext) = (compact.encrypted_key().len(), compact.ciphertext().len());
            let is_header = compact.aad() != GOOD.text().split('.').next().unwrap().as_bytes();
            prop_assert!(key != 256 || ciphertext != 200 || is_header);
        }
    }
}
