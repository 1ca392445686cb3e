//! How the form looks, as far as a merchant may say.
//!
//! A merchant gives tokens, never CSS: each is parsed into a value that can only be what its name says, and written out
//! again by this module. No text of the page's reaches the style sheet, and no value of its own makes what is typed hard to
//! read.

use crate::plain::{FromPlain, Plain, Wrong, decimal};

/// The tokens of an appearance; what is left out keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// In the order of [`COLORS`].
    colors: [Option<Color>; 6],
    /// In the order of [`LENGTHS`].
    lengths: [Option<u8>; 3],
    /// The typeface, one of those that systems bring along.
    font_family: Option<FontFamily>,
}

/// The rule of a style sheet that an appearance comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Sets the form's custom properties.
    pub css: String,
    /// Whether a colour that was given could not be read as it was, and another stands in its place.
    pub is_mended: bool,
}

/// A colour of the form's.
struct Tint {
    /// The name of its token; a page has no say in a colour without one.
    token: Option<&'static str>,
    property: &'static str,
    /// How much brighter the one of it and the background must be than the other.
    contrast: f64,
    /// Where nothing is given, by `color-scheme`, light and dark, each written as 0xRRGGBB.
    default: [u32; 2],
}

/// What has to be read (WCAG 2.2, 1.4.3), and the lines by which a field is seen (1.4.11).
const TEXT: f64 = 4.5;
const LINE: f64 = 3.0;

/// The colours. The background comes first: the others are held against it.
static COLORS: [Tint; 6] = [
    // The inside of a field.
    Tint {
        token: Some("colorBackground"),
        property: "--background:",
        contrast: 0.0,
        default: [0xff_ffff, 0x17_1c26],
    },
    // Text that is typed, and labels.
    Tint { token: Some("colorText"), property: "--text:", contrast: TEXT, default: [0x1a_2230, 0xee_f1f6] },
    // Placeholders.
    Tint { token: None, property: "--muted:", contrast: TEXT, default: [0x5c_6675, 0xa3_adbd] },
    // The line around a field.
    Tint {
        token: Some("colorBorder"),
        property: "--border:",
        contrast: LINE,
        default: [0x84_8e9e, 0x6b_768c],
    },
    // The field that has the focus.
    Tint {
        token: Some("colorAccent"),
        property: "--accent:",
        contrast: LINE,
        default: [0x25_57d6, 0x8f_b0ff],
    },
    // What is wrong.
    Tint { token: Some("colorError"), property: "--error:", contrast: TEXT, default: [0xb3_261e, 0xff_b4ab] },
];

/// The lengths: token, property, and the least and the most, in whole CSS pixels.
static LENGTHS: [(&str, &str, u8, u8); 3] = [
    // The corners of a field.
    ("radius", "--radius:", 0, 32),
    // The size of text. Below 16, Safari on a telephone zooms in on the field.
    ("fontSize", "--font-size:", 12, 32),
    // The space between fields.
    ("gap", "--gap:", 0, 48),
];

impl Appearance {
    /// The style rule that sets the form's custom properties.
    ///
    /// Whatever was given, what is typed can be read: a field is opaque, and what stands in it or says what is wrong with it
    /// has enough contrast to it under each `color-scheme`, on which the page decides. A colour that has not is moved to the
    /// nearest between it and black or white that has.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let mut is_mended = false;
        let mut css = String::from(START);
        let mut schemes = String::from("}@supports (color:light-dark(#000,#fff)){");
        schemes.push_str(START);
        let mut backgrounds = COLORS[0].default;
        for (tint, given) in COLORS.iter().zip(self.colors) {
            let mut colors = tint.default;
            for (color, background) in colors.iter_mut().zip(&mut backgrounds) {
                let wanted = given.map_or(*color, |given| given.over(*background));
                *color = readable(wanted, *background, tint.contrast);
                is_mended |= given.is_some() && *color != wanted;
                if tint.contrast == 0.0 {
                    *background = *color;
                }
            }
            let [light, dark] = colors.map(hex);
            for part in [tint.property, &light, ";"] {
                css.push_str(part);
            }
            for part in [tint.property, "light-dark(", &light, ",", &dark, ");"] {
                schemes.push_str(part);
            }
        }
        for ((_, property, ..), length) in LENGTHS.iter().zip(self.lengths) {
            if let Some(pixels) = length {
                for part in [property, &*decimal(pixels.into()), "px;"] {
                    css.push_str(part);
                }
            }
        }
        if let Some(family) = self.font_family {
            for part in ["--font-family:", family.0, ";"] {
                css.push_str(part);
            }
        }
        css.push_str(&schemes);
        css.push_str("}}");
        Rule { css, is_mended }
    }
}

const START: &str = ":host,:root{";

/// The first of the colours between this one and black or white that has this contrast to the background.
fn readable(color: u32, background: u32, least: f64) -> u32 {
    for step in 0..=0xff {
        for end in [0, 0xff_ffff] {
            let nearer = mix(color, end, step);
            if contrast(nearer, background) >= least {
                return nearer;
            }
        }
    }
    // Never so: against every background, one of black and white has 4.58.
    0
}

