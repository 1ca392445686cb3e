//! What vendors tell of their tokens, and who may.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::keys::aad::Aad;
use crate::keys::mac::Mac;
use crate::merchant::Merchant;
use crate::time::Timestamp;
use crate::token::Line;
use crate::vendor::Account;
use crate::vendor::account::Name;
use crate::vendor::token::{Moment, Relayed, State, Update, VendorToken};

/// How long an access token for callbacks is good.
pub const CALLBACK_ACCESS: Duration = Duration::from_secs(15 * 60);

/// How far ahead of the vault's clock a vendor's may be. What is later is not believed: it would be the newest for as long.
const MOST_AHEAD: Duration = Duration::from_secs(5 * 60);

/// What became of what a vendor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// It is kept, or known already.
    Durably,
    /// Nobody has such a token.
    Unknown,
    /// It is of a time that has not come. Nothing is kept of it.
    Ahead,
}

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
        /// The merchant.
        merchant_id: Name,
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
    /// known, changes nothing. A token that is deleted stays so, but for the operator
    /// ([`Self::set_vendor_token_state`]).
    ///
    /// # Errors
    /// [`Failure`]; then the vendor has to tell again.
    pub async fn take_in(&self, subject: &Subject, update: &Update) -> Result<TakenIn, Failure> {
        let latest = self.clock.now().plus(MOST_AHEAD).unix_seconds().saturating_mul(1000);
        if update.at.millis() > latest {
            return Ok(TakenIn::Ahead);
        }
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
        Ok(if is_known { TakenIn::Durably } else { TakenIn::Unknown })
    }

    /// Sets a token's state by hand, as the operator has learned it from the vendor: neither of the two documents a request
    /// that asks for it. What is older than this moment is old news from here on. False if the merchant has no such token.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn set_vendor_token_state(
        &self,
        merchant: &Merchant,
        vendor: Relayed,
        token_id: &Name,
        state: &State,
        by: By,
        reason: Line,
    ) -> Result<bool, Failure> {
        if self.store.vendor_token(&merchant.id, vendor, token_id).await?.is_none() {
            return Ok(false);
        }
        let (action, subject) = (Action::SetVendorToken, token_id.as_str());
        let entry = self.audit_entry(Some(&merchant.id), by, action, subject, Some(reason));
        let key = self.audit_key()?;
        let now = Moment::from_millis(self.clock.now().unix_seconds().saturating_mul(1000));
        let set = |token: VendorToken| Some(VendorToken { state: state.clone(), updated_at: now, ..token });
        self.change_vendor_token(merchant, vendor, token_id, &set, Some((&key, &entry))).await?;
        Ok(true)
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
                account.merchant_id == *merchant_id
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
