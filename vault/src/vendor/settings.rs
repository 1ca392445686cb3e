//! Where the vendors are: the tables `vendors` of the vault's file. What a vendor's documents do not say for certain is a
//! setting here, with what is likely as its default.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

use super::ByMode;
use super::account::Name;
use super::client_key::ClientKey;
use super::path::{MerchantPath, Path as UrlPath, TokenPath};
use crate::merchant::{Mode, Origin};

/// All of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Omise; its own addresses, if nothing else is said.
    pub omise: ByMode<Omise>,
    /// Payment Options; its own addresses, if nothing else is said.
    pub payment_options: ByMode<PaymentOptions>,
    /// Thales D1.
    pub thales_d1: ByMode<ThalesD1>,
    /// Thales's PCI tokens.
    pub thales_pci: ByMode<ThalesPci>,
}

/// Omise. Test and live cards go to the same servers there.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Omise {
    /// Takes charges.
    pub api_url: BaseUrl,
    /// Takes cards.
    pub vault_url: BaseUrl,
}

impl Default for Omise {
    fn default() -> Self {
        Self { api_url: known("https://api.omise.co"), vault_url: known("https://vault.omise.co") }
    }
}

/// Payment Options.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentOptions {
    /// Its server, without the path that begins with `/api/v1`.
    pub url: BaseUrl,
    /// The vault's own address, as Payment Options reaches it. Without it no holder is sent to their bank (3-D Secure).
    #[serde(default)]
    pub callback_url: Option<BaseUrl>,
    /// What its status call finds purchases by.
    #[serde(default)]
    pub status_by: StatusBy,
}

/// What Payment Options' status call finds purchases by. Its documents name the transaction's id; whether the merchant's
/// own reference does too is Payment Options' to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusBy {
    /// The reference too: a purchase that is not found by it was never made.
    MerchantTxnRef,
    /// Perhaps only the transaction's id: the reference is tried, and that it is not found proves nothing. A charge whose
    /// answer was lost may then stay pending until somebody looks at Payment Options.
    #[default]
    TransactionId,
}

impl StatusBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::MerchantTxnRef => "merchant_txn_ref",
            Self::TransactionId => "transaction_id",
        }
    }
}

/// Thales D1, as it was agreed on with Thales.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThalesD1 {
    /// Its server.
    pub url: BaseUrl,
    /// Where access tokens are asked for.
    #[serde(default = "access_path")]
    pub access_path: UrlPath,
    /// Where a merchant's tokens are.
    #[serde(default = "d1_tokens_path")]
    pub tokens_path: MerchantPath,
    /// The member of the body that the sealed card is in.
    #[serde(default = "sealed_member")]
    pub sealed_member: Name,
    /// The operator's merchant gateway.
    pub gateway: Name,
    /// The key that assertions are signed with, on P-256, PKCS#8, DER or PEM.
    pub signing_key: PathBuf,
    /// Its name at Thales.
    pub signing_kid: String,
    /// The keys that cards are sealed to, a JWK or a JWK Set.
    pub sealing_keys: PathBuf,
    /// Whose signature the vendor's certificate has (PEM); the system's authorities, if nothing is said.
    pub authority: Option<PathBuf>,
    /// The vault's own certificate (PEM), with those that lead to the authority that the vendor knows.
    pub client_cert: PathBuf,
    /// Its private key.
    pub client_key: ClientKey,
}

/// Thales's PCI tokens, as they were agreed on with Thales.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThalesPci {
    /// The server, with what comes before `/pci-tokens`.
    pub url: BaseUrl,
    /// Where tokens are.
    #[serde(default = "pci_tokens_path")]
    pub tokens_path: UrlPath,
    /// Where the card behind a token is; nowhere, if nothing is said.
    pub detokenize_path: Option<TokenPath>,
    /// The member of the body that the merchant's id is in.
    #[serde(default = "merchant_member")]
    pub merchant_member: Name,
    /// The member of the body that the sealed card is in.
    #[serde(default = "sealed_member")]
    pub sealed_member: Name,
    /// The certificate (PEM) with the RSA key that cards are sealed to.
    pub sealing_cert: PathBuf,
    /// That key's name at Thales.
    pub sealing_kid: String,
    /// Whose signature the vendor's certificate has (PEM); the system's authorities, if nothing is said.
    pub authority: Option<PathBuf>,
    /// The vault's own certificate (PEM), with those that lead to the authority that the vendor knows.
    pub client_cert: PathBuf,
    /// Its private key.
    pub client_key: ClientKey,
}

