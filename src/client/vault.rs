//! The flow from a card to a token.

use std::future::{Future, ready};

use super::cardseal::Billing;
use super::connection::{Connection, Pending};
use super::omise::Omise;
use super::sealed::Sealed;
use super::{Error, Pkey, Policy, Profile, RequestId, Token, Transport, VaultAddress, thales_d1, thales_pci};
use crate::card::Card;
use crate::seal::Algorithm;

/// A vault as one merchant's page sees it, and the token that the page wants of a card.
#[derive(Debug)]
pub struct Vault<T> {
    connection: Connection<T>,
    profile: Profile,
    route: Route,
}

/// The way that a card goes.
#[derive(Debug)]
enum Route {
    /// In a seal, to the vault.
    Sealed(Sealed),
    /// To Omise, past the vault.
    Omise(Omise),
}

impl<T: Transport> Vault<T> {
    /// The vault at `address`, for the merchant with this public key. Nothing is sent yet.
    pub fn new(
        transport: T,
        address: VaultAddress,
        merchant: Pkey,
        policy: Policy,
        profile: Profile,
    ) -> Self {
        let connection = Connection::new(transport, address, &merchant, policy);
        let live = merchant.is_live();
        let route = match profile {
            Profile::Cardseal => Route::Sealed(Sealed::to_vault(merchant, None)),
            Profile::PaymentOptions => Route::Sealed(Sealed::to_vault(merchant, Some(profile))),
            Profile::ThalesPci => {
                Route::Sealed(Sealed::to_vendor(profile, Algorithm::RsaOaep256, live, thales_pci::plaintext))
            }
            Profile::ThalesD1 => {
                Route::Sealed(Sealed::to_vendor(profile, Algorithm::EcdhEs, live, thales_d1::plaintext))
            }
            Profile::Omise => Route::Omise(Omise::default()),
        };
        Self { connection, profile, route }
    }

    /// Which vendor's token a card becomes.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// What is needed before a card can go is fetched ahead of its use, so that the cardholder does not wait for it. A
    /// failure is left to be met, and told, by the call that needs it.
    pub async fn prepare(&self) {
        let Ok(id) = RequestId::random() else { return };
        match &self.route {
            Route::Sealed(sealed) => drop(sealed.prepare(&self.connection, &id).await),
            Route::Omise(omise) => drop(omise.account(&self.connection, &id).await),
        }
    }

    /// Exchanges the card for a token.
    ///
    /// # Errors
    /// [`Error`]
    pub fn tokenize<'a>(
        &'a self,
        card: Card,
        billing: &'a Billing,
        id: &'a RequestId,
    ) -> impl Future<Output = Result<Token, Error>> {
        let made: Pending<'a, Token> = match &self.route {
            Route::Sealed(sealed) => Box::pin(sealed.tokenize(&self.connection, card, billing, id)),
            Route::Omise(omise) => Box::pin(omise.tokenize(&self.connection, card, billing, id)),
        };
        made
    }

    /// Seals the card, for a page that posts the seal itself.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NoSeal`] under a profile that has none.
    pub fn seal<'a>(&'a self, card: Card, id: &'a RequestId) -> impl Future<Output = Result<String, Error>> {
        let sealed: Pending<'a, String> = match &self.route {
            Route::Sealed(sealed) => Box::pin(sealed.seal(&self.connection, card, id)),
            Route::Omise(_) => Box::pin(ready(Err(Error::NoSeal))),
        };
        sealed
    }
}
