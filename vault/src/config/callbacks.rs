use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::Address;
use crate::server::TlsFiles;
use crate::vendor::account::{Name, Secret};
use crate::vendor::path;

/// The table `callbacks`: where vendors tell of what happens to their tokens, on a listener of its own that lets in nobody
/// without a certificate of theirs.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// Where it listens.
    pub listen: Address,
    /// Its own certificate.
    pub tls: TlsFiles,
    /// Whose certificates vendors have (PEM); one after the other, if there are several.
    pub client_authority: PathBuf,
    /// Where Thales tells of PCI tokens: it was agreed on with Thales.
    pub thales_pci_path: path::Path,
    /// What D1 asks for an access token with; without it the certificate is enough.
    pub oauth: Option<OAuth>,
}

/// A vendor's credentials (RFC 6749 section 2.3.1).
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Its id.
    pub client_id: Name,
    /// Its secret.
    pub client_secret: Secret,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(deserialize_with = "address")]
    listen: Address,
    tls_cert: PathBuf,
    tls_key: PathBuf,
    client_authority: PathBuf,
    #[serde(default = "thales_pci_path")]
    thales_pci_path: path::Path,
    client_id: Option<Name>,
    client_secret: Option<Secret>,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// Where D1 asks for an access token, if it has to.
pub(crate) const ACCESS_PATH: &str = "/oauth2/token";

#[expect(clippy::expect_used, reason = "the path is written in this file")]
fn thales_pci_path() -> path::Path {
    path::Path::parse("/tsh-cof/notify-token-update").expect("a path")
}

impl<'de> Deserialize<'de> for Callbacks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let oauth = match (given.client_id, given.client_secret) {
            (Some(client_id), Some(client_secret)) => Some(OAuth { client_id, client_secret }),
            (None, None) => None,
            _ => return Err(de::Error::custom("client_id and client_secret belong together")),
        };
        if given.thales_pci_path.as_str() == ACCESS_PATH {
            return Err(de::Error::custom("thales_pci_path is where access tokens are asked for"));
        }
        Ok(Self {
            listen: given.listen,
            tls: TlsFiles { certificate: given.tls_cert, key: given.tls_key },
            client_authority: given.client_authority,
            thales_pci_path: given.thales_pci_path,
            oauth,
        })
    }
}

impl Callbacks {
    /// Shows every setting but the secret, by its key.
    pub(super) fn shown(&self, show: &mut impl FnMut(&str, String)) {
        let Self { listen, tls: TlsFiles { certificate, key }, client_authority, thales_pci_path, oauth } =
            self;
        show("callbacks.listen", listen.to_string());
        show("callbacks.tls_cert", certificate.display().to_string());
        show("callbacks.tls_key", key.display().to_string());
        show("callbacks.client_authority", client_authority.display().to_string());
        show("callbacks.thales_pci_path", thales_pci_path.to_string());
        if let Some(OAuth { client_id, .. }) = oauth {
            show("callbacks.client_id", client_id.as_str().into());
        }
    }
}