impl Settings {
    /// Shows every setting that was made, by its key.
    pub(crate) fn shown(&self, show: &mut impl FnMut(&str, String)) {
        let path = |path: &Path| path.display().to_string();
        let Self { omise, payment_options, thales_d1, thales_pci } = self;
        for (mode, of) in omise.each() {
            let mut show = |key, value| show(&format!("vendors.omise.{}.{key}", mode.as_str()), value);
            show("api_url", of.api_url.to_string());
            show("vault_url", of.vault_url.to_string());
        }
        for (mode, of) in payment_options.each() {
            let mut show =
                |key, value| show(&format!("vendors.payment_options.{}.{key}", mode.as_str()), value);
            show("url", of.url.to_string());
            of.callback_url.iter().for_each(|url| show("callback_url", url.to_string()));
            show("status_by", of.status_by.as_str().into());
        }
        for (mode, of) in thales_d1.each() {
            let mut show = |key, value| show(&format!("vendors.thales_d1.{}.{key}", mode.as_str()), value);
            show("url", of.url.to_string());
            show("access_path", of.access_path.to_string());
            show("tokens_path", of.tokens_path.to_string());
            show("sealed_member", of.sealed_member.as_str().into());
            show("gateway", of.gateway.as_str().into());
            show("signing_key", path(&of.signing_key));
            show("signing_kid", of.signing_kid.clone());
            show("sealing_keys", path(&of.sealing_keys));
            of.authority.iter().for_each(|authority| show("authority", path(authority)));
            show("client_cert", path(&of.client_cert));
            show("client_key", of.client_key.to_string());
        }
        for (mode, of) in thales_pci.each() {
            let mut show = |key, value| show(&format!("vendors.thales_pci.{}.{key}", mode.as_str()), value);
            show("url", of.url.to_string());
            show("tokens_path", of.tokens_path.to_string());
            of.detokenize_path.iter().for_each(|path| show("detokenize_path", path.to_string()));
            show("merchant_member", of.merchant_member.as_str().into());
            show("sealed_member", of.sealed_member.as_str().into());
            show("sealing_cert", path(&of.sealing_cert));
            show("sealing_kid", of.sealing_kid.clone());
            of.authority.iter().for_each(|authority| show("authority", path(authority)));
            show("client_cert", path(&of.client_cert));
            show("client_key", of.client_key.to_string());
        }
    }

    /// Where Omise is for merchants of this mode.
    #[must_use]
    pub fn omise(&self, mode: Mode) -> Omise {
        self.omise.of(mode).cloned().unwrap_or_default()
    }

    /// Where Payment Options is for merchants of this mode.
    #[must_use]
    pub fn payment_options(&self, mode: Mode) -> PaymentOptions {
        let own = || match mode {
            Mode::Live => known("https://api.paymentoptions.com"),
            Mode::Test => known("https://api-dev.paymentoptions.com"),
        };
        self.payment_options.of(mode).cloned().unwrap_or_else(|| PaymentOptions {
            url: own(),
            callback_url: None,
            status_by: StatusBy::default(),
        })
    }
}

/// Where a server is: `https://host[:port][/path]`, or `http://` on this very machine. Without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: Origin,
    path: String,
}

impl BaseUrl {
    /// Scheme, host and port.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The address of something there; `path` begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let authority = text.find("://").ok_or(NotABaseUrl)? + 3;
        let path = text[authority..].find('/').map_or(text.len(), |slash| authority + slash);
        let origin = Origin::parse(&text[..path]).map_err(|_| NotABaseUrl)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let is_plain = text[path..].bytes().all(allowed) && !text[path..].contains("..");
        if is_plain && origin.is_secure() {
            Ok(Self { origin, path: text[path..].into() })
        } else {
            Err(NotABaseUrl)
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin, self.path)
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Not where a server is. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a vendor's address is https://host[:port][/path]; http:// is for this very machine")]
pub struct NotABaseUrl;

#[expect(clippy::expect_used, reason = "the addresses are written in this file")]
fn known(url: &str) -> BaseUrl {
    url.parse().expect("an address")
}

#[expect(clippy::expect_used, reason = "the path is written in this file")]
fn access_path() -> UrlPath {
    UrlPath::parse("/authz/v1/oauth2/token").expect("a path")
}

#[expect(clippy::expect_used, reason = "the path is written in this file")]
fn d1_tokens_path() -> MerchantPath {
    MerchantPath::parse("/merchant-gateways/{gateway}/merchants/{merchant}/tokens").expect("a path")
}

#[expect(clippy::expect_used, reason = "the path is written in this file")]
fn pci_tokens_path() -> UrlPath {
    UrlPath::parse("/pci-tokens").expect("a path")
}

#[expect(clippy::expect_used, reason = "the name is written in this file")]
fn merchant_member() -> Name {
    Name::parse("merchantId").expect("a name")
}

#[expect(clippy::expect_used, reason = "the name is written in this file")]
fn sealed_member() -> Name {
    Name::parse("encryptedData").expect("a name")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_known_address_is_one() {
        for mode in [Mode::Live, Mode::Test] {
            let settings = Settings::default();
            assert_eq!(settings.omise(mode).vault_url.join("/tokens"), "https://vault.omise.co/tokens");
            assert!(settings.payment_options(mode).url.join("").ends_with(".paymentoptions.com"));
        }
    }

    #[test]
    fn what_payment_options_documents_leave_open_is_taken_for_the_worse() {
        let read =
            |more: &str| toml::from_str::<PaymentOptions>(&format!("url = \"https://a.example\"\n{more}"));
        let bare = read("").unwrap();
        assert_eq!((bare.status_by, bare.callback_url), (StatusBy::TransactionId, None));
        let whole = "callback_url = \"https://vault.example\"\nstatus_by = \"merchant_txn_ref\"";
        let whole = read(whole).unwrap();
        assert_eq!(whole.status_by, StatusBy::MerchantTxnRef);
        assert_eq!(whole.callback_url.unwrap().join("/callbacks"), "https://vault.example/callbacks");
        for wrong in ["status_by = \"amount\"", "callback_url = \"http://vault.example\"", "status = 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_secure_and_plain() {
        for text in
            ["https://thales.example/tsh-cof", "https://thales.example:8443/a/b/", "http://127.0.0.1:80/a"]
        {
            assert!(text.parse::<BaseUrl>().is_ok(), "{text}");
        }
        let path: BaseUrl = "https://thales.example/tsh-cof/".parse().unwrap();
        assert_eq!(path.join("/pci-tokens"), "https://thales.example/tsh-cof/pci-tokens");
        for text in [
            "http://thales.example",
            "https://thales.example/../a",
            "https://u@thales.example",
            "thales",
            "https://thales.example/a?b",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
    }
}
