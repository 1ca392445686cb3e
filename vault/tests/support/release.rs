//! A released folder in small: the files that the vault needs, each a line of text, with an inventory that fits.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding};
use cardseal_vault::assets::Assets;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The files that browsers load.
pub(crate) const LOADED: [&str; 10] = [
    "cardseal.js",
    "cardseal_bg.wasm",
    "element.js",
    "frame.js",
    "inline.js",
    "locales/en.json",
    "locales/ja.json",
    "locales/th.json",
    "omise.js",
    "refused.js",
];

pub(crate) struct Released {
    dir: TempDir,
    version: &'static str,
}

impl Released {
    pub(crate) fn new(version: &'static str) -> Self {
        let released = Self { dir: tempfile::tempdir().unwrap(), version };
        fs::create_dir(released.path().join("locales")).unwrap();
        let mut files = Vec::new();
        for path in LOADED {
            let [plain, br, gzip] = ["", "br", "gz"].map(|suffix| released.text(path, suffix));
            released.write(path, &plain);
            released.write(&format!("{path}.br"), &br);
            released.write(&format!("{path}.gz"), &gzip);
            let mut entry = entry(path, &plain);
            entry["encodings"] = json!({ "br": digest_of(&br), "gzip": digest_of(&gzip) });
            files.push(entry);
        }
        // No browser loads it.
        released.write("cardseal.d.ts", "export {};");
        files.push(entry("cardseal.d.ts", "export {};"));
        released.write("README.md", "not in the inventory");
        released.write("integrity.json", &json!({ "version": version, "files": files }).to_string());
        released
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn assets(&self) -> Assets {
        Assets::load::<&Path>(self.path(), &[]).unwrap()
    }

    /// What a file holds; its precompressed forms are told by the suffixes of their names. (The vault never looks into
    /// them, so they need not be compressed.)
    pub(crate) fn text(&self, path: &str, suffix: &str) -> String {
        format!("{path} of {} {suffix}", self.version)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.path().join(path), text).unwrap();
    }

    /// Changes the inventory.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut inventory =
            serde_json::from_slice(&fs::read(self.path().join("integrity.json")).unwrap()).unwrap();
        change(&mut inventory);
        self.write("integrity.json", &inventory.to_string());
    }

    /// A file's address under its hashed name.
    pub(crate) fn hashed(&self, path: &str) -> String {
        let digest = digest::digest(&digest::SHA384, self.text(path, "").as_bytes());
        let hash: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let (stem, extension) = path.rsplit_once('.').unwrap();
        format!("/v1/{stem}-{hash}.{extension}")
    }

    /// A file's digest for the attribute `integrity`.
    pub(crate) fn integrity(&self, path: &str) -> String {
        integrity_of(&self.text(path, ""))
    }
}

fn entry(path: &str, text: &str) -> Value {
    let mut entry = digest_of(text);
    entry["path"] = path.into();
    entry["purpose"] = "test".into();
    entry
}

fn digest_of(text: &str) -> Value {
    json!({ "bytes": text.len(), "integrity": integrity_of(text) })
}

fn integrity_of(text: &str) -> String {
    let digest = digest::digest(&digest::SHA384, text.as_bytes());
    format!("sha384-{}", Base64::encode_string(digest.as_ref()))
}
