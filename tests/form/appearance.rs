use cardseal::form::appearance::{Appearance, Color};
use cardseal::plain::{self, Wrong};
use proptest::prelude::*;
use serde_json::{Value, json};

const COLORS: &[(&str, &str)] = &[
    ("colorText", "text"),
    ("colorBackground", "background"),
    ("colorBorder", "border"),
    ("colorAccent", "accent"),
    ("colorError", "error"),
];

/// With the least and the most pixels.
const LENGTHS: &[(&str, &str, u8, u8)] =
    &[("radius", "radius", 0, 32), ("fontSize", "font-size", 12, 32), ("gap", "gap", 0, 48)];

fn parse(member: &str, value: impl Into<Value>) -> Result<Appearance, Wrong> {
    plain::parse(&json!({ member: value.into() }).to_string())
}

fn rule(member: &str, value: impl Into<Value>) -> String {
    parse(member, value).unwrap().rule()
}

#[test]
fn nothing_said_sets_nothing() {
    assert_eq!(Appearance::default().rule(), ":host,:root{}");
    assert_eq!(plain::parse::<Appearance>("{}").unwrap(), Appearance::default());
}

#[test]
fn each_token_sets_its_own_property() {
    for (member, property) in COLORS {
        assert_eq!(rule(member, "#012345"), format!(":host,:root{{--{property}:#012345ff;}}"));
    }
    for (member, property, least, _) in LENGTHS {
        assert_eq!(rule(member, *least), format!(":host,:root{{--{property}:{least}px;}}"));
    }
}

#[test]
fn a_typeface_is_one_of_the_list() {
    assert_eq!(
        rule("fontFamily", "yu-gothic"),
        ":host,:root{--font-family:\"Yu Gothic\",YuGothic,sans-serif;}"
    );
    assert_eq!(rule("fontFamily", "system"), ":host,:root{--font-family:system-ui,sans-serif;}");
    for hostile in ["Yu Gothic", "", "system;}*{display:none", "url(https://evil.example/font)"] {
        assert!(parse("fontFamily", hostile).is_err(), "{hostile}");
    }
}

#[test]
fn all_tokens_are_set_together() {
    let all = json!({
        "colorText": "#000", "colorBackground": "#fff", "colorBorder": "#12345678", "colorAccent": "#0af",
        "colorError": "#C00", "radius": 8, "fontSize": 16, "gap": 12,
    });
    assert_eq!(
        plain::parse::<Appearance>(&all.to_string()).unwrap().rule(),
        ":host,:root{--text:#000000ff;--background:#ffffffff;--border:#12345678;--accent:#00aaffff;--error:#cc0000ff;\
         --radius:8px;--font-size:16px;--gap:12px;}"
    );
}

#[test]
fn a_colour_is_three_six_or_eight_hexadecimal_digits() {
    for (text, shown) in [
        ("#abc", "#aabbccff"),
        ("#ABC", "#aabbccff"),
        ("#000", "#000000ff"),
        ("#a1b2c3", "#a1b2c3ff"),
        ("#A1B2C3", "#a1b2c3ff"),
        ("#a1b2c3d4", "#a1b2c3d4"),
        ("#00000000", "#00000000"),
        ("#ffffffff", "#ffffffff"),
    ] {
        assert_eq!(rule("colorText", text), format!(":host,:root{{--text:{shown};}}"), "{text}");
    }
}

#[test]
fn anything_else_is_no_colour() {
    for text in [
        "",
        "#",
        "#a",
        "#ab",
        "#abcd",
        "#abcde",
        "#abcdeff",
        "#abcdeffff",
        "abc",
        "abcdef",
        "##abc",
        "#abg",
        "# abc",
        "#abc ",
        " #abc",
        "#+bc",
        "#-12345",
        "#0x123",
        "#ａｂｃ",
        "#١٢٣",
        "red",
        "transparent",
        "currentColor",
        "rgb(0,0,0)",
        "var(--x)",
        "url(https://example.com)",
        "#abc;}body{display:none",
    ] {
        assert_eq!(Color::parse(text), None, "{text}");
        assert!(parse("colorText", text).is_err(), "{text}");
    }
    for value in [json!(0xaabbcc), json!(["#abc"]), json!({}), json!(true)] {
        assert!(parse("colorText", value).is_err());
    }
}

