//! Merchants' accounts with vendors. Whoever can write the database can take one away or bring an older one back, and make
//! none.

use cardseal::client::Profile;
use thiserror::Error;

use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::id::AccountId;
use crate::keys::data::{Part, Place};
use crate::merchant::Merchant;
use crate::store::{StoreError, StoredAccount};
use crate::vendor::Account;
use crate::vendor::sealing_key::SealingKey;
use crate::vendor::settings::BaseUrl;

/// What a browser needs to know to turn a card into a vendor's token.
#[derive(Clone, Debug)]
pub enum Offer {
    /// The vault's own token; charges make Payment Options' of it.
    Native(Profile),
    /// Omise takes the card itself.
    Omise {
        /// The merchant's public key there.
        public_key: String,
        /// Where it takes cards.
        address: BaseUrl,
    },
    /// The card is sealed for a vendor, which gets it through the vault.
    Sealed {
        /// The vendor.
        profile: Profile,
        /// Its keys, the one to seal to first.
        keys: Vec<SealingKey>,
    },
}

impl Vault {
    /// Keeps a merchant's account with a vendor, in place of the one before.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn connect(&self, merchant: &Merchant, account: &Account, by: By) -> Result<(), ConnectError> {
        let profile = account.profile();
        if account.takes_charges()
            && let Some(other) = self.charging_account(merchant).await?
            && other.profile() != profile
        {
            return Err(ConnectError::ChargesElsewhere(other.profile()));
        }
        let id = AccountId::random(merchant.mode);
        let plaintext = account.to_json().map_err(|_| Failure::Unreadable("account"))?;
        let place = Place { merchant: &merchant.id, owner: id.as_str(), part: Part::Details };
        let details = self.encrypting(|key| Ok(key.encrypt(place, &plaintext)))?;
        let entry = self.audit_entry(Some(&merchant.id), by, Action::ConnectVendor, profile.as_str(), None);
        let key = self.audit_key()?;
        let new = StoredAccount { id, profile, details };
        Ok(self.store.replace_account(&merchant.id, &new, self.clock.now(), (&key, &entry)).await?)
    }

    /// Forgets a merchant's account with a vendor. False if there is none.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn disconnect(&self, merchant: &Merchant, profile: Profile, by: By) -> Result<bool, Failure> {
        let action = Action::DisconnectVendor;
        let entry = self.audit_entry(Some(&merchant.id), by, action, profile.as_str(), None);
        let key = self.audit_key()?;
        Ok(self.store.delete_account(&merchant.id, profile, (&key, &entry)).await?)
    }

    /// A merchant's account with a vendor.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn account(&self, merchant: &Merchant, profile: Profile) -> Result<Option<Account>, Failure> {
        let accounts = self.store.accounts(&merchant.id).await?;
        match accounts.into_iter().find(|account| account.profile == profile) {
            Some(stored) => Ok(Some(self.opened(merchant, &stored).await?)),
            None => Ok(None),
        }
    }

    /// The account that a merchant's charges go to.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn charging_account(&self, merchant: &Merchant) -> Result<Option<Account>, Failure> {
        for stored in self.store.accounts(&merchant.id).await? {
            let account = self.opened(merchant, &stored).await?;
            if account.takes_charges() {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// What a browser needs for a profile; nothing, if the merchant may not use it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn offer(&self, merchant: &Merchant, profile: Profile) -> Result<Option<Offer>, Failure> {
        if profile == Profile::Cardseal {
            return Ok(Some(Offer::Native(profile)));
        }
        let Some(account) = self.account(merchant, profile).await? else { return Ok(None) };
        let (vendors, mode) = (&self.vendors, merchant.mode);
        let sealed = |keys| Offer::Sealed { profile, keys };
        Ok(match account {
            Account::Omise(account) => Some(Offer::Omise {
                public_key: account.public_key.as_str().into(),
                address: vendors.settings.omise(mode).vault_url,
            }),
            Account::PaymentOptions(_) => Some(Offer::Native(profile)),
            Account::ThalesD1(_) => {
                vendors.thales_d1.of(mode).map(|d1| sealed(d1.sealing_keys.get().to_vec()))
            }
            Account::ThalesPci(_) => {
                vendors.thales_pci.of(mode).map(|pci| sealed(vec![(*pci.sealing_key.get()).clone()]))
            }
        })
    }

    async fn opened(&self, merchant: &Merchant, stored: &StoredAccount) -> Result<Account, Failure> {
        let place = Place { merchant: &merchant.id, owner: stored.id.as_str(), part: Part::Details };
        let plaintext = self.decrypt(place, &stored.details).await?;
        Account::from_json(stored.profile, &plaintext).ok_or(Failure::Unreadable("account"))
    }
}

/// Why an account was not kept.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The operator's fault: charges go to one vendor.
    #[error("the merchant's charges go to {} already", .0.as_str())]
    ChargesElsewhere(Profile),
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for ConnectError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
