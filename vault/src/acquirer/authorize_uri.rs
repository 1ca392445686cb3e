use std::fmt;

use reqwest::Url;

use crate::text::name_holds_card_number;

/// Where a holder shows who they are (3-D Secure), before the money is taken: an address of the acquirer or the card's
/// bank, `https://` and nothing else, with no card number in it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizeUri(String);

impl AuthorizeUri {
    /// Most bytes. Payment Options' have a signed token in them and come to some 400.
    pub const MAX_BYTES: usize = 2000;

    /// Reads one; `None` if the text is no such address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= Self::MAX_BYTES)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let fits = url.scheme() == "https" && url.host_str().is_some() && !has_user;
        (fits && !name_holds_card_number(text)).then(|| Self(url.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthorizeUri {
    /// Without path and query: whoever has them can stand in for the holder's browser.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.match_indices('/').nth(2).map_or(self.0.len(), |(slash, _)| slash);
        formatter.debug_tuple("AuthorizeUri").field(&&self.0[..end]).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn they_are_https_and_show_little() {
        let uri = AuthorizeUri::parse("https://3ds.example/integration?_token=a.b-c").unwrap();
        assert_eq!(uri.as_str(), "https://3ds.example/integration?_token=a.b-c");
        assert_eq!(format!("{uri:?}"), "AuthorizeUri(\"https://3ds.example\")");
        for text in [
            "",
            "/3ds",
            "http://3ds.example",
            "javascript:alert(1)",
            "data:text/html,a",
            "https://user@3ds.example",
            "https://3ds.example/4242424242424242",
        ] {
            assert_eq!(AuthorizeUri::parse(text), None, "{text}");
        }
        assert_eq!(AuthorizeUri::parse(&format!("https://3ds.example/{}", "x".repeat(2000))), None);
    }
}
