use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An acquirer's name for a card that it keeps: 1 to [`StoredMethod::MAX_CHARS`] visible ASCII characters. With the
/// merchant's key there, it pays as the card does, so it is kept encrypted and not shown.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct StoredMethod(Zeroizing<String>);

impl StoredMethod {
    /// Most characters. Payment Options' have 36.
    pub const MAX_CHARS: usize = 128;

    /// Reads one; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.into())))
    }

    /// Its text, to be sent to the acquirer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoredMethod(…)")
    }
}
