//! Who pays, as far as a bank wants to know it before it lets them (3-D Secure).

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

use crate::merchant::Mode;
use crate::text::{holds_card_number, name_holds_card_number};

/// Who pays. Used for one charge, and not kept.
#[derive(Clone, Debug, Default)]
pub struct Shopper {
    /// The address that they come from.
    pub ip: Option<IpAddr>,
    /// The browser that they use.
    pub browser: Option<Browser>,
    /// Where they come back to when they have been sent to their bank.
    pub return_uri: Option<ReturnUri>,
}

impl Shopper {
    /// Where to and with which browser they can be sent to their bank and come back, if they can.
    #[must_use]
    pub fn journey(&self) -> Option<(&Browser, &ReturnUri)> {
        self.browser.as_ref().zip(self.return_uri.as_ref())
    }
}

/// A page of the merchant's: `https://`, or for tests `http://` on the shopper's own machine. Browsers are sent there; the
/// vault never connects to it.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnUri(Url);

impl ReturnUri {
    /// Most bytes, as Payment Options takes them.
    pub const MAX_BYTES: usize = 255;

    /// Reads one.
    ///
    /// # Errors
    /// [`NotAReturnUri`]
    pub fn parse(text: &str, mode: Mode) -> Result<Self, NotAReturnUri> {
        let url =
            Url::parse(text).ok().filter(|url| url.as_str().len() <= Self::MAX_BYTES).ok_or(NotAReturnUri)?;
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_here && mode == Mode::Test);
        let has_user = !url.username().is_empty() || url.password().is_some();
        if is_secure && !has_user && url.has_host() && !name_holds_card_number(text) {
            Ok(Self(url))
        } else {
            Err(NotAReturnUri)
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for ReturnUri {
    /// Without path and query, which may hold a secret of the merchant's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ReturnUri").field(&self.0.host_str()).finish()
    }
}

/// Not an address that a shopper can be sent back to. The merchant's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "not https:// (or, with test keys, http:// on this machine) of up to 255 characters without a user, or has a card number in it"
)]
pub struct NotAReturnUri;

/// A browser as 3-D Secure describes it (EMV 3-D Secure 2.2, table A.1, "Browser …"): all of it, since a bank that knows
/// less asks the holder more often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Its header `Accept`.
    pub accept_header: BrowserText,
    /// Bits of a colour.
    pub color_depth: u8,
    /// Whether it runs Java.
    pub java_enabled: bool,
    /// Its language (BCP 47).
    pub language: BrowserText,
    /// Height of its screen, in pixels.
    pub screen_height: u32,
    /// Width of its screen, in pixels.
    pub screen_width: u32,
    /// How large the bank's page may be.
    pub challenge_window: ChallengeWindow,
    /// Its header `User-Agent`.
    pub user_agent: BrowserText,
}

/// What a browser says of itself: 1 to [`BrowserText::MAX_BYTES`] bytes of visible ASCII and spaces, with no card number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserText(String);

impl BrowserText {
    /// Most bytes (EMV 3-D Secure 2.2, "Browser User-Agent").
    pub const MAX_BYTES: usize = 2048;

    /// Reads one; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        (fits && !holds_card_number(text)).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The size of the window that the bank's page gets, by its number in EMV 3-D Secure ("Challenge Window Size").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeWindow {
    /// 250 by 400 pixels.
    W250 = 1,
    /// 390 by 400 pixels.
    W390,
    /// 500 by 600 pixels.
    W500,
    /// 600 by 400 pixels.
    W600,
    /// The whole screen.
    Whole,
}

impl ChallengeWindow {
    /// Every size, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::W250, Self::W390, Self::W500, Self::W600, Self::Whole];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The size of this number, also written `04`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number: u8 = text.parse().ok().filter(|_| text.len() <= 2)?;
        Self::ALL.into_iter().find(|size| size.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shopper_comes_back_over_tls_or_on_this_machine() {
        for text in ["https://shop.example/done?order=7", "http://127.0.0.1:4243/done", "http://localhost/"] {
            assert!(ReturnUri::parse(text, Mode::Test).is_ok(), "{text}");
        }
        assert!(ReturnUri::parse("http://localhost/", Mode::Live).is_err());
        for text in [
            "",
            "shop.example",
            "http://shop.example/",
            "javascript:alert(1)",
            "https://user@shop.example",
            "https://shop.example/4242424242424242",
        ] {
            assert_eq!(ReturnUri::parse(text, Mode::Test), Err(NotAReturnUri), "{text}");
        }
        assert!(ReturnUri::parse(&format!("https://shop.example/{}", "x".repeat(255)), Mode::Test).is_err());
    }

    #[test]
    fn windows_have_numbers() {
        assert_eq!(ChallengeWindow::parse("04"), Some(ChallengeWindow::W600));
        assert_eq!(ChallengeWindow::parse("5"), Some(ChallengeWindow::Whole));
        for text in ["0", "6", "", "004", "x"] {
            assert_eq!(ChallengeWindow::parse(text), None, "{text}");
        }
    }

    #[test]
    fn browsers_say_short_things_without_a_card() {
        assert!(
            BrowserText::parse("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0.0.0")
                .is_some()
        );
        for text in ["", "a\nb", "4242 4242 4242 4242", "é"] {
            assert_eq!(BrowserText::parse(text), None, "{text}");
        }
    }
}
