//! Customers and their cards.

use cardseal::card::Number;
use thiserror::Error;

use super::secrets::{encrypt_details, encrypt_number};
use super::tokens::facts;
use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::customer::{CardChange, Customer, CustomerChange, Profile};
use crate::event::EventKey;
use crate::id::{CardId, CustomerId, TokenId};
use crate::idempotency::{Made, Request};
use crate::keys::fingerprint::Fingerprint;
use crate::list::{Page, Window};
use crate::merchant::Merchant;
use crate::object::CardObject;
use crate::store::{
    CardRenewal, CustomerUpdate, Keeping, Kept, Seen, StoreError, StoredCard, StoredCustomer, Updated,
};
use crate::token::{CardFacts, Details, Usage, UsedBy};

/// The card of a token, opened to be kept.
struct Opened {
    token: TokenId,
    card: StoredCard,
    number: Number,
    details: Details,
    /// Its fingerprint under every key: cards may have come under an earlier one.
    fingerprints: Vec<Fingerprint>,
}

/// What becomes of an opened card.
enum Fate {
    New(StoredCard),
    Again(CardRenewal),
}

impl Vault {
    /// Makes a customer, once for each `request`, with the card of a token if one is given.
    ///
    /// # Errors
    /// [`KeepError`]; then there is no customer and the token is not used.
    pub async fn create_customer(
        &self,
        merchant: &Merchant,
        by: By,
        profile: Profile,
        token: Option<TokenId>,
        request: Option<Request>,
    ) -> Result<Made<Customer>, KeepError> {
        if let Some(before) = self.customer_before(merchant, request.as_ref()).await? {
            return Ok(Made::Before(before));
        }
        match self.make_customer(merchant, by, profile, token, request.as_ref()).await {
            Ok(customer) => Ok(Made::Now(customer)),
            // The first of two at once is what the second gets too.
            Err(error) => match self.customer_before(merchant, request.as_ref()).await? {
                Some(before) => Ok(Made::Before(before)),
                None => Err(error),
            },
        }
    }

    /// What an earlier request with the same key made.
    async fn customer_before(
        &self,
        merchant: &Merchant,
        request: Option<&Request>,
    ) -> Result<Option<Customer>, KeepError> {
        let Some(request) = request else { return Ok(None) };
        match self.store.seen(&merchant.id, request).await? {
            Seen::Never => Ok(None),
            Seen::Before(id) => {
                let id = CustomerId::parse(&id).ok_or(KeepError::Mismatch)?;
                Ok(Some(self.customer(merchant, id).await?.ok_or(KeepError::UnknownCustomer)?))
            }
            Seen::Otherwise => Err(KeepError::Mismatch),
        }
    }

