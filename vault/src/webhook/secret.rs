use std::fmt;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::random_letters;
use crate::time::Timestamp;

/// Letters of a secret: 200 bits.
const LETTERS: usize = 40;

/// What vault and merchant sign and check a webhook's messages with: `whsec_…`. Shown once, when it is made.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(["whsec_", &*random_letters(LETTERS)].concat()))
    }

    /// Its text, to be shown when it is made.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// HMAC-SHA-256 (RFC 2104) of time, full stop and body under the whole text of the secret, in hexadecimal.
    fn mac(&self, at: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let mut mac = hmac::Context::with_key(&key);
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The value of the header `Cardseal-Signature`: `t=<seconds since 1970>,v1=<hexadecimal>`, with one `v1` for each secret in
/// their order. Whoever knows one of them finds its `v1`, the HMAC-SHA-256 of time, full stop and body.
///
/// The time is signed too: who records a message can send it again, but not as a new one.
#[must_use]
pub fn signature<'a>(
    secrets: impl IntoIterator<Item = &'a WebhookSecret>,
    at: Timestamp,
    body: &[u8],
) -> String {
    let at = at.unix_seconds().to_string();
    secrets
        .into_iter()
        .fold(format!("t={at}"), |signature, secret| format!("{signature},v1={}", secret.mac(&at, body)))
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_time_and_body() {
        // printf '1795262400.{}' | openssl dgst -sha256 -hmac whsec_test
        let secret = WebhookSecret(Zeroizing::new("whsec_test".into()));
        let at = Timestamp::from_unix_seconds(1_795_262_400);
        let signed = "t=1795262400,v1=63ff6c0daf2c8c1c05257dd7def307f7b4fa6071f63b65e1203b00a7d9a216fa";
        assert_eq!(signature([&secret], at, b"{}"), signed);
        let later = at.plus(std::time::Duration::from_secs(1));
        assert_ne!(secret.mac("1795262400", b"{}"), secret.mac(&later.unix_seconds().to_string(), b"{}"));
        assert_ne!(secret.mac("1795262400", b"{}"), secret.mac("1795262400", b"[]"));
        let other = WebhookSecret::random();
        let both = format!("{signed},v1={}", other.mac("1795262400", b"{}"));
        assert_eq!(signature([&secret, &other], at, b"{}"), both);
    }

    #[test]
    fn secrets_are_random_and_not_shown() {
        let secret = WebhookSecret::random();
        assert_ne!(secret.expose(), WebhookSecret::random().expose());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
