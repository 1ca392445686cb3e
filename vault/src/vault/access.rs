//! Who may do what: merchants with their origins, and their keys. Each is believed for the vault's own MAC, which
//! whoever can write the database cannot make, and each change is in the audit.

use std::sync::Arc;
use std::time::Instant;

use super::{Failure, Vault};
use crate::audit::{Action, By, Entry};
use crate::id::{KeyId, MerchantId};
use crate::keys::Sha256Digest;
use crate::keys::aad::Aad;
use crate::keys::mac::{Mac, MacKey};
use crate::merchant::{Merchant, Origin};
use crate::store::{Change, KeyRow, NewKey, StoredMerchant};

/// How many merchants that are said to have the same origin are looked at: one that really has it is enough.
const NAMESAKES: u32 = 10;

impl Vault {
    /// Whose key has this hash, if it is neither revoked nor at its end.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn key_holder(&self, hash: Sha256Digest) -> Result<Option<(Merchant, KeyRow)>, Failure> {
        let Some((merchant, key)) = self.store.key_holder(hash).await? else { return Ok(None) };
        if !self.vouches_for(|| key.fields(), &key.mac).await? {
            tracing::error!(key = %key.id, "somebody else than the vault has written this key");
            return Err(Failure::Forged("api_keys"));
        }
        if key.is_expired(self.clock.now()) {
            tracing::warn!(key = %key.id, "a key was sent whose time is over");
            return Ok(None);
        }
        self.key_uses.note(&key.id, self.clock.now());
        Ok(Some((self.believed(merchant).await?.merchant, key)))
    }

    /// The same as it is now, or was up to [`KNOWN_FOR`](super::KNOWN_FOR) ago.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn recent_key_holder(&self, hash: Sha256Digest) -> Result<Option<(Merchant, KeyRow)>, Failure> {
        if let Some(holder) = self.known.holders.get(&hash)
            && !holder.1.is_expired(self.clock.now())
        {
            self.key_uses.note(&holder.1.id, self.clock.now());
            return Ok(Some(holder));
        }
        let asked = Instant::now();
        let holder = self.key_holder(hash).await?;
        if let Some(holder) = &holder {
            self.known.holders.keep(hash, asked, holder.clone());
        }
        Ok(holder)
    }

    /// Whether any merchant's pages are served from this origin, or were [`KNOWN_FOR`](super::KNOWN_FOR) ago.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn is_registered(&self, origin: &Origin) -> Result<bool, Failure> {
        if self.known.origins.get(origin).is_some() {
            return Ok(true);
        }
        let asked = Instant::now();
        for merchant in self.store.merchants_at(origin, NAMESAKES).await? {
            match self.merchant(&merchant).await {
                Ok(Some(merchant)) if merchant.origins.contains(origin) => {
                    self.known.origins.keep(origin.clone(), asked, ());
                    return Ok(true);
                }
                Ok(_) | Err(Failure::Forged(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(false)
    }

    /// A merchant.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn merchant(&self, id: &MerchantId) -> Result<Option<Merchant>, Failure> {
        match self.store.merchant(id).await? {
            Some(stored) => Ok(Some(self.believed(stored).await?.merchant)),
            None => Ok(None),
        }
    }

    /// The merchant that a row of the store belongs to.
    pub(super) async fn owner(&self, id: &MerchantId) -> Result<Merchant, Failure> {
        self.merchant(id).await?.ok_or(Failure::Forged("merchants"))
    }

    /// Adds a merchant with its keys.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn add_merchant(&self, merchant: &Merchant, keys: &[NewKey], by: By) -> Result<(), Failure> {
        let entry = self.audit_entry(None, by, Action::AddMerchant, merchant.id.as_str(), None);
        let signing = self.change_keys()?;
        let change = signing.of(&entry);
        Ok(self.store.add_merchant(merchant, keys, &change).await?)
    }

    /// Adds a merchant's key.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn add_api_key(&self, merchant: &Merchant, key: &NewKey, by: By) -> Result<(), Failure> {
        let entry = self.audit_entry(Some(&merchant.id), by, Action::AddKey, key.id.as_str(), None);
        let signing = self.change_keys()?;
        let change = signing.of(&entry);
        Ok(self.store.add_api_key(&merchant.id, key, &change).await?)
    }

    /// Revokes a key, whoever wrote it; `false` if it was not there or was revoked before.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn revoke_api_key(&self, id: &KeyId, by: By) -> Result<bool, Failure> {
        let Some(key) = self.store.api_key(id).await? else { return Ok(false) };
        let entry = self.audit_entry(Some(&key.merchant), by, Action::RevokeKey, id.as_str(), None);
        let signing = self.change_keys()?;
        let change = signing.of(&entry);
        let revoked = self.store.revoke_api_key(id, &change).await?;
        self.known.forget();
        Ok(revoked)
    }

    /// Puts others in the place of a merchant's origins.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn replace_origins(&self, id: &MerchantId, origins: &[Origin], by: By) -> Result<(), Failure> {
        let entry = self.audit_entry(Some(id), by, Action::ReplaceOrigins, id.as_str(), None);
        let signing = self.change_keys()?;
        let change = signing.of(&entry);
        loop {
            let merchant = self.store.merchant(id).await?.ok_or(Failure::Forged("merchants"))?;
            let merchant = self.believed(merchant).await?;
            if self.store.replace_origins(&merchant, origins.to_vec(), &change).await? {
                break;
            }
        }
        self.known.forget();
        Ok(())
    }

    async fn believed(&self, stored: StoredMerchant) -> Result<StoredMerchant, Failure> {
        if self.vouches_for(|| stored.fields(), &stored.mac).await? {
            return Ok(stored);
        }
        tracing::error!(merchant = %stored.merchant.id, "somebody else than the vault has written this merchant");
        Err(Failure::Forged("merchants"))
    }

    /// Whether the vault has written these fields.
    pub(super) async fn vouches_for(&self, fields: impl Fn() -> Aad, mac: &Mac) -> Result<bool, Failure> {
        if self.keys.rings().access.version(mac.key_version).is_none() {
            // Another process may have made the key just now.
            self.keys.refresh(&self.store).await?;
        }
        Ok(self.keys.rings().access.is_genuine(fields(), mac))
    }

    fn change_keys(&self) -> Result<ChangeKeys, Failure> {
        let rings = self.keys.rings();
        let access = rings.access.active(self.clock.now()).ok_or(Failure::NoActiveKey("access"))?;
        Ok(ChangeKeys { access: Arc::clone(&access.key), audit: self.audit_key()? })
    }
}

/// What a change of who may do what is signed with, and told with.
struct ChangeKeys {
    access: Arc<MacKey>,
    audit: Arc<MacKey>,
}

impl ChangeKeys {
    fn of<'a>(&'a self, entry: &'a Entry) -> Change<'a> {
        Change { access: &self.access, audit: &self.audit, entry }
    }
}
