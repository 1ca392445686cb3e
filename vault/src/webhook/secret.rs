use std::fmt;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::random_letters;
use crate::time::Timestamp;

/// Letters of a secret: 200 bits.
const LETTERS: usize = 40;

/// What vault and merchant sign and check a webhook's messages with: `whsec_…`. Shown once, when the webhook is made.
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

    /// The value of the header `Cardseal-Signature`: `t=<seconds since 1970>,v1=<hexadecimal>`, where `v1` is the
    /// HMAC-SHA-256 (RFC 2104) of time, full stop and body under the whole text of the secret.
    ///
    /// The time is signed too: who records a message can send it again, but not as a new one.
    #[must_use]
    pub fn sign(&self, at: Timestamp, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let mut mac = hmac::Context::with_key(&key);
        let at = at.unix_seconds().to_string();
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        let hex: String = mac.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={at},v1={hex}")
    }
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
        assert_eq!(
            secret.sign(at, b"{}"),
            "t=1795262400,v1=63ff6c0daf2c8c1c05257dd7def307f7b4fa6071f63b65e1203b00a7d9a216fa"
        );
        assert_ne!(secret.sign(at, b"{}"), secret.sign(at.plus(std::time::Duration::from_secs(1)), b"{}"));
        assert_ne!(secret.sign(at, b"{}"), secret.sign(at, b"[]"));
    }

    #[test]
    fn secrets_are_random_and_not_shown() {
        let secret = WebhookSecret::random();
        assert_ne!(secret.expose(), WebhookSecret::random().expose());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
