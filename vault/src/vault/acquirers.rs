//! Who takes a merchant's charges.

use std::sync::Arc;

use cardseal::client::Profile;

use super::{Failure, Vault};
use crate::acquirer::{Acquirer, Name, Omise, PaymentOptions};
use crate::merchant::Merchant;
use crate::vendor::Account;

impl Vault {
    /// Who takes a merchant's charges from now on: the vendor that its operator said, or the built-in acquirer for tests;
    /// nobody if no acquirer is set up.
    pub(super) async fn charging_acquirer(
        &self,
        merchant: &Merchant,
    ) -> Result<Option<(Name, Arc<dyn Acquirer>)>, Failure> {
        match self.charging_account(merchant).await? {
            Some(account) => self.acquirer_at(merchant, &account).await,
            None => Ok(self.acquirers.of(merchant.mode).map(|acquirer| (Name::Test, acquirer))),
        }
    }

    /// Who was asked to take a merchant's charges before; none if it is not set up any more.
    pub(super) async fn acquirer_named(
        &self,
        merchant: &Merchant,
        name: Name,
    ) -> Result<Option<Arc<dyn Acquirer>>, Failure> {
        let profile = match name {
            Name::Omise => Profile::Omise,
            Name::PaymentOptions => Profile::PaymentOptions,
            Name::Test => return Ok(self.acquirers.of(merchant.mode)),
        };
        let Some(account) = self.account(merchant, profile).await? else { return Ok(None) };
        Ok(self.acquirer_at(merchant, &account).await?.map(|(_, acquirer)| acquirer))
    }

    /// The vendor of an account, if it takes charges.
    async fn acquirer_at(
        &self,
        merchant: &Merchant,
        account: &Account,
    ) -> Result<Option<(Name, Arc<dyn Acquirer>)>, Failure> {
        let (settings, mode) = (&self.vendors.settings, merchant.mode);
        Ok(match account {
            Account::Omise(account) => {
                let client = self.vendors.client().await?;
                let omise = Omise::new(client, settings.omise(mode), account);
                omise.map(|omise| (Name::Omise, Arc::new(omise) as Arc<dyn Acquirer>))
            }
            Account::PaymentOptions(account) => {
                let client = self.vendors.client().await?;
                let options = PaymentOptions::new(client, settings.payment_options(mode), account.clone());
                Some((Name::PaymentOptions, Arc::new(options)))
            }
            Account::ThalesD1(_) | Account::ThalesPci(_) => None,
        })
    }
}
