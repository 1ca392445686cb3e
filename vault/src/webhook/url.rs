use std::fmt;

use reqwest::Url;
use thiserror::Error;

use super::reach::{Reach, is_here};
use crate::merchant::Mode;
use crate::text::holds_card_number;

/// Where a webhook's messages go: `https://`, and for tests, where the operator allows it, `http://` on this machine too.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Most bytes of an address.
    pub const MAX_BYTES: usize = 2000;

    /// Reads an address. Which machine a name stands for is looked at each time something is sent to it.
    ///
    /// # Errors
    /// [`NotAWebhookUrl`]
    pub fn parse(text: &str, mode: Mode, reach: Reach) -> Result<Self, NotAWebhookUrl> {
        if text.len() > Self::MAX_BYTES {
            return Err(NotAWebhookUrl::Malformed);
        }
        let url = Url::parse(text).map_err(|_| NotAWebhookUrl::Malformed)?;
        let host = url.host_str().unwrap_or_default();
        let has_more = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if has_more || host.is_empty() {
            return Err(NotAWebhookUrl::Malformed);
        }
        if holds_card_number(text) {
            return Err(NotAWebhookUrl::HoldsCardNumber);
        }
        let reach = reach.of(mode);
        match url.scheme() {
            _ if !reach.has_host(&url) => Err(NotAWebhookUrl::NotPublic),
            "https" => Ok(Self(url)),
            "http" if reach == Reach::Loopback && is_here(&url) => Ok(Self(url)),
            _ => Err(NotAWebhookUrl::NotHttps),
        }
    }

    /// One that was taken under the rules of its day. Today's are heeded before something is sent to it.
    pub(crate) fn kept(text: &str) -> Option<Self> {
        Url::parse(text).ok().map(Self)
    }

    /// Whether something may be sent to it.
    pub(super) fn is_within(&self, reach: Reach) -> bool {
        reach.has_host(&self.0)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl fmt::Debug for WebhookUrl {
    /// Without path and query, which may hold a secret of the merchant's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WebhookUrl").field(&self.0.host_str()).finish()
    }
}

/// Why a text is no address of a webhook. The merchant's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAWebhookUrl {
    /// It has a card number in it.
    #[error("contains a card number")]
    HoldsCardNumber,
    /// It is no address, or has more than scheme, host, port, path and query.
    #[error(
        "is not a URL such as https://shop.example/events, of up to 2000 characters, without user and fragment"
    )]
    Malformed,
    /// Anybody on the way could read what is sent.
    #[error("is not https")]
    NotHttps,
    /// It leads into a machine or a private network.
    #[error("is not a public address: it leads into a machine or a private network")]
    NotPublic,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_and_public() {
        for text in
            ["https://shop.example/events?key=1", "https://1.1.1.1:8443", "https://[2606:4700::1111]/"]
        {
            assert!(WebhookUrl::parse(text, Mode::Live, Reach::Loopback).is_ok(), "{text}");
        }
        for (text, why) in [
            ("", NotAWebhookUrl::Malformed),
            ("shop.example", NotAWebhookUrl::Malformed),
            ("https://", NotAWebhookUrl::Malformed),
            ("https://user@shop.example", NotAWebhookUrl::Malformed),
            ("https://shop.example/#there", NotAWebhookUrl::Malformed),
            ("https://shop.example/4242424242424242", NotAWebhookUrl::HoldsCardNumber),
            ("http://shop.example", NotAWebhookUrl::NotHttps),
            ("file:///etc/passwd", NotAWebhookUrl::Malformed),
            ("ftp://shop.example", NotAWebhookUrl::NotHttps),
            ("https://10.0.0.1", NotAWebhookUrl::NotPublic),
            ("https://127.0.0.1", NotAWebhookUrl::NotPublic),
            ("https://0x7f.1", NotAWebhookUrl::NotPublic),
            ("https://2130706433", NotAWebhookUrl::NotPublic),
            ("https://[::ffff:169.254.169.254]", NotAWebhookUrl::NotPublic),
        ] {
            assert_eq!(WebhookUrl::parse(text, Mode::Live, Reach::Loopback), Err(why), "{text}");
        }
        let long = format!("https://shop.example/{}", "x".repeat(WebhookUrl::MAX_BYTES));
        assert_eq!(WebhookUrl::parse(&long, Mode::Live, Reach::Public), Err(NotAWebhookUrl::Malformed));
    }

    #[test]
    fn for_tests_the_operator_may_allow_this_machine() {
        for text in
            ["http://127.0.0.1:4243/", "http://localhost:4243/events", "http://[::1]/", "https://127.0.0.1"]
        {
            assert!(WebhookUrl::parse(text, Mode::Test, Reach::Loopback).is_ok(), "{text}");
            let refused = WebhookUrl::parse(text, Mode::Test, Reach::Public);
            assert_eq!(refused, Err(NotAWebhookUrl::NotPublic), "{text}");
        }
        for text in ["http://shop.example", "http://localhost.shop.example"] {
            assert_eq!(
                WebhookUrl::parse(text, Mode::Test, Reach::Loopback),
                Err(NotAWebhookUrl::NotHttps),
                "{text}"
            );
        }
        assert_eq!(
            WebhookUrl::parse("http://10.0.0.1", Mode::Test, Reach::Loopback),
            Err(NotAWebhookUrl::NotPublic)
        );
    }
}
