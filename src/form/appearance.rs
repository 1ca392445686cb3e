//! How the form looks, as far as a merchant may say.
//!
//! A merchant gives tokens, never CSS: each is parsed into a value that can only be what its name says, and written out
//! again by this module. No text of the page's reaches the style sheet.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// The tokens of an appearance; what is left out keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
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
            let _ = write!(rule, "--font-family:{};", family.stack());
        }
        rule.push('}');
        rule
    }
}

/// A typeface. No font is ever loaded: one that the page chose could show the cardholder other digits than those that were
/// typed, or tell its server which they are. Where a system lacks one, its generic family stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the name of a typeface")]
pub enum FontFamily {
    System,
    SansSerif,
    Serif,
    Monospace,
    Rounded,
    Arial,
    Georgia,
    Helvetica,
    HiraginoSans,
    Inter,
    Meiryo,
    NotoSans,
    NotoSansJp,
    NotoSansThai,
    Roboto,
    Sarabun,
    SegoeUi,
    Tahoma,
    TimesNewRoman,
    Verdana,
    YuGothic,
}

impl FontFamily {
    /// The value of `font-family` (CSS Fonts Level 4, section 2.1).
    const fn stack(self) -> &'static str {
        match self {
            Self::System => "system-ui,sans-serif",
            Self::SansSerif => "sans-serif",
            Self::Serif => "serif",
            Self::Monospace => "ui-monospace,monospace",
            Self::Rounded => "ui-rounded,\"Hiragino Maru Gothic ProN\",sans-serif",
            Self::Arial => "Arial,sans-serif",
            Self::Georgia => "Georgia,serif",
            Self::Helvetica => "\"Helvetica Neue\",Helvetica,Arial,sans-serif",
            Self::HiraginoSans => "\"Hiragino Sans\",\"Hiragino Kaku Gothic ProN\",sans-serif",
            Self::Inter => "Inter,system-ui,sans-serif",
            Self::Meiryo => "Meiryo,sans-serif",
            Self::NotoSans => "\"Noto Sans\",sans-serif",
            Self::NotoSansJp => "\"Noto Sans JP\",\"Noto Sans CJK JP\",sans-serif",
            Self::NotoSansThai => "\"Noto Sans Thai\",sans-serif",
            Self::Roboto => "Roboto,sans-serif",
            Self::Sarabun => "Sarabun,\"Noto Sans Thai\",sans-serif",
            Self::SegoeUi => "\"Segoe UI\",sans-serif",
            Self::Tahoma => "Tahoma,sans-serif",
            Self::TimesNewRoman => "\"Times New Roman\",serif",
            Self::Verdana => "Verdana,sans-serif",
            Self::YuGothic => "\"Yu Gothic\",YuGothic,sans-serif",
        }
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

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a colour is written #rgb, #rrggbb or #rrggbbaa"))
    }
}

/// A length in whole CSS pixels, from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels<const MIN: u8, const MAX: u8>(u8);

impl<'de, const MIN: u8, const MAX: u8> Deserialize<'de> for Pixels<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pixels = u8::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&pixels) {
            Ok(Self(pixels))
        } else {
            Err(de::Error::custom("a length is a whole number of pixels within its limits"))
        }
    }
}
