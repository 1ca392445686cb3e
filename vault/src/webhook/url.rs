use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

use super::address::is_allowed;
use crate::merchant::Mode;
use crate::text::holds_card_number;

/// Where a webhook's messages go: `https://`, and for tests `http://` on this machine too.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Most bytes of an address.
    pub const MAX_BYTES: usize = 2000;

    /// Reads an address. Which machine a name stands for is looked at each time something is sent to it.
    ///
    /// # Errors
    /// [`NotAWebhookUrl`]
    pub fn parse(text: &str, mode: Mode) -> Result<Self, NotAWebhookUrl> {
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
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if address.is_some_and(|address| !is_allowed(mode, address)) {
            return Err(NotAWebhookUrl::NotPublic);
        }
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        match (url.scheme(), mode) {
            ("https", _) => Ok(Self(url)),
            ("http", Mode::Test) if is_here => Ok(Self(url)),
            _ => Err(NotAWebhookUrl::NotHttps),
        }
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
    #[error("is not https (http is for test keys, to this machine)")]
    NotHttps,
    /// It leads into a private network.
    #[error("is not a public address")]
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
            assert!(WebhookUrl::parse(text, Mode::Live).is_ok(), "{text}");
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
            assert_eq!(WebhookUrl::parse(text, Mode::Live), Err(why), "{text}");
        }
        let long = format!("https://shop.example/{}", "x".repeat(WebhookUrl::MAX_BYTES));
        assert_eq!(WebhookUrl::parse(&long, Mode::Live), Err(NotAWebhookUrl::Malformed));
    }

    #[test]
    fn for_tests_this_machine_is_allowed() {
        for text in
            ["http://127.0.0.1:4243/", "http://localhost:4243/events", "http://[::1]/", "https://127.0.0.1"]
        {
            assert!(WebhookUrl::parse(text, Mode::Test).is_ok(), "{text}");
        }
        for text in ["http://shop.example", "http://localhost.shop.example"] {
            assert_eq!(WebhookUrl::parse(text, Mode::Test), Err(NotAWebhookUrl::NotHttps), "{text}");
        }
        assert_eq!(WebhookUrl::parse("http://10.0.0.1", Mode::Test), Err(NotAWebhookUrl::NotPublic));
    }
}
