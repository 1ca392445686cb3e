//! How the form looks, as far as a merchant may say.
//!
//! A merchant gives tokens, never CSS: each is parsed into a value that can only be what its name says, and written out
//! again by this module. No text of the page's reaches the style sheet.

use std::fmt::Write as _;

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

impl Appearance {
    /// The style rule that sets the form's custom properties.
    #[must_use]
    pub fn rule(&self) -> String {
        let colors = [
            ("text", self.color_text),
            ("background", self.color_background),
            ("border", self.color_border),
            ("accent", self.color_accent),
            ("error", self.color_error),
        ];
        let lengths = [
            ("radius", self.radius.map(|length| length.0)),
            ("font-size", self.font_size.map(|length| length.0)),
            ("gap", self.gap.map(|length| length.0)),
        ];
        let mut rule = String::from(":host,:root{");
        // Writing to a String cannot fail.
        for (name, color) in colors {
            if let Some(Color(rgba)) = color {
                let _ = write!(rule, "--{name}:#{rgba:08x};");
            }
        }
        for (name, length) in lengths {
            if let Some(pixels) = length {
                let _ = write!(rule, "--{name}:{pixels}px;");
            }
        }
        if let Some(family) = self.font_family {
            let _ = write!(rule, "--font-family:{};", family.0);
        }
        rule.push('}');
        rule
    }
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
