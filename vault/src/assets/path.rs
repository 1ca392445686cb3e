//! Where a released file lies.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

/// A file's path inside its release, such as `locales/en.json`: it leads nowhere else, and may stand in an address or
/// an attribute as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct AssetPath(String);

impl AssetPath {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AssetPath {
    type Error = NoAssetPath;

    fn try_from(text: String) -> Result<Self, NoAssetPath> {
        if text.split('/').all(is_name) { Ok(Self(text)) } else { Err(NoAssetPath) }
    }
}

impl fmt::Display for AssetPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A name that begins with a dot is `.`, `..` or hidden.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(allowed)
}

/// Not such a path. The fault of who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a file's path has names of letters, digits, - . _ with / between them")]
pub struct NoAssetPath;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lead_nowhere_else() {
        for (text, is_path) in [
            ("cardseal.js", true),
            ("cardseal_bg.wasm", true),
            ("locales/en.json", true),
            ("", false),
            ("/", false),
            ("/etc/passwd", false),
            ("../secret", false),
            ("locales/../../secret", false),
            ("locales//en.json", false),
            ("locales/", false),
            (".hidden", false),
            ("a\\b", false),
            ("a\"b", false),
            ("a b", false),
            ("%2e%2e", false),
        ] {
            assert_eq!(AssetPath::try_from(text.to_owned()).is_ok(), is_path, "{text}");
        }
    }
}
