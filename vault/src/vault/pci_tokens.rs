//! PCI tokens.

use cardseal::card::Number;
use cardseal::seal::{Envelope, PciCard};
use thiserror::Error;

use super::secrets::{encrypt_details, encrypt_number};
use super::{Failure, NotATestCard, Refused, TooManyAlike, Vault};
use crate::access::client::Client;
use crate::audit::{Action, By, Refusal};
use crate::id::PciTokenId;
use crate::keys::Sha256Digest;
use crate::keys::data::{Part, Place};
use crate::merchant::Merchant;
use crate::pci_token::{CorrelationId, Detokenized, MonthYear, PciToken, State};
use crate::seal;
use crate::store::{InsertedPci, StoreError, StoredPciCard, StoredPciToken};
use crate::token::Line;

impl Vault {
    /// Makes a PCI token of a sealed card. It is durable when this returns. The same seal again gives the same token, and so
    /// does the same request.
    ///
    /// # Errors
    /// [`PciTokenError`]
    pub async fn create_pci_token(
        &self,
        merchant: &Merchant,
        jwe: &str,
        request: &CorrelationId,
        client: Client,
    ) -> Result<PciToken, PciTokenError> {
        let Envelope { card: PciCard { number, expiry }, id: seal, .. } =
            self.sealed_card(merchant, jwe).await?;
        self.check_test_card(merchant, &number)?;
        let now = self.clock.now();
        let rings = self.keys.rings();
        let fingerprint = rings.fingerprint.active(now).ok_or(Failure::NoActiveKey("fingerprint"))?;
        let id = PciTokenId::random(merchant.mode);
        let card = self.encrypting(|key| {
            Ok(StoredPciCard {
                brand: number.brand(),
                pan: encrypt_number(key, merchant, id.as_str(), &number),
                details: encrypt_details(key, merchant, id.as_str(), &MonthYear::from(&expiry))?,
            })
        })?;
        let new = StoredPciToken {
            last_digits: number.last_digits().to_owned(),
            fingerprint: fingerprint.key.fingerprint(&merchant.id, &number),
            card: Some(card),
            created_at: now,
            updated_at: now,
            id,
        };
        let counted = self.counted(merchant, client, &number)?;
        let inserted = self.store.insert_pci_token(&merchant.id, &new, &seal, request, &counted).await?;
        let (first, refused) = match inserted {
            InsertedPci::New => {
                self.counts.pci_token(merchant.mode);
                return Ok(self.shown(merchant, new).await?);
            }
            InsertedPci::SameSeal(first) => (first, PciTokenError::Replayed),
            InsertedPci::SameRequest(first) => (first, PciTokenError::Repeated),
            InsertedPci::TooManyAlike => return Err(self.too_many_alike(merchant).into()),
        };
        let same_number = first.fingerprint == new.fingerprint;
        let first = self.shown(merchant, first).await?;
        match &first.state {
            State::Active { expiry: before, .. } if *before != MonthYear::from(&expiry) => Err(refused),
            State::Active { .. } | State::Deleted if same_number => Ok(first),
            State::Active { .. } | State::Deleted => Err(refused),
        }
    }

    /// Opens what a page has sealed, for the merchant that the page is of.
    async fn sealed_card(&self, merchant: &Merchant, jwe: &str) -> Result<Envelope<PciCard>, PciTokenError> {
        let opened = self.opener.open(merchant.mode, jwe, Envelope::parse_pci)?;
        // A server sends it, with a secret key: the public key has to be another one of the same merchant's.
        let public_key = Sha256Digest::of(opened.merchant().as_str().as_bytes());
        let holder = self.key_holder(public_key).await?;
        let is_senders = holder.is_some_and(|(holder, _)| holder.id == merchant.id);
        Ok(opened.sent_by(is_senders)?)
    }

