//! Who takes a merchant's charges.

use std::sync::Arc;

use super::{Failure, Vault};
use crate::acquirer::{Acquirer, Name};
use crate::merchant::Merchant;

impl Vault {
    /// Who takes a merchant's charges from now on: nobody if no acquirer is set up.
    pub(super) async fn charging_acquirer(
        &self,
        merchant: &Merchant,
    ) -> Result<Option<(Name, Arc<dyn Acquirer>)>, Failure> {
        Ok(self.acquirers.of(merchant.mode).map(|acquirer| (Name::Test, acquirer)))
    }

    /// Who was asked to take a merchant's charges before; none if it is not set up any more.
    pub(super) async fn acquirer_named(
        &self,
        merchant: &Merchant,
        name: Name,
    ) -> Result<Option<Arc<dyn Acquirer>>, Failure> {
        match name {
            Name::Test => Ok(self.acquirers.of(merchant.mode)),
            Name::Omise | Name::PaymentOptions => Ok(None),
        }
    }
}
