//! How the form looks, as far as a merchant may say.
//!
//! A merchant gives tokens, never CSS: each is parsed into a value that can only be what its name says, and written out
//! again by this module. No text of the page's reaches the style sheet, and no value of its own makes what is typed hard to
//! read.

use crate::plain::{FromPlain, Plain, Wrong};

/// The tokens of an appearance; what is left out keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// Text that is typed, and labels.
    pub color_text: Option<Color>,
    /// The inside of a field.
    pub color_background: Option<Color>,
    /// The line around a field.
    pub color_border: Option<Color>,
    /// The field that has the focus.
    pub color_accent: Option<Color>,
    /// What is wrong.
    pub color_error: Option<Color>,
    /// The corners of a field, 0 to 32 CSS pixels.
    pub radius: Option<Pixels<0, 32>>,
    /// The size of text, 12 to 32 CSS pixels. Below 16, Safari on a telephone zooms in on the field.
    pub font_size: Option<Pixels<12, 32>>,
    /// The space between fields, 0 to 48 CSS pixels.
    pub gap: Option<Pixels<0, 48>>,
    /// The typeface, one of those that systems bring along.
    pub font_family: Option<FontFamily>,
}

/// The rule of a style sheet that an appearance comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Sets the form's custom properties.
    pub css: String,
    /// Whether a colour that was given could not be read as it was, and another stands in its place.
    pub is_mended: bool,
}

/// How much brighter the one of two colours must be than the other: for text (WCAG 2.2, 1.4.3), and for the lines by which a
/// field is seen (1.4.11).
const TEXT: f64 = 4.5;
const LINE: f64 = 3.0;

/// The form's own colours by `color-scheme`, light and dark, each written as 0xRRGGBB.
const DEFAULTS: [Scheme; 2] = [
    Scheme {
        background: 0xff_ffff,
        text: 0x1a_2230,
        muted: 0x5c_6675,
        border: 0x84_8e9e,
        accent: 0x25_57d6,
        error: 0xb3_261e,
    },
    Scheme {
        background: 0x17_1c26,
        text: 0xee_f1f6,
        muted: 0xa3_adbd,
        border: 0x6b_768c,
        accent: 0x8f_b0ff,
        error: 0xff_b4ab,
    },
];

struct Scheme {
    background: u32,
    text: u32,
    /// Placeholders.
    muted: u32,
    border: u32,
    accent: u32,
    error: u32,
}

impl Appearance {
    /// The style rule that sets the form's custom properties.
    ///
    /// Whatever was given, what is typed can be read: a field is opaque, and what stands in it or says what is wrong with it
    /// has enough contrast to it under each `color-scheme`, on which the page decides. A colour that has not is moved to the
    /// nearest between it and black or white that has.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let mut is_mended = false;
        let [light, dark] = DEFAULTS.map(|scheme| {
            let background =
                self.color_background.map_or(scheme.background, |color| color.over(scheme.background));
            let mut readable = |given: Option<Color>, default, least| {
                let wanted = given.map_or(default, |color| color.over(background));
                let color = readable(wanted, background, least);
                is_mended |= given.is_some() && color != wanted;
                color
            };
            [
                ("--text:", readable(self.color_text, scheme.text, TEXT)),
                ("--muted:", readable(None, scheme.muted, TEXT)),
                ("--background:", background),
                ("--border:", readable(self.color_border, scheme.border, LINE)),
                ("--accent:", readable(self.color_accent, scheme.accent, LINE)),
                ("--error:", readable(self.color_error, scheme.error, TEXT)),
            ]
        });
        let mut css = String::from(START);
        for (name, color) in light {
            css.push_str(name);
            push_hex(&mut css, color);
            css.push(';');
        }
        for (name, length) in [
            ("--radius:", self.radius.map(|length| length.0)),
            ("--font-size:", self.font_size.map(|length| length.0)),
            ("--gap:", self.gap.map(|length| length.0)),
        ] {
            if let Some(pixels) = length {
                css.push_str(name);
                push_decimal(&mut css, pixels);
                css.push_str("px;");
            }
        }
        if let Some(family) = self.font_family {
            css.push_str("--font-family:");
            css.push_str(family.0);
            css.push(';');
        }
        css.push_str("}@supports (color:light-dark(#000,#fff)){");
        css.push_str(START);
        for ((name, light), (_, dark)) in light.into_iter().zip(dark) {
            css.push_str(name);
            css.push_str("light-dark(");
            push_hex(&mut css, light);
            css.push(',');
            push_hex(&mut css, dark);
            css.push_str(");");
        }
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

fn push_hex(css: &mut String, color: u32) {
    css.push('#');
    for place in (0..6).rev() {
        let digit = (color >> (4 * place) & 0xf) as u8;
        css.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
    }
}

fn push_decimal(css: &mut String, number: u8) {
    if number >= 10 {
        css.push(char::from(b'0' + number / 10));
    }
    css.push(char::from(b'0' + number % 10));
}

impl FromPlain for Appearance {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| Self {
            color_text: members.optional("colorText"),
            color_background: members.optional("colorBackground"),
            color_border: members.optional("colorBorder"),
            color_accent: members.optional("colorAccent"),
            color_error: members.optional("colorError"),
            radius: members.optional("radius"),
            font_size: members.optional("fontSize"),
            gap: members.optional("gap"),
            font_family: members.optional("fontFamily"),
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
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            3 => {
                let channel = |shift: u32| ((value >> shift) & 0xf) * 0x11;
                Some(Self(channel(8) << 24 | channel(4) << 16 | channel(0) << 8 | 0xff))
            }
            6 => Some(Self(value << 8 | 0xff)),
            8 => Some(Self(value)),
            _ => None,
        }
    }
}

impl Color {
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

/// A length in whole CSS pixels, from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels<const MIN: u8, const MAX: u8>(u8);

impl<const MIN: u8, const MAX: u8> FromPlain for Pixels<MIN, MAX> {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        pixels(plain, MIN, MAX).map(Self)
    }
}

fn pixels(plain: &Plain, min: u8, max: u8) -> Result<u8, Wrong> {
    let pixels = u8::from_plain(plain).ok().filter(|pixels| (min..=max).contains(pixels));
    pixels.ok_or_else(|| Wrong::new("a length is a whole number of pixels within its limits"))
}