    /// A merchant's PCI token, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn pci_token(&self, merchant: &Merchant, id: &PciTokenId) -> Result<Option<PciToken>, Failure> {
        match self.store.pci_token(&merchant.id, id).await? {
            Some(stored) => self.shown(merchant, stored).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives out the card behind a PCI token, and says in the audit to whom and why before it does.
    ///
    /// # Errors
    /// [`PciTokenError`]
    pub async fn detokenize(
        &self,
        merchant: &Merchant,
        by: By,
        id: &PciTokenId,
        reason: Line,
    ) -> Result<Detokenized, PciTokenError> {
        let subject = id.as_str();
        let refused = async |why| {
            let (merchant, by, subject) = (Some(merchant.id.clone()), by.clone(), subject.to_owned());
            self.refuse(Refused { merchant, by, action: Action::Detokenize, subject, why }).await;
        };
        let Some(stored) = self.store.pci_token(&merchant.id, id).await? else {
            refused(Refusal::NotFound).await;
            return Err(PciTokenError::Unknown);
        };
        let Some(card) = stored.card else {
            refused(Refusal::Deleted).await;
            return Err(PciTokenError::Deleted);
        };
        self.audit(Some(&merchant.id), by, Action::Detokenize, subject, Some(reason)).await?;
        let place = Place { merchant: &merchant.id, owner: subject, part: Part::Pan };
        let plaintext = self.decrypt(place, &card.pan).await?;
        let number = std::str::from_utf8(&plaintext).ok().and_then(|text| Number::parse(text).valid());
        Ok(Detokenized {
            number: number.ok_or(Failure::Unreadable("card number"))?,
            expiry: self.details(merchant, subject, &card.details).await?,
        })
    }

    /// Deletes the card behind a PCI token.
    ///
    /// # Errors
    /// [`PciTokenError`]
    pub async fn delete_pci_token(
        &self,
        merchant: &Merchant,
        by: By,
        id: &PciTokenId,
    ) -> Result<(), PciTokenError> {
        let (now, key) = (self.clock.now(), self.audit_key()?);
        let entry = self.audit_entry(Some(&merchant.id), by, Action::DeletePciToken, id.as_str(), None);
        if self.store.delete_pci_token(&merchant.id, id, now, (&key, &entry)).await? {
            return Ok(());
        }
        match self.store.pci_token(&merchant.id, id).await? {
            Some(_) => Err(PciTokenError::Deleted),
            None => Err(PciTokenError::Unknown),
        }
    }

    async fn shown(&self, merchant: &Merchant, stored: StoredPciToken) -> Result<PciToken, Failure> {
        let StoredPciToken { id, last_digits, card, created_at, updated_at, .. } = stored;
        let state = match card {
            Some(StoredPciCard { brand, details, .. }) => {
                let expiry = self.details(merchant, id.as_str(), &details).await?;
                State::Active { brand, expiry }
            }
            None => State::Deleted,
        };
        Ok(PciToken { id, last_digits, state, created_at, updated_at })
    }
}

/// Why something was not done with a PCI token.
#[derive(Debug, Error)]
pub enum PciTokenError {
    /// Its card is gone. The caller's fault.
    #[error("the PCI token is deleted")]
    Deleted,
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A test key takes published test cards.
    #[error(transparent)]
    NotATestCard(#[from] NotATestCard),
    /// Its seal was refused.
    #[error(transparent)]
    Refused(#[from] seal::Refused),
    /// Its seal's id came before with another card. The sender's fault.
    #[error("the seal's id was used for another card")]
    Replayed,
    /// The correlation id came before with another card. The caller's fault.
    #[error("the correlation id was used for another card")]
    Repeated,
    /// Somebody seems to search for a number.
    #[error(transparent)]
    TooManyAlike(#[from] TooManyAlike),
    /// There is no such token. The caller's fault.
    #[error("there is no such PCI token")]
    Unknown,
}

impl From<StoreError> for PciTokenError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