#[test]
fn a_length_is_whole_pixels_within_its_limits() {
    for (member, property, least, most) in LENGTHS {
        for pixels in 0..=u8::MAX {
            let parsed = parse(member, pixels);
            if (*least..=*most).contains(&pixels) {
                assert_eq!(parsed.unwrap().rule(), format!(":host,:root{{--{property}:{pixels}px;}}"));
            } else {
                assert!(parsed.is_err(), "{member}: {pixels}");
            }
        }
        for value in [
            json!(-1),
            json!(256),
            json!(16.5),
            json!(1e9),
            json!("16"),
            json!("16px"),
            json!("1em"),
            json!([16]),
        ] {
            assert!(parse(member, value.clone()).is_err(), "{member}: {value}");
        }
    }
}

#[test]
fn a_token_that_is_not_known_is_refused() {
    for member in [
        "color",
        "colortext",
        "color_text",
        "ColorText",
        "css",
        "fontFamily",
        "padding",
        ":host",
        "",
        "rules",
    ] {
        assert!(parse(member, "#abc").is_err(), "{member}");
    }
    for json in ["null", r##""#abc""##, "[]", r##"["#abc"]"##, "", "{"] {
        assert!(plain::parse::<Appearance>(json).is_err(), "{json}");
    }
}

#[test]
fn the_style_sheet_knows_every_property_that_a_rule_sets() {
    let style = include_str!("../../src/form/style.css");
    for property in
        COLORS.iter().map(|(_, property)| property).chain(LENGTHS.iter().map(|(_, property, ..)| property))
    {
        assert!(style.contains(&format!("var(--{property}")), "{property}");
    }
}

/// Whether a rule is nothing but properties of ours with values of the form that this module writes.
fn is_ours(rule: &str) -> bool {
    let declarations =
        rule.strip_prefix(":host,:root{").and_then(|rule| rule.strip_suffix('}')).unwrap_or("!");
    declarations.split_terminator(';').all(|declaration| {
        let Some((name, value)) = declaration.strip_prefix("--").and_then(|it| it.split_once(':')) else {
            return false;
        };
        let hex = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pixels = |text: &str| text.parse::<u8>().is_ok();
        match COLORS.iter().any(|(_, property)| *property == name) {
            true => value.strip_prefix('#').is_some_and(hex),
            false => {
                LENGTHS.iter().any(|(_, property, ..)| *property == name)
                    && value.strip_suffix("px").is_some_and(pixels)
            }
        }
    })
}

fn hostile() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "#[0-9a-fA-F]{0,9}",
        "#[0-9a-f]{3}[;}{:/*a-z\"'()\\\\]{1,12}",
        Just("red;}:host{display:none".to_owned()),
        Just("#abc;}:host{background:url(https://evil.example/?)".to_owned()),
        Just("#abc/**/".to_owned()),
        Just("#abc\u{0}".to_owned()),
        Just("\\23 abc".to_owned()),
    ];
    prop_oneof![
        text.prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u8>().prop_map(Value::from)
    ]
}

proptest! {
    #[test]
    fn nothing_of_a_hostile_text_reaches_the_rule(
        member in prop::sample::select(vec![
            "colorText", "colorBackground", "colorBorder", "colorAccent", "colorError", "radius", "fontSize", "gap",
        ]),
        value in hostile(),
    ) {
        if let Ok(appearance) = parse(member, value.clone()) {
            prop_assert!(is_ours(&appearance.rule()), "{value}: {}", appearance.rule());
        }
    }

    #[test]
    fn no_text_is_a_colour_but_a_colour(text in any::<String>()) {
        let digits = text.strip_prefix('#').unwrap_or_default();
        let is_color = matches!(digits.len(), 3 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert_eq!(Color::parse(&text).is_some(), is_color);
    }

    #[test]
    fn a_colour_of_eight_digits_is_shown_as_it_is(value in any::<u32>()) {
        let text = format!("#{value:08x}");
        prop_assert_eq!(rule("colorText", text.clone()), format!(":host,:root{{--text:{text};}}"));
    }
}