/// The contrast of two colours (WCAG 2.2, "contrast ratio").
fn contrast(one: u32, other: u32) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

/// How bright a colour is (WCAG 2.2, "relative luminance").
fn luminance(color: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from(color >> shift & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { power((value + 0.055) / 1.055, 2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

/// In a browser its own: another weighs a kilobyte.
fn power(base: f64, exponent: f64) -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Math::pow(base, exponent);
    #[cfg(not(target_arch = "wasm32"))]
    base.powf(exponent)
}

/// A colour this far on the way to another, in parts of 255.
fn mix(from: u32, to: u32, step: u32) -> u32 {
    let channel = |shift: u32| {
        (((from >> shift & 0xff) * (0xff - step) + (to >> shift & 0xff) * step + 127) / 0xff) << shift
    };
    channel(16) | channel(8) | channel(0)
}

fn hex(color: u32) -> String {
    let mut text = String::from("#");
    for place in (0..6).rev() {
        text.extend(char::from_digit(color >> (4 * place) & 0xf, 16));
    }
    text
}

impl FromPlain for Appearance {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| {
            let mut read = Self::default();
            for (tint, color) in COLORS.iter().zip(&mut read.colors) {
                *color = tint.token.and_then(|token| members.optional(token));
            }
            for ((token, _, least, most), length) in LENGTHS.iter().zip(&mut read.lengths) {
                *length = members.optional(token).map(|Pixels(pixels)| pixels);
                if length.is_some_and(|pixels| !(*least..=*most).contains(&pixels)) {
                    members.is_wrong(token, &Pixels::wrong());
                }
            }
            read.font_family = members.optional("fontFamily");
            read
        })
    }
}

/// A typeface. No font is ever loaded: one that the page chose could show the cardholder other digits than those that were
/// typed, or tell its server which they are. Where a system lacks one, its generic family stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FontFamily(&'static str);

impl FontFamily {
    /// Each by its name, with what it is in CSS (`font-family`, CSS Fonts Level 4, section 2.1).
    const ALL: &[(&str, Self)] = &[
        ("system", Self("system-ui,sans-serif")),
        ("sans-serif", Self("sans-serif")),
        ("serif", Self("serif")),
        ("monospace", Self("ui-monospace,monospace")),
        ("rounded", Self("ui-rounded,\"Hiragino Maru Gothic ProN\",sans-serif")),
        ("arial", Self("Arial,sans-serif")),
        ("georgia", Self("Georgia,serif")),
        ("helvetica", Self("\"Helvetica Neue\",Helvetica,Arial,sans-serif")),
        ("hiragino-sans", Self("\"Hiragino Sans\",\"Hiragino Kaku Gothic ProN\",sans-serif")),
        ("inter", Self("Inter,system-ui,sans-serif")),
        ("meiryo", Self("Meiryo,sans-serif")),
        ("noto-sans", Self("\"Noto Sans\",sans-serif")),
        ("noto-sans-jp", Self("\"Noto Sans JP\",\"Noto Sans CJK JP\",sans-serif")),
        ("noto-sans-thai", Self("\"Noto Sans Thai\",sans-serif")),
        ("roboto", Self("Roboto,sans-serif")),
        ("sarabun", Self("Sarabun,\"Noto Sans Thai\",sans-serif")),
        ("segoe-ui", Self("\"Segoe UI\",sans-serif")),
        ("tahoma", Self("Tahoma,sans-serif")),
        ("times-new-roman", Self("\"Times New Roman\",serif")),
        ("verdana", Self("Verdana,sans-serif")),
        ("yu-gothic", Self("\"Yu Gothic\",YuGothic,sans-serif")),
    ];
}

impl FromPlain for FontFamily {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.choice(Self::ALL)
    }
}

/// A colour, as `#rgb`, `#rrggbb` or `#rrggbbaa` (CSS Color Level 4, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(u32);

impl Color {
    /// Reads hexadecimal notation.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let mut value = 0;
        for byte in digits.bytes() {
            value = value << 4 | char::from(byte).to_digit(16)?;
        }
        match digits.len() {
            3 => Some(Self((((value & 0xf00) << 8 | (value & 0xf0) << 4 | value & 0xf) * 0x1100) | 0xff)),
            6 => Some(Self(value << 8 | 0xff)),
            8 => Some(Self(value)),
            _ => None,
        }
    }

    /// What one sees of it on an opaque colour.
    fn over(self, background: u32) -> u32 {
        mix(background, self.0 >> 8, self.0 & 0xff)
    }
}

impl FromPlain for Color {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        Self::parse(&String::from_plain(plain)?)
            .ok_or_else(|| Wrong::new("a colour is written #rgb, #rrggbb or #rrggbbaa"))
    }
}

/// A length in whole CSS pixels.
struct Pixels(u8);

impl Pixels {
    fn wrong() -> Wrong {
        Wrong::new("a length is a whole number of pixels within its limits")
    }
}

impl FromPlain for Pixels {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        u8::from_plain(plain).map(Self).map_err(|_| Self::wrong())
    }
}
