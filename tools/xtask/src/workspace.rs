//! Where things are, and what the project's own files say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Lock {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
}

/// The checkout's top folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).unwrap_or(xtask)
}

/// What npm put under `node_modules/.bin`.
pub(crate) fn npm_bin(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// The version of a crate that `Cargo.lock` pins.
pub(crate) fn locked_version(name: &str) -> Result<String> {
    let lock: Lock = read_toml(&root().join("Cargo.lock"))?;
    let package = lock
        .package
        .into_iter()
        .find(|package| package.name == name);
    Ok(package
        .with_context(|| format!("Cargo.lock has no {name}"))?
        .version)
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Wrangler {
        compatibility_date: String,
    }

    /// Cloudflare and plain workerd run the Worker alike.
    #[test]
    fn all_configurations_name_one_compatibility_date() {
        for folder in ["", "examples/greeter"] {
            let folder = root().join(folder);
            let wrangler: Wrangler = read_toml(&folder.join("wrangler.toml")).unwrap();
            let capnp = fs::read_to_string(folder.join("workerd.capnp")).unwrap();
            let date = format!("compatibilityDate = {:?}", wrangler.compatibility_date);
            assert!(capnp.contains(&date), "{}: {date}", folder.display());
        }
    }
}
