//! What vendors tell of their tokens, and who may.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{Failure, Vault};
use crate::keys::aad::Aad;
use crate::keys::mac::Mac;
use crate::merchant::Merchant;
use crate::time::Timestamp;
use crate::vendor::Account;
use crate::vendor::account::Name;
use crate::vendor::token::{Relayed, State, Update, VendorToken};

/// How long an access token for callbacks is good.
pub const CALLBACK_ACCESS: Duration = Duration::from_secs(15 * 60);

/// The token that a vendor tells of, by the vendor's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One of Thales D1.
    ThalesD1 {
        /// The operator's gateway.
        gateway: Name,
        /// The merchant.
        merchant_id: Name,
        /// The token.
        token_id: Name,
    },
    /// A PCI token of Thales.
    ThalesPci {
        /// The merchant, if it is named.
        merchant_id: Option<Name>,
        /// The token.
        token_id: Name,
    },
}

impl Subject {
    const fn vendor(&self) -> Relayed {
        match self {
            Self::ThalesD1 { .. } => Relayed::ThalesD1,
            Self::ThalesPci { .. } => Relayed::ThalesPci,
        }
    }

    const fn token_id(&self) -> &Name {
        let (Self::ThalesD1 { token_id, .. } | Self::ThalesPci { token_id, .. }) = self;
        token_id
    }
}

impl Vault {
    /// Takes in what a vendor tells of a token; it is durable when this returns. What is told again, or is older than what is
    /// known, changes nothing. A token that is deleted stays so. False if nobody has such a token.
    ///
    /// # Errors
    /// [`Failure`]; then the vendor has to tell again.
    pub async fn take_in(&self, subject: &Subject, update: &Update) -> Result<bool, Failure> {
        let (vendor, token_id) = (subject.vendor(), subject.token_id());
        let mut is_known = false;
        for id in self.store.holders_of_vendor_token(vendor, token_id).await? {
            let merchant = self.owner(&id).await?;
            if !self.is_about(subject, &merchant).await? {
                continue;
            }
            is_known = true;
            let updated = |token: VendorToken| {
                let is_news = token.state != State::Deleted && token.updated_at < Some(update.at);
                is_news.then(|| VendorToken {
                    state: update.state.clone().unwrap_or(token.state),
                    facts: update.facts.clone().over(token.facts),
                    updated_at: Some(update.at),
                    ..token
                })
            };
            self.change_vendor_token(&merchant, vendor, token_id, &updated, None).await?;
        }
        Ok(is_known)
    }

    /// Whether a merchant is the one that a vendor means.
    async fn is_about(&self, subject: &Subject, merchant: &Merchant) -> Result<bool, Failure> {
        let account = self.account(merchant, subject.vendor().profile()).await?;
        Ok(match (subject, account) {
            (Subject::ThalesD1 { gateway, merchant_id, .. }, Some(Account::ThalesD1(account))) => {
                let d1 = self.vendors.thales_d1.of(merchant.mode);
                d1.is_some_and(|d1| d1.settings.gateway == *gateway) && account.merchant_id == *merchant_id
            }
            (Subject::ThalesPci { merchant_id, .. }, Some(Account::ThalesPci(account))) => {
                merchant_id.as_ref().is_none_or(|named| account.merchant_id == *named)
            }
            _ => false,
        })
    }

    /// An access token for callbacks. Every process of the vault takes it.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn grant_callbacks(&self) -> Result<Zeroizing<String>, Failure> {
        let now = self.clock.now();
        let rings = self.keys.rings();
        let held = rings.access.active(now).ok_or(Failure::NoActiveKey("access"))?;
        let end = now.plus(CALLBACK_ACCESS).unix_seconds();
        let Mac { key_version, bytes } = held.key.mac(fields(end));
        Ok(Zeroizing::new(format!("{end}.{key_version}.{}", Base64UrlUnpadded::encode_string(&bytes))))
    }

    /// Whether an access token for callbacks is one, and good still.
    #[must_use]
    pub fn admits_callback(&self, token: &str) -> bool {
        let parts: Vec<&str> = token.split('.').collect();
        let [end, key_version, mac] = parts[..] else { return false };
        let (Ok(end), Ok(key_version)) = (end.parse(), key_version.parse()) else { return false };
        let Ok(bytes) = Base64UrlUnpadded::decode_vec(mac) else { return false };
        let is_genuine = self.keys.rings().access.is_genuine(fields(end), &Mac { key_version, bytes });
        is_genuine && self.clock.now() < Timestamp::from_unix_seconds(end)
    }
}

/// What the MAC of an access token covers.
fn fields(end: u64) -> Aad {
    Aad::new("callback access").field(&end.to_string())
}
