//! The files that browsers load from the vault: read once, checked against their inventory, held in memory.

mod asset;
mod integrity;
mod path;
mod release;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::locale::Locale;

pub use asset::{Asset, Coding, Form, Kind, Naming};
pub use integrity::{Integrity, NoIntegrity};
pub use path::{AssetPath, NoAssetPath};
pub use release::{Release, ReleaseError};

pub(crate) use asset::CROSS_ORIGIN_RESOURCE_POLICY;

/// What is served: the current release, and the files of older ones that pages may still name.
#[derive(Debug)]
pub struct Assets {
    /// By name under `/v1/`. A request's path is only ever looked up here, so it leads to no other file.
    named: HashMap<String, Named>,
    frame: FrameFiles,
}

/// A file under one of its names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The file.
    pub asset: Arc<Asset>,
    /// Which name it is.
    pub naming: Naming,
}

/// The files that the vault's own pages name.
#[derive(Clone, Debug)]
pub struct FrameFiles {
    /// The frame's script.
    pub script: Arc<Asset>,
    /// The script of the page for those who get no frame.
    pub refused: Arc<Asset>,
    /// The form.
    pub wasm: Arc<Asset>,
    locales: [(Locale, Arc<Asset>); 3],
}

impl Assets {
    /// Takes the current release's folder, which has both names of each file, and those of older releases, of which
    /// only the hashed names go on being served.
    ///
    /// # Errors
    /// [`ReleaseError`]
    pub fn load<P: AsRef<Path>>(current: &Path, older: &[P]) -> Result<Self, ReleaseError> {
        let current = Release::load(current)?;
        let mut named = HashMap::new();
        let mut add = |asset: &Arc<Asset>, naming| {
            named.insert(asset.name(naming), Named { asset: Arc::clone(asset), naming });
        };
        for dir in older {
            Release::load(dir.as_ref())?.assets().for_each(|asset| add(asset, Naming::Hashed));
        }
        for asset in current.assets() {
            add(asset, Naming::Hashed);
            add(asset, Naming::Stable);
        }
        Ok(Self { named, frame: FrameFiles::of(&current)? })
    }

    /// The file with this name under `/v1/`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Named> {
        self.named.get(name)
    }

    /// The file with this name and these bytes, of whichever release.
    #[must_use]
    pub fn of_digest(&self, name: &str, digest: Integrity) -> Option<Named> {
        let Named { asset, naming } = self.get(&asset::hashed_name(name, &digest)?)?;
        (asset.form(Coding::Identity).integrity == digest)
            .then(|| Named { asset: Arc::clone(asset), naming: *naming })
    }

    /// What the current release's pages name.
    #[must_use]
    pub const fn frame(&self) -> &FrameFiles {
        &self.frame
    }
}

impl FrameFiles {
    /// Those of a release.
    ///
    /// # Errors
    /// [`ReleaseError::Missing`]
    pub fn of(release: &Release) -> Result<Self, ReleaseError> {
        let [en, ja, th] = Locale::ALL;
        let texts = |locale: Locale| {
            release.needed(&format!("locales/{}.json", locale.tag())).map(|asset| (locale, asset))
        };
        Ok(Self {
            script: release.needed("frame.js")?,
            refused: release.needed("refused.js")?,
            wasm: release.needed("cardseal_bg.wasm")?,
            locales: [texts(en)?, texts(ja)?, texts(th)?],
        })
    }

    /// The form's texts, a file a language.
    pub fn locales(&self) -> impl Iterator<Item = (Locale, &Asset)> {
        self.locales.iter().map(|(locale, asset)| (*locale, &**asset))
    }
}
