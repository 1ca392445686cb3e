//! Stand-ins of the vendors, and a vault's way to them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cardseal::client::Profile;
use cardseal_sandbox::{Sandbox, handover};
use cardseal_vault::keys::Sha256Digest;
use cardseal_vault::merchant::{Merchant, Mode};
use cardseal_vault::vendor::Account as VendorAccount;
use cardseal_vault::vendor::settings::Settings;
use tempfile::TempDir;

use super::home::Home;
use super::operator;
use super::{Account, Asked, NOON};

/// All four, each at a port of its own.
pub(crate) struct Vendors {
    pub(crate) sandbox: Arc<Sandbox>,
    folder: TempDir,
}

impl Vendors {
    pub(crate) async fn start() -> Self {
        let vendors = Self { sandbox: Sandbox::start().await.unwrap(), folder: tempfile::tempdir().unwrap() };
        handover::write(vendors.folder.path(), &vendors.sandbox, "http://127.0.0.1").unwrap();
        vendors
    }

    /// A file that the settings name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// The tables of a vault's file that lead there.
    pub(crate) fn tables(&self) -> String {
        fs::read_to_string(self.path("vendors.toml")).unwrap()
    }

    /// The same as a vault reads them.
    pub(crate) fn settings(&self) -> Settings {
        #[derive(serde::Deserialize)]
        struct Tables {
            vendors: Settings,
        }
        toml::from_str::<Tables>(&self.tables()).unwrap().vendors
    }

    /// What a vendor gives to a merchant, as its operator writes it.
    pub(crate) fn account(&self, profile: Profile) -> String {
        fs::read_to_string(self.path(&format!("account-{}.toml", profile.as_str()))).unwrap()
    }

    /// Connects a merchant with a vendor.
    pub(crate) async fn connect(&self, asked: &Asked, account: &Account, profile: Profile) {
        self.connect_with(asked, account, profile, &self.account(profile)).await;
    }

    /// The same, and the merchant's charges go there.
    pub(crate) async fn connect_for_charges(&self, asked: &Asked, account: &Account, profile: Profile) {
        let text = format!("{}takes_charges = true\n", self.account(profile));
        self.connect_with(asked, account, profile, &text).await;
    }

    /// The same with what an operator wrote.
    pub(crate) async fn connect_with(&self, asked: &Asked, account: &Account, profile: Profile, text: &str) {
        let merchant = asked.holder(account).await;
        let account = VendorAccount::parse(profile, text, Mode::Test).unwrap();
        asked.vault.connect(&merchant, &account, operator()).await.unwrap();
    }
}

impl Asked {
    /// A vault that finds the stand-ins.
    pub(crate) async fn reaching(vendors: &Vendors) -> Self {
        Self::new_with(|setup| setup.vendors = vendors.settings()).await
    }

    /// A vault where another process kept its things before.
    pub(crate) async fn reopened(home: Home, vendors: &Vendors) -> Self {
        let clock = Arc::new(AtomicU64::new(NOON));
        Self::open(Arc::new(home), clock, |setup| setup.vendors = vendors.settings()).await
    }

    /// The merchant that an account is of.
    pub(crate) async fn holder(&self, account: &Account) -> Merchant {
        let hash = Sha256Digest::of(account.public_key.as_bytes());
        self.vault.key_holder(hash).await.unwrap().unwrap().0
    }
}
