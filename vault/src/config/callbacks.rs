use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};

use super::Address;
use crate::access::party::{AuthorityError, CertificateName, Party};
use crate::server::TlsFiles;
use crate::vendor::account::{Name, Secret};
use crate::vendor::path;

/// The table `callbacks`: where vendors tell of what happens to their tokens, on a listener of its own that lets in nobody
/// without a certificate of theirs. Each vendor has a table of its own in it, and can tell of nothing but its own tokens.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// Where it listens.
    pub listen: Address,
    /// Its own certificate.
    pub tls: TlsFiles,
    /// Thales D1, if it tells anything.
    pub thales_d1: Option<FromThalesD1>,
    /// Thales's PCI tokens, if anything is told of them.
    pub thales_pci: Option<FromThalesPci>,
}

/// The table `callbacks.thales_d1`.
#[derive(Clone, Debug)]
pub struct FromThalesD1 {
    /// Who it is.
    pub client: Certified,
    /// What it asks for an access token with; without it the certificate is enough.
    pub oauth: Option<OAuth>,
}

/// The table `callbacks.thales_pci`.
#[derive(Clone, Debug)]
pub struct FromThalesPci {
    /// Who it is.
    pub client: Certified,
    /// Where it tells: that was agreed on with Thales.
    pub path: path::Path,
}

/// Whose certificate a vendor shows.
#[derive(Clone, Debug)]
pub struct Certified {
    /// Who has signed it (PEM); one after the other, if there are several.
    pub authority: PathBuf,
    /// The vendor's name in it.
    pub name: CertificateName,
}

/// The same, ready to be compared.
#[derive(Clone, Debug)]
pub struct Parties {
    /// Thales D1.
    pub thales_d1: Option<Party>,
    /// Thales's PCI tokens.
    pub thales_pci: Option<Party>,
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
    thales_d1: Option<GivenD1>,
    thales_pci: Option<GivenPci>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenD1 {
    client_authority: PathBuf,
    client_subject: CertificateName,
    client_id: Option<Name>,
    client_secret: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenPci {
    client_authority: PathBuf,
    client_subject: CertificateName,
    #[serde(default = "thales_pci_path")]
    path: path::Path,
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
        let Given { listen, tls_cert, tls_key, thales_d1, thales_pci } = Given::deserialize(deserializer)?;
        if thales_d1.is_none() && thales_pci.is_none() {
            return Err(de::Error::custom("nobody may tell anything: thales_d1 or thales_pci is missing"));
        }
        let thales_d1 = match thales_d1 {
            None => None,
            Some(GivenD1 { client_authority, client_subject, client_id, client_secret }) => {
                let oauth = match (client_id, client_secret) {
                    (Some(client_id), Some(client_secret)) => Some(OAuth { client_id, client_secret }),
                    (None, None) => None,
                    _ => return Err(de::Error::custom("client_id and client_secret belong together")),
                };
                let client = Certified { authority: client_authority, name: client_subject };
                Some(FromThalesD1 { client, oauth })
            }
        };
        let thales_pci = thales_pci.map(|GivenPci { client_authority, client_subject, path }| {
            FromThalesPci { client: Certified { authority: client_authority, name: client_subject }, path }
        });
        if thales_pci.as_ref().is_some_and(|pci| pci.path.as_str() == ACCESS_PATH) {
            return Err(de::Error::custom("thales_pci.path is where access tokens are asked for"));
        }
        let tls = TlsFiles { certificate: tls_cert, key: tls_key };
        Ok(Self { listen, tls, thales_d1, thales_pci })
    }
}

impl Callbacks {
    /// The files with the authorities of all vendors.
    #[must_use]
    pub fn authorities(&self) -> Vec<&Path> {
        let clients =
            [self.thales_d1.as_ref().map(|d1| &d1.client), self.thales_pci.as_ref().map(|pci| &pci.client)];
        clients.into_iter().flatten().map(|client| client.authority.as_path()).collect()
    }

    /// Who each vendor is.
    ///
    /// # Errors
    /// [`AuthorityError`]
    pub fn parties(&self) -> Result<Parties, AuthorityError> {
        let party = |Certified { authority, name }: &Certified| Party::read(authority, name.clone());
        Ok(Parties {
            thales_d1: self.thales_d1.as_ref().map(|d1| party(&d1.client)).transpose()?,
            thales_pci: self.thales_pci.as_ref().map(|pci| party(&pci.client)).transpose()?,
        })
    }

    /// Shows every setting but the secret, by its key.
    pub(super) fn shown(&self, show: &mut impl FnMut(&str, String)) {
        let Self { listen, tls: TlsFiles { certificate, key }, thales_d1, thales_pci } = self;
        show("callbacks.listen", listen.to_string());
        show("callbacks.tls_cert", certificate.display().to_string());
        show("callbacks.tls_key", key.display().to_string());
        if let Some(FromThalesD1 { client, oauth }) = thales_d1 {
            client.shown("callbacks.thales_d1", show);
            if let Some(OAuth { client_id, .. }) = oauth {
                show("callbacks.thales_d1.client_id", client_id.as_str().into());
            }
        }
        if let Some(FromThalesPci { client, path }) = thales_pci {
            client.shown("callbacks.thales_pci", show);
            show("callbacks.thales_pci.path", path.to_string());
        }
    }
}

impl Certified {
    fn shown(&self, table: &str, show: &mut impl FnMut(&str, String)) {
        show(&format!("{table}.client_authority"), self.authority.display().to_string());
        show(&format!("{table}.client_subject"), self.name.as_str().into());
    }
}
