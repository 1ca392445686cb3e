//! A released folder, `pkg/`, every file of it checked.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use serde::Deserialize;
use thiserror::Error;

use super::asset::{Asset, Form, Kind};
use super::integrity::Integrity;
use super::path::AssetPath;

/// The files of one release that browsers load, each as `integrity.json` says it is.
#[derive(Clone, Debug)]
pub struct Release {
    dir: PathBuf,
    version: String,
    assets: BTreeMap<AssetPath, Arc<Asset>>,
}

impl Release {
    /// Reads a folder and checks every file that its `integrity.json` names, precompressed forms included.
    ///
    /// # Errors
    /// [`ReleaseError`]
    pub fn load(dir: &Path) -> Result<Self, ReleaseError> {
        let path = dir.join("integrity.json");
        let inventory = serde_json::from_slice(&read(&path)?);
        let inventory: Inventory = inventory.map_err(|source| ReleaseError::Inventory { path, source })?;
        let mut assets = BTreeMap::new();
        for Entry { path, digest, encodings } in inventory.files {
            let plain = digest.check(dir.join(path.as_str()))?;
            let Some(encodings) = encodings else { continue };
            let form = |digest: Digest, suffix| digest.check(dir.join(format!("{path}.{suffix}")));
            let asset = Asset {
                kind: Kind::of(&path).ok_or_else(|| ReleaseError::UnknownKind(dir.join(path.as_str())))?,
                brotli: form(encodings.br, "br")?,
                gzip: form(encodings.gzip, "gz")?,
                path: path.clone(),
                plain,
            };
            assets.insert(path, Arc::new(asset));
        }
        Ok(Self { dir: dir.into(), version: inventory.version, assets })
    }

    /// Its version, as `package.json` had it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The files that browsers load, by path.
    pub fn assets(&self) -> impl Iterator<Item = &Arc<Asset>> {
        self.assets.values()
    }

    /// A file that the vault cannot do without.
    pub(super) fn needed(&self, path: &str) -> Result<Arc<Asset>, ReleaseError> {
        let asset = self.assets().find(|asset| asset.path.as_str() == path).cloned();
        asset.ok_or_else(|| ReleaseError::Missing { dir: self.dir.clone(), path: path.into() })
    }
}

/// `integrity.json`, as far as the vault reads it.
#[derive(Deserialize)]
struct Inventory {
    version: String,
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: AssetPath,
    #[serde(flatten)]
    digest: Digest,
    /// There for the files that browsers load, and only for them.
    encodings: Option<Encodings>,
}

#[derive(Deserialize)]
struct Encodings {
    br: Digest,
    gzip: Digest,
}

#[derive(Deserialize)]
struct Digest {
    bytes: usize,
    integrity: Integrity,
}

impl Digest {
    fn check(&self, path: PathBuf) -> Result<Form, ReleaseError> {
        let bytes = Bytes::from(read(&path)?);
        let integrity = Integrity::of(&bytes);
        if bytes.len() == self.bytes && integrity == self.integrity {
            Ok(Form { bytes, integrity })
        } else {
            Err(ReleaseError::Changed(path))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReleaseError> {
    fs::read(path).map_err(|source| ReleaseError::Read { path: path.into(), source })
}

/// Why a folder is not served. The operator's to put right: the released folder, whole and unchanged, is.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// A file is not the one that was released.
    #[error("{path} is not the file that integrity.json names; put the released one back", path = .0.display())]
    Changed(PathBuf),
    /// `integrity.json` cannot be read as what it should be.
    #[error("{path} is no inventory of a release: {source}", path = .path.display())]
    Inventory {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file that the frame needs is not in the inventory.
    #[error("{dir} has no {path}; it takes the folder pkg/ that `cargo xtask build` makes", dir = .dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The file's path in it.
        path: String,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No browser loads a file of this kind.
    #[error("{path} has no media type here; browsers load .js, .mjs, .json and .wasm", path = .0.display())]
    UnknownKind(PathBuf),
}
