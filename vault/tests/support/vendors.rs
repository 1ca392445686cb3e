//! Stand-ins of the vendors, and a vault's way to them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cardseal::client::Profile;
use cardseal_sandbox::Sandbox;
use cardseal_sandbox::certificates::Identity;
use cardseal_vault::audit::Actor;
use cardseal_vault::keys::Sha256Digest;
use cardseal_vault::merchant::{Merchant, Mode};
use cardseal_vault::vendor::Account as VendorAccount;
use cardseal_vault::vendor::settings::Settings;
use tempfile::TempDir;

use super::home::Home;
use super::{Account, Asked, NOON};

/// All four, each at a port of its own.
pub(crate) struct Vendors {
    pub(crate) sandbox: Arc<Sandbox>,
    folder: TempDir,
}

impl Vendors {
    pub(crate) async fn start() -> Self {
        let vendors = Self { sandbox: Sandbox::start().await.unwrap(), folder: tempfile::tempdir().unwrap() };
        let (pci, d1) = (&vendors.sandbox.thales_pci.credentials, &vendors.sandbox.thales_d1.credentials);
        vendors.write("pci-authority.pem", pci.authority.as_bytes());
        vendors.write("pci-sealing.pem", pci.certificate.as_bytes());
        vendors.write_identity("pci", &pci.client);
        vendors.write("d1-authority.pem", d1.authority.as_bytes());
        vendors.write("d1-sealing.json", d1.sealing_key.to_string().as_bytes());
        vendors.write("d1-signing.der", &d1.signing_key);
        vendors.write_identity("d1", &d1.client);
        vendors
    }

    /// A file that the settings name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn write_identity(&self, name: &str, Identity { certificate, key }: &Identity) {
        self.write(&format!("{name}-client.pem"), certificate.as_bytes());
        self.write(&format!("{name}-client-key.pem"), key.as_bytes());
    }

    /// The tables of a vault's file that lead there.
    pub(crate) fn tables(&self) -> String {
        let Sandbox { omise, payment_options, thales_d1, thales_pci } = &*self.sandbox;
        let path = |name| self.path(name).display().to_string();
        format!(
            r#"
            [vendors.omise.test]
            api_url = "{omise}"
            vault_url = "{omise}"

            [vendors.payment_options.test]
            url = "{payment_options}"

            [vendors.thales_d1.test]
            url = "{thales_d1}"
            gateway = "{gateway}"
            signing_key = "{signing_key}"
            signing_kid = "{signing_kid}"
            sealing_keys = "{d1_sealing}"
            authority = "{d1_authority}"
            client_cert = "{d1_cert}"
            client_key = "{d1_key}"

            [vendors.thales_pci.test]
            url = "{thales_pci}/tsh-cof"
            detokenize_path = "/pci-tokens/{{token}}/detokenize"
            sealing_cert = "{pci_sealing}"
            sealing_kid = "{pci_kid}"
            authority = "{pci_authority}"
            client_cert = "{pci_cert}"
            client_key = "{pci_key}"
            "#,
            omise = omise.server.url(),
            payment_options = payment_options.server.url(),
            thales_d1 = thales_d1.server.url(),
            gateway = thales_d1.credentials.merchant_gateway_id,
            signing_key = path("d1-signing.der"),
            signing_kid = thales_d1.credentials.signing_kid,
            d1_sealing = path("d1-sealing.json"),
            d1_authority = path("d1-authority.pem"),
            d1_cert = path("d1-client.pem"),
            d1_key = path("d1-client-key.pem"),
            thales_pci = thales_pci.server.url(),
            pci_sealing = path("pci-sealing.pem"),
            pci_kid = thales_pci.credentials.kid,
            pci_authority = path("pci-authority.pem"),
            pci_cert = path("pci-client.pem"),
            pci_key = path("pci-client-key.pem"),
        )
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
        let Sandbox { omise, payment_options, thales_d1, thales_pci } = &*self.sandbox;
        match profile {
            Profile::Cardseal => unreachable!("no vendor"),
            Profile::Omise => format!(
                "public_key = \"{}\"\nsecret_key = \"{}\"\n",
                omise.credentials.public_key, omise.credentials.secret_key
            ),
            Profile::PaymentOptions => format!(
                "merchant_id = \"{}\"\napi_key = \"{}\"\n",
                payment_options.credentials.merchant_id, payment_options.credentials.api_key
            ),
            Profile::ThalesD1 => format!("merchant_id = \"{}\"\n", thales_d1.credentials.merchant_id),
            Profile::ThalesPci => format!(
                "merchant_id = \"{}\"\napi_key = \"{}\"\n",
                thales_pci.credentials.merchant_id, thales_pci.credentials.api_key
            ),
        }
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
        asked.vault.connect(&merchant, &account, Actor::Operator).await.unwrap();
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