    async fn make_customer(
        &self,
        merchant: &Merchant,
        by: By,
        profile: Profile,
        token: Option<TokenId>,
        request: Option<&Request>,
    ) -> Result<Customer, KeepError> {
        let id = CustomerId::random(merchant.mode);
        let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &profile))?;
        let customer = StoredCustomer { id, details, default_card: None, created_at: self.clock.now() };
        let opened = match token {
            Some(token) => Some(self.open_token(merchant, token).await?),
            None => None,
        };
        let tell = |changed: &_| self.customer_event(merchant, EventKey::CustomerCreate, changed);
        let updated = match &opened {
            Some(opened) => {
                let fate = Fate::New(self.moved(merchant, opened)?);
                self.keeping(merchant, by, opened, &fate, async |keeping| {
                    self.store.add_customer(&merchant.id, &customer, Some(keeping), request, &tell).await
                })
                .await?
            }
            None => self.store.add_customer(&merchant.id, &customer, None, request, &tell).await?,
        };
        match updated {
            Updated::Done => {
                self.news.notify_one();
                Ok(self.customer(merchant, customer.id).await?.ok_or(KeepError::UnknownCustomer)?)
            }
            updated => Err(refusal(updated, opened)),
        }
    }

    /// Changes a customer. A card that it has already is renewed: it gets the expiry and the name that came last.
    ///
    /// # Errors
    /// [`KeepError`]; then nothing is changed and the token is not used.
    pub async fn update_customer(
        &self,
        merchant: &Merchant,
        by: By,
        id: CustomerId,
        change: CustomerChange,
    ) -> Result<Customer, KeepError> {
        // Found before a card is opened for it.
        self.store.customer(&merchant.id, &id).await?.ok_or(KeepError::UnknownCustomer)?;
        let opened = match &change.token {
            Some(token) => Some(self.open_token(merchant, token.clone()).await?),
            None => None,
        };
        let key = if opened.is_some() { EventKey::CustomerUpdateCard } else { EventKey::CustomerUpdate };
        let tell = |changed: &_| self.customer_event(merchant, key, changed);
        loop {
            let before = self.store.customer(&merchant.id, &id).await?.ok_or(KeepError::UnknownCustomer)?;
            let profile: Profile = self.details(merchant, id.as_str(), &before.details).await?;
            let profile = change.applied(profile);
            let details = self.encrypting(|key| encrypt_details(key, merchant, id.as_str(), &profile))?;
            let default_card = change.default_card.as_ref();
            let update = CustomerUpdate { before: &before, details: &details, keeping: None, default_card };
            let updated = match &opened {
                Some(opened) => {
                    let fate = self.fate(merchant, &id, opened).await?;
                    self.keeping(merchant, by.clone(), opened, &fate, async |keeping| {
                        let update = CustomerUpdate { keeping: Some(keeping), ..update };
                        self.store.update_customer(&merchant.id, update, &tell).await
                    })
                    .await?
                }
                None => self.store.update_customer(&merchant.id, update, &tell).await?,
            };
            match updated {
                Updated::Done => {
                    self.news.notify_one();
                    return self.customer(merchant, id).await?.ok_or(KeepError::UnknownCustomer);
                }
                // Whoever was first is done, so this comes to an end.
                Updated::Outdated => {}
                updated => return Err(refusal(updated, opened)),
            }
        }
    }

    /// Deletes a customer with all its cards. None if the merchant has no such customer.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn delete_customer(
        &self,
        merchant: &Merchant,
        by: By,
        id: &CustomerId,
    ) -> Result<Option<StoredCustomer>, Failure> {
        let entry = self.audit_entry(Some(&merchant.id), by, Action::DeleteCustomer, id.as_str(), None);
        let key = self.audit_key()?;
        let tell = |customer: &_| self.deleted_customer_event(merchant, customer);
        let deleted =
            self.store.delete_customer(&merchant.id, id, self.clock.now(), (&key, &entry), &tell).await?;
        self.erase_now().await;
        self.news.notify_one();
        Ok(deleted)
    }

    /// A merchant's customer, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn customer(&self, merchant: &Merchant, id: CustomerId) -> Result<Option<Customer>, Failure> {
        let Some(customer) = self.store.customer(&merchant.id, &id).await? else { return Ok(None) };
        Ok(self.with_cards(merchant, vec![customer]).await?.pop())
    }

    /// A page of a merchant's customers.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn customers(&self, merchant: &Merchant, window: Window) -> Result<Page<Customer>, Failure> {
        let Page { window, items, total } = self.store.customers(&merchant.id, window).await?;
        let items = self.with_cards(merchant, items).await?;
        Ok(Page { window, items, total })
    }

    /// A page of a customer's cards. None if the merchant has no such customer.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn cards(
        &self,
        merchant: &Merchant,
        customer: &CustomerId,
        window: Window,
    ) -> Result<Option<Page<CardFacts>>, Failure> {
        if self.store.customer(&merchant.id, customer).await?.is_none() {
            return Ok(None);
        }
        let Page { window, items, total } = self.store.cards(&merchant.id, customer, window).await?;
        let items = self.facts_of(merchant, items).await?;
        Ok(Some(Page { window, items, total }))
    }

    /// A customer's card, if it has one of this id.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn card(
        &self,
        merchant: &Merchant,
        customer: &CustomerId,
        id: &CardId,
    ) -> Result<Option<CardFacts>, Failure> {
        let Some(card) = self.store.card(&merchant.id, customer, id).await? else { return Ok(None) };
        let details = self.details(merchant, id.as_str(), &card.details).await?;
        Ok(Some(facts(card, details)))
    }

    /// Changes a customer's card. None if the customer has no such card.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn update_card(
        &self,
        merchant: &Merchant,
        customer: &CustomerId,
        id: &CardId,
        change: &CardChange,
    ) -> Result<Option<CardFacts>, Failure> {
        loop {
            let Some(card) = self.store.card(&merchant.id, customer, id).await? else { return Ok(None) };
            let details: Details = self.details(merchant, id.as_str(), &card.details).await?;
            let details = change.applied(details);
            let renewal = self.renewal(merchant, &card, &details, card.security_code_check)?;
            let changed = facts(card, details);
            let object = CardObject::on_file(changed.clone(), customer, merchant.mode);
            let event = self.new_event(merchant, EventKey::CardUpdate, id.as_str(), &object)?;
            if self.store.update_card(&merchant.id, customer, &renewal, &event).await? {
                self.news.notify_one();
                return Ok(Some(changed));
            }
        }
    }

    /// Deletes a customer's card with its number. None if the customer has no such card.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn delete_card(
        &self,
        merchant: &Merchant,
        by: By,
        customer: &CustomerId,
        id: &CardId,
    ) -> Result<Option<CardFacts>, Failure> {
        let entry = self.audit_entry(Some(&merchant.id), by, Action::DeleteCard, id.as_str(), None);
        let key = self.audit_key()?;
        let tell = |card: &_| self.deleted_card_event(merchant, customer, card);
        let now = self.clock.now();
        let deleted = self.store.delete_card(&merchant.id, customer, id, now, (&key, &entry), &tell).await?;
        let Some(card) = deleted else { return Ok(None) };
        self.erase_now().await;
        self.news.notify_one();
        let details = self.details(merchant, id.as_str(), &card.details).await?;
        Ok(Some(facts(card, details)))
    }

    /// Opens the card of a token that was not used yet.
    async fn open_token(&self, merchant: &Merchant, id: TokenId) -> Result<Opened, KeepError> {
        let token = self.store.token(&merchant.id, &id.hash(), self.clock.now()).await?;
        let token = token.ok_or(KeepError::UnknownToken)?;
        let owner = token.id.as_str();
        if token.usage != Usage::Unused {
            let by =
                self.store.token_used_by(&merchant.id, &token.id).await?.ok_or(KeepError::UnknownToken)?;
            return Err(KeepError::Used { token: id, by });
        }
        let details = self.details(merchant, owner, &token.card.details).await?;
        let number = self.number(merchant, owner, &token.card).await?;
        let rings = self.keys.rings();
        let fingerprints =
            rings.fingerprint.iter().map(|held| held.key.fingerprint(&merchant.id, &number)).collect();
        Ok(Opened { token: id, card: token.card, number, details, fingerprints })
    }

    /// What becomes of a card when a customer gets it.
    async fn fate(
        &self,
        merchant: &Merchant,
        customer: &CustomerId,
        opened: &Opened,
    ) -> Result<Fate, KeepError> {
        let same = self.store.same_card(&merchant.id, customer, &opened.fingerprints).await?;
        let Some(card) = same else { return Ok(Fate::New(self.moved(merchant, opened)?)) };
        let before: Details = self.details(merchant, card.id.as_str(), &card.details).await?;
        let Details { expiration_month, expiration_year, .. } = opened.details;
        let name = opened.details.name.clone().or(before.name);
        let details = Details { expiration_month, expiration_year, name, ..before };
        let check = card.security_code_check || opened.card.security_code_check;
        Ok(Fate::Again(self.renewal(merchant, &card, &details, check)?))
    }

    /// A token's card, encrypted for its own place.
    fn moved(&self, merchant: &Merchant, opened: &Opened) -> Result<StoredCard, Failure> {
        let id = &opened.card.id;
        self.encrypting(|key| {
            Ok(StoredCard {
                pan: Some(encrypt_number(key, merchant, id.as_str(), &opened.number)),
                details: encrypt_details(key, merchant, id.as_str(), &opened.details)?,
                ..opened.card.clone()
            })
        })
    }

    fn renewal(
        &self,
        merchant: &Merchant,
        card: &StoredCard,
        details: &Details,
        security_code_check: bool,
    ) -> Result<CardRenewal, Failure> {
        Ok(CardRenewal {
            id: card.id.clone(),
            before: card.details.clone(),
            after: self.replace_details(merchant, card.id.as_str(), &card.details, details)?,
            security_code_check,
        })
    }

    /// Stores a card that was opened, and that it was.
    async fn keeping(
        &self,
        merchant: &Merchant,
        by: By,
        opened: &Opened,
        fate: &Fate,
        store: impl AsyncFnOnce(Keeping<'_>) -> Result<Updated, StoreError>,
    ) -> Result<Updated, KeepError> {
        let (id, card) = match fate {
            Fate::New(card) => (&card.id, Kept::New(card, &opened.fingerprints)),
            Fate::Again(renewal) => (&renewal.id, Kept::Again(renewal)),
        };
        let entry = self.audit_entry(Some(&merchant.id), by, Action::KeepCard, id.as_str(), None);
        let key = self.audit_key()?;
        let token = opened.token.hash();
        let keeping = Keeping { token: &token, card, now: self.clock.now(), audit: (&key, &entry) };
        Ok(store(keeping).await?)
    }

    async fn with_cards(
        &self,
        merchant: &Merchant,
        customers: Vec<StoredCustomer>,
    ) -> Result<Vec<Customer>, Failure> {
        let window = Window::default();
        let mut cards = self.store.first_cards(&merchant.id, &customers, window.limit).await?;
        let mut shown = Vec::with_capacity(customers.len());
        for StoredCustomer { id, details, default_card, created_at } in customers {
            let profile = self.details(merchant, id.as_str(), &details).await?;
            let (items, total) = cards.remove(&id).unwrap_or_default();
            let cards = Page { window, items: self.facts_of(merchant, items).await?, total };
            shown.push(Customer { id, created_at, profile, cards, default_card });
        }
        Ok(shown)
    }

    async fn facts_of(&self, merchant: &Merchant, cards: Vec<StoredCard>) -> Result<Vec<CardFacts>, Failure> {
        let mut shown = Vec::with_capacity(cards.len());
        for card in cards {
            let details = self.details(merchant, card.id.as_str(), &card.details).await?;
            shown.push(facts(card, details));
        }
        Ok(shown)
    }
}

