use std::collections::BTreeMap;

use cardseal::form::appearance::{Appearance, Color, Rule};
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

fn rule(member: &str, value: impl Into<Value>) -> Rule {
    parse(member, value).unwrap().rule()
}

/// What a rule sets, by property: under a light and a dark `color-scheme`, and where a browser knows of no schemes.
fn set(rule: &Rule) -> BTreeMap<String, [String; 3]> {
    let (old, new) = rule.css.split_once("@supports (color:light-dark(#000,#fff)){").unwrap();
    let declarations = |css: &str| -> Vec<(String, String)> {
        let css = css.strip_prefix(":host,:root{").and_then(|css| css.strip_suffix('}')).unwrap();
        let each =
            css.split_terminator(';').map(|each| each.strip_prefix("--").unwrap().split_once(':').unwrap());
        each.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let old =
        declarations(old).into_iter().map(|(name, value)| (name, [value.clone(), value.clone(), value]));
    let mut all: BTreeMap<_, _> = old.collect();
    for (name, value) in declarations(new.strip_suffix('}').unwrap()) {
        let both = value.strip_prefix("light-dark(").and_then(|both| both.strip_suffix(')')).unwrap();
        let (light, dark) = both.split_once(',').unwrap();
        let [_, _, old] = all[&name].clone();
        assert_eq!(light, old, "{name}: browsers without schemes show the light one");
        all.insert(name, [light.to_owned(), dark.to_owned(), old]);
    }
    all
}

/// As WCAG 2.2 defines it.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |color: &str| {
        let value = u32::from_str_radix(color.strip_prefix('#').unwrap(), 16).unwrap();
        let [_, red, green, blue] = value.to_be_bytes().map(|byte| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

/// Everything that stands in a field, or says what is wrong with it, can be read there, under each scheme.
fn assert_readable(appearance: &Appearance) {
    let set = set(&appearance.rule());
    for (name, least) in [("text", 4.5), ("muted", 4.5), ("error", 4.5), ("border", 3.0), ("accent", 3.0)] {
        for (color, background) in set[name].iter().zip(&set["background"]) {
            assert!(color.len() == 7 && background.len() == 7, "opaque: {color} on {background}");
            let contrast = contrast(color, background);
            assert!(contrast >= least, "{name}: {color} on {background} has {contrast}: {appearance:?}");
        }
    }
}

#[test]
fn where_nothing_is_said_the_form_has_colours_of_its_own() {
    assert_eq!(plain::parse::<Appearance>("{}").unwrap(), Appearance::default());
    assert_readable(&Appearance::default());
    let rule = Appearance::default().rule();
    assert!(!rule.is_mended);
    let set = set(&rule);
    assert_eq!(set["text"][..2], ["#1a2230", "#eef1f6"]);
    assert_eq!(set["background"][..2], ["#ffffff", "#171c26"]);
    assert_eq!(set.len(), 6, "lengths and typeface are the style sheet's");
}

#[test]
fn each_token_sets_its_own_property() {
    for (member, property) in COLORS {
        // Dark enough on white; a field's own background is never moved.
        let set = set(&rule(member, "#012345"));
        assert_eq!(set[*property][0], "#012345", "{member}");
    }
    for (member, property, least, most) in LENGTHS {
        for length in [least, most] {
            assert_eq!(set(&rule(member, *length))[*property][0], format!("{length}px"));
        }
    }
}

#[test]
fn a_colour_that_cannot_be_read_is_moved_to_the_nearest_that_can() {
    for (given, shown) in [
        // Invisible on white, and as near as may be: a grey of 4.54 to 1, not black.
        (json!({ "colorText": "#ffffff" }), ("text", "#767676")),
        (json!({ "colorText": "#00000000" }), ("text", "#767676")),
        (json!({ "colorText": "#00000080" }), ("text", "#767676")),
        (json!({ "colorBorder": "#ffffff" }), ("border", "#949494")),
        (json!({ "colorText": "#000000", "colorBackground": "#000000" }), ("text", "#757575")),
        (json!({ "colorText": "#123456", "colorBackground": "#123457" }), ("text", "#8b9bab")),
    ] {
        let appearance: Appearance = plain::parse(&given.to_string()).unwrap();
        assert_readable(&appearance);
        let rule = appearance.rule();
        assert!(rule.is_mended, "{given}");
        let found = &set(&rule)[shown.0][0];
        let distance = |one: &str, other: &str| -> u32 {
            let bytes = |color: &str| u32::from_str_radix(&color[1..], 16).unwrap().to_be_bytes();
            bytes(one)
                .into_iter()
                .zip(bytes(other))
                .map(|(one, other)| u32::from(one.abs_diff(other)))
                .max()
                .unwrap()
        };
        assert!(distance(found, shown.1) <= 2, "{given}: {found}, about {}", shown.1);
    }
    for fine in [json!({ "colorText": "#000", "colorBackground": "#fff" }), json!({ "radius": 3 })] {
        assert!(!plain::parse::<Appearance>(&fine.to_string()).unwrap().rule().is_mended, "{fine}");
    }
}

#[test]
fn a_field_is_opaque_whatever_stands_behind_the_frame() {
    for given in ["#00000000", "#ffffff00", "#12345601"] {
        let set = set(&rule("colorBackground", given));
        assert!(contrast(&set["background"][0], "#ffffff") < 1.1, "{given}: {:?}", set["background"]);
        assert!(contrast(&set["background"][1], "#171c26") < 1.1, "{given}: {:?}", set["background"]);
    }
}

#[test]
fn a_typeface_is_one_of_the_list() {
    for (name, family) in
        [("yu-gothic", "\"Yu Gothic\",YuGothic,sans-serif"), ("system", "system-ui,sans-serif")]
    {
        assert_eq!(set(&rule("fontFamily", name))["font-family"][0], family);
    }
    for hostile in ["Yu Gothic", "", "system;}*{display:none", "url(https://evil.example/font)"] {
        assert!(parse("fontFamily", hostile).is_err(), "{hostile}");
    }
}

#[test]
fn all_tokens_are_set_together() {
    let all = json!({
        "colorText": "#000", "colorBackground": "#fff", "colorBorder": "#123456", "colorAccent": "#05a",
        "colorError": "#C00", "radius": 8, "fontSize": 16, "gap": 12, "fontFamily": "serif",
    });
    let rule = plain::parse::<Appearance>(&all.to_string()).unwrap().rule();
    let set: Vec<_> = set(&rule).into_iter().map(|(name, [light, dark, _])| (name, light, dark)).collect();
    let expected = [
        ("accent", "#0055aa"),
        ("background", "#ffffff"),
        ("border", "#123456"),
        ("error", "#cc0000"),
        ("font-family", "serif"),
        ("font-size", "16px"),
        ("gap", "12px"),
        ("muted", "#5c6675"),
        ("radius", "8px"),
        ("text", "#000000"),
    ];
    for ((name, light, _), (property, value)) in set.iter().zip(expected) {
        assert_eq!((&**name, &**light), (property, value));
    }
    assert_eq!(set.len(), expected.len());
}

#[test]
fn a_colour_is_three_six_or_eight_hexadecimal_digits() {
    for (text, shown) in [
        ("#abc", "#aabbcc"),
        ("#ABC", "#aabbcc"),
        ("#000", "#000000"),
        ("#a1b2c3", "#a1b2c3"),
        ("#A1B2C3", "#a1b2c3"),
        ("#a1b2c3ff", "#a1b2c3"),
        ("#00000000", "#ffffff"),
        ("#00000080", "#7f7f7f"),
    ] {
        assert_eq!(set(&rule("colorBackground", text))["background"][0], shown, "{text}");
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
                assert_eq!(set(&parsed.unwrap().rule())[*property][0], format!("{pixels}px"));
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

#[test]
fn no_text_is_smaller_than_12_pixels() {
    let style = include_str!("../../src/form/style.css");
    for size in style.lines().filter_map(|line| line.trim().strip_prefix("font-size: ")) {
        assert!(size.starts_with("max(12px, "), "{size}");
    }
    assert!(!style.contains("opacity: 0"), "no text is transparent");
}

/// Whether a rule is nothing but properties of ours with values of the form that this module writes.
fn is_ours(rule: &Rule) -> bool {
    set(rule).into_iter().all(|(name, values)| {
        let hex = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pixels = |text: &str| text.parse::<u8>().is_ok();
        let is_length = LENGTHS.iter().any(|(_, property, ..)| *property == name);
        values.iter().all(|value| match is_length {
            true => value.strip_suffix("px").is_some_and(pixels),
            false => value.strip_prefix('#').is_some_and(hex),
        })
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
            prop_assert!(is_ours(&appearance.rule()), "{value}: {}", appearance.rule().css);
        }
    }

    #[test]
    fn no_text_is_a_colour_but_a_colour(text in any::<String>()) {
        let digits = text.strip_prefix('#').unwrap_or_default();
        let is_color = matches!(digits.len(), 3 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert_eq!(Color::parse(&text).is_some(), is_color);
    }

    /// Black behind black, with alpha or without, in whatever combination.
    #[test]
    fn no_appearance_makes_what_is_typed_hard_to_read(
        colors in prop::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(0xff), Just(0xffff_ffff), Just(0xffff_ff00)], 5),
    ) {
        let given: serde_json::Map<_, _> = COLORS
            .iter()
            .zip(colors)
            .map(|((member, _), color)| ((*member).to_owned(), json!(format!("#{color:08x}"))))
            .collect();
        assert_readable(&plain::parse(&Value::Object(given).to_string()).unwrap());
    }
}
