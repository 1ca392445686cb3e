//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};

/// The repository's top folder.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        // As cargo says at run time: the path at compile time is an old one where the checkout was moved, or where two
        // of them share a target folder.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let package = PathBuf::from(package);
        package.parent().map_or_else(|| package.clone(), Path::to_owned)
    });
    &ROOT
}

/// Where cargo puts what it builds. Every cargo started from here is told so, because a `target-dir` in somebody's
/// own cargo configuration would otherwise make it another folder.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// What outlives a checkout: the tools that cargo installs.
pub(crate) fn cache() -> Result<PathBuf> {
    let folder = match env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute())
    {
        Some(folder) => folder,
        None => {
            env::home_dir().context("HOME is not set, so there is no folder for the tools")?.join(".cache")
        }
    };
    Ok(folder.join("cardseal"))
}

/// The version of `package` in Cargo.lock.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    version_in_lock(&read(&root().join("Cargo.lock"))?, package).map(str::to_owned)
}

/// What a file says.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// The version of `package` in a lock file. Cargo writes it in one fixed form, a `[[package]]` table with one
/// `key = "value"` a line.
pub(crate) fn version_in_lock<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|table| value(table, "name") == Some(package))
        .filter_map(|table| value(table, "version"))
        .collect();
    match versions[..] {
        [version] => Ok(version),
        [] => bail!("Cargo.lock has no {package}"),
        _ => bail!("Cargo.lock has {package} more than once: {}", versions.join(", ")),
    }
}

fn value<'a>(table: &'a str, key: &str) -> Option<&'a str> {
    table.lines().find_map(|line| {
        let (name, value) = line.split_once(" = ")?;
        if name == key { value.strip_prefix('"')?.strip_suffix('"') } else { None }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
source = "registry+https://example.invalid"
dependencies = [
 "cfg-if",
 "wasm-bindgen-macro",
]

[[package]]
name = "wasm-bindgen-macro"
version = "0.2.129"

[[package]]
name = "syn"
version = "1.0.109"

[[package]]
name = "syn"
version = "2.0.119"
"#;

    #[test]
    fn finds_the_version_of_the_package_of_exactly_that_name() {
        assert_eq!(version_in_lock(LOCK, "wasm-bindgen").unwrap(), "0.2.130");
    }

    #[test]
    fn says_when_a_package_is_missing_or_there_twice() {
        assert_eq!(version_in_lock(LOCK, "serde").unwrap_err().to_string(), "Cargo.lock has no serde");
        let twice = version_in_lock(LOCK, "syn").unwrap_err().to_string();
        assert_eq!(twice, "Cargo.lock has syn more than once: 1.0.109, 2.0.119");
    }

    #[test]
    fn the_workspace_is_above_this_package() {
        assert!(root().join("rust-toolchain.toml").is_file());
    }
}
