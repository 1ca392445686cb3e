//! The flow from a card to a token.

use super::cardseal::{Billing, Native};
use super::connection::Connection;
use super::omise::Omise;
use super::relay::Relay;
use super::{
    Error, Pkey, Policy, Profile, RequestId, Token, Transport, VaultAddress, payment_options, thales_d1,
    thales_pci,
};
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
    /// Sealed to the vault.
    Vault(Native),
    /// Sealed to the vault, which will pass it on to Payment Options.
    PaymentOptions(Native),
    /// Sealed to a vendor, through the vault.
    Relay(Relay),
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
        let route = match profile {
            Profile::Cardseal => Route::Vault(Native::new(merchant, None)),
            Profile::PaymentOptions => Route::PaymentOptions(Native::new(merchant, Some(profile))),
            Profile::ThalesPci => {
                Route::Relay(Relay::new(profile, Algorithm::RsaOaep256, thales_pci::plaintext))
            }
            Profile::ThalesD1 => Route::Relay(Relay::new(profile, Algorithm::EcdhEs, thales_d1::plaintext)),
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
        let _ = match &self.route {
            Route::Vault(native) | Route::PaymentOptions(native) => {
                native.prepare(&self.connection, &id).await
            }
            Route::Relay(relay) => relay.prepare(&self.connection, &id).await,
            Route::Omise(omise) => omise.prepare(&self.connection, &id).await,
        };
    }

    /// Exchanges the card for a token.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn tokenize(&self, card: Card, billing: &Billing, id: &RequestId) -> Result<Token, Error> {
        if let Route::PaymentOptions(_) = self.route {
            payment_options::check(&card, billing)?;
        }
        match &self.route {
            Route::Vault(native) | Route::PaymentOptions(native) => {
                native.tokenize(&self.connection, card, billing, id).await.map(Token::Card)
            }
            Route::Relay(relay) => relay.tokenize(&self.connection, &card, id).await.map(Token::Vendor),
            Route::Omise(omise) => {
                omise.tokenize(&self.connection, &card, billing, id).await.map(Token::Card)
            }
        }
    }

    /// Seals the card, for a page that posts the seal itself.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NoSeal`] under a profile that has none.
    pub async fn seal(&self, card: Card, id: &RequestId) -> Result<String, Error> {
        match &self.route {
            Route::Vault(native) | Route::PaymentOptions(native) => {
                native.seal(&self.connection, card, id).await
            }
            Route::Relay(relay) => relay.seal(&self.connection, &card, id).await,
            Route::Omise(_) => Err(Error::NoSeal),
        }
    }
}
