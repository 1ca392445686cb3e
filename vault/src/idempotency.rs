//! What a server calls a request that it may have to send again, so that it is carried out once.

use std::time::Duration;

use thiserror::Error;

use crate::keys::Sha256Digest;
use crate::text::name_holds_card_number;

/// How long a request is known by its key, at least: until it is deleted.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A server's name for a request: 1 to [`Key::MAX_CHARS`] visible ASCII characters, as it came in the header
/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). Only its digest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(Sha256Digest);

impl Key {
    /// Most characters of a key.
    pub const MAX_CHARS: usize = 255;

    /// Reads one.
    ///
    /// # Errors
    /// [`NotAKey`]
    pub fn parse(text: &[u8]) -> Result<Self, NotAKey> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(text).ok().filter(|_| fits).ok_or(NotAKey::Malformed)?;
        if name_holds_card_number(text) {
            return Err(NotAKey::HoldsCardNumber);
        }
        Ok(Self(Sha256Digest::of(text.as_bytes())))
    }
}

/// A request that may come again.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    key: Key,
    content: Sha256Digest,
}

impl Request {
    /// The request called `key`, which asks for what has the digest `content`.
    #[must_use]
    pub const fn new(key: Key, content: Sha256Digest) -> Self {
        Self { key, content }
    }

    /// The digest of its key.
    #[must_use]
    pub const fn key(&self) -> &Sha256Digest {
        &self.key.0
    }

    /// The digest of what it asks for.
    #[must_use]
    pub const fn content(&self) -> &Sha256Digest {
        &self.content
    }
}

/// Something that a request made.
#[derive(Clone, Debug)]
pub enum Made<T> {
    /// By this request.
    Now(T),
    /// By the first one with its key. Here it is as it is now.
    Before(T),
}

/// Why a text is no key. The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAKey {
    /// It has a card number in it.
    #[error("the Idempotency-Key contains a card number; use a random one, such as a UUID")]
    HoldsCardNumber,
    /// It is no such text, or there are several.
    #[error("the Idempotency-Key is one text of 1 to {} visible ASCII characters", Key::MAX_CHARS)]
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii_without_a_card() {
        assert!(Key::parse(b"order-7:6f1d3c1e-5b7a-4a9b-9f0e-2f6f6f0c9a11").is_ok());
        assert!(Key::parse(&[b'x'; 255]).is_ok());
        for text in ["", "two words", "บาท", "a\n", &"x".repeat(256)] {
            assert_eq!(Key::parse(text.as_bytes()), Err(NotAKey::Malformed), "{text:?}");
        }
        assert_eq!(Key::parse(b"pay-4242424242424242"), Err(NotAKey::HoldsCardNumber));
    }
}