/// Why nothing was stored.
fn refusal(updated: Updated, opened: Option<Opened>) -> KeepError {
    match (updated, opened) {
        (Updated::Repeated, _) => KeepError::Mismatch,
        (Updated::UnknownCard, _) => KeepError::UnknownCard,
        (Updated::Used(by), Some(Opened { token, .. })) => KeepError::Used { token, by },
        (Updated::UnknownToken | Updated::Used(_), _) => KeepError::UnknownToken,
        (Updated::Done | Updated::Outdated, _) => KeepError::UnknownCustomer,
    }
}

/// Why a customer was not made or not changed.
#[derive(Debug, Error)]
pub enum KeepError {
    /// The vault's own fault.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The request's key was used for another one. The merchant's fault; nothing was used.
    #[error("the key was used for another request")]
    Mismatch,
    /// The customer has no such card. The merchant's fault.
    #[error("there is no such card")]
    UnknownCard,
    /// There is no such customer, or no longer. The merchant's fault.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// There is no such token. The merchant's fault.
    #[error("there is no such token")]
    UnknownToken,
    /// The token has been used. The merchant's fault.
    #[error("token {token} was used for {by}")]
    Used {
        /// The token.
        token: TokenId,
        /// What used it.
        by: UsedBy,
    },
}

impl From<StoreError> for KeepError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
