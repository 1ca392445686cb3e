//! What is encrypted at rest, and where it belongs.

use cardseal::card::{Brand, Number, SecurityCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Failure, Vault};
use crate::id::TokenId;
use crate::keys::code::CodeLock;
use crate::keys::data::{Ciphertext, DataKey, Part, Place};
use crate::keys::gcm::Unopened;
use crate::merchant::Merchant;
use crate::store::{SecurityCodeRow, StoredCard};

impl Vault {
    /// Runs something with the key that encrypts now: all ciphertexts of a row are under one.
    pub(super) fn encrypting<T>(
        &self,
        encrypt: impl FnOnce(&DataKey) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let rings = self.keys.rings();
        let held = rings.data.active(self.clock.now()).ok_or(Failure::NoActiveKey("data"))?;
        encrypt(&held.key)
    }

    /// What stands at a place.
    pub(super) async fn decrypt(
        &self,
        place: Place<'_>,
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.learn(ciphertext.key_version).await?;
        self.decrypt_now(place, ciphertext)
    }

    /// Looks for a key that this process does not know: another one may have made it just now.
    async fn learn(&self, version: u32) -> Result<(), Failure> {
        if self.keys.rings().data.version(version).is_none() {
            self.keys.refresh(&self.store).await?;
        }
        Ok(())
    }

    /// The same, if this process knows the key.
    fn decrypt_now(&self, place: Place<'_>, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let rings = self.keys.rings();
        let held = rings.data.version(ciphertext.key_version).ok_or(Failure::Tampered)?;
        held.key.decrypt(place, ciphertext).map_err(|Unopened| Failure::Tampered)
    }

    /// The details that belong to `owner`.
    pub(super) async fn details<T: DeserializeOwned>(
        &self,
        merchant: &Merchant,
        owner: &str,
        details: &Ciphertext,
    ) -> Result<T, Failure> {
        self.learn(details.key_version).await?;
        self.details_now(merchant, owner, details)
    }

    /// The same within a transaction, where nothing can be waited for: if this process knows the key.
    pub(super) fn details_now<T: DeserializeOwned>(
        &self,
        merchant: &Merchant,
        owner: &str,
        details: &Ciphertext,
    ) -> Result<T, Failure> {
        let place = Place { merchant: &merchant.id, owner, part: Part::Details };
        let plaintext = self.decrypt_now(place, details)?;
        serde_json::from_slice(&plaintext).map_err(|_| Failure::Unreadable("details"))
    }

    /// Encrypts details anew in the place of those that belong to `owner`, under the same key: another would be one for
    /// the whole row, whose number would have to be opened.
    pub(super) fn replace_details(
        &self,
        merchant: &Merchant,
        owner: &str,
        before: &Ciphertext,
        details: &impl Serialize,
    ) -> Result<Ciphertext, Failure> {
        let rings = self.keys.rings();
        let held = rings.data.version(before.key_version).ok_or(Failure::Tampered)?;
        encrypt_details(&held.key, merchant, owner, details)
    }

    /// The number of a card that belongs to `owner`.
    pub(super) async fn number(
        &self,
        merchant: &Merchant,
        owner: &str,
        card: &StoredCard,
    ) -> Result<Number, Failure> {
        let pan = card.pan.as_ref().ok_or(Failure::Unreadable("card number"))?;
        let place = Place { merchant: &merchant.id, owner, part: Part::Pan };
        let plaintext = self.decrypt(place, pan).await?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Failure::Unreadable("card number"))?;
        Number::parse(text).valid().ok_or(Failure::Unreadable("card number"))
    }

    /// The security code that came with a token of a card of this brand.
    pub(super) async fn security_code(
        &self,
        merchant: &Merchant,
        token: &TokenId,
        brand: Brand,
        row: &SecurityCodeRow,
    ) -> Result<Option<SecurityCode>, Failure> {
        let hash = token.hash();
        let place = Place { merchant: &merchant.id, owner: hash.as_str(), part: Part::SecurityCode };
        let locked = self.decrypt(place, &row.code).await?;
        let plaintext = CodeLock::of(token).unlock(&locked).map_err(|Unopened| Failure::Tampered)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Failure::Unreadable("security code"))?;
        Ok(SecurityCode::parse(text, Some(brand)).valid())
    }
}

/// Encrypts details, which then belong to `owner`.
pub(super) fn encrypt_details(
    key: &DataKey,
    merchant: &Merchant,
    owner: &str,
    details: &impl Serialize,
) -> Result<Ciphertext, Failure> {
    let plaintext =
        serde_json::to_vec(details).map(Zeroizing::new).map_err(|_| Failure::Unreadable("details"))?;
    Ok(key.encrypt(Place { merchant: &merchant.id, owner, part: Part::Details }, &plaintext))
}

/// Encrypts a number, which then belongs to `owner`.
pub(super) fn encrypt_number(key: &DataKey, merchant: &Merchant, owner: &str, number: &Number) -> Ciphertext {
    // EXPOSE: into the cipher.
    key.encrypt(Place { merchant: &merchant.id, owner, part: Part::Pan }, number.expose().as_bytes())
}
