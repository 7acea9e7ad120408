//! Where things are, and what the project's own files say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What plain workerd needs to know of `wrangler.toml`.
#[derive(Deserialize)]
pub(crate) struct Wrangler {
    pub(crate) name: String,
    pub(crate) compatibility_date: String,
    #[serde(default)]
    pub(crate) vars: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub(crate) durable_objects: DurableObjects,
}

#[derive(Default, Deserialize)]
pub(crate) struct DurableObjects {
    pub(crate) bindings: Vec<ObjectBinding>,
}

#[derive(Deserialize)]
pub(crate) struct ObjectBinding {
    pub(crate) name: String,
    pub(crate) class_name: String,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
}

impl Wrangler {
    /// The same for a Worker that needs nothing of the platform.
    pub(crate) fn without_bindings(self) -> Self {
        Self {
            vars: BTreeMap::new(),
            durable_objects: DurableObjects {
                bindings: Vec::new(),
            },
            ..self
        }
    }
}

/// The checkout's top folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// What npm put under `node_modules/.bin`.
pub(crate) fn npm_bin(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// What the Worker in `folder` is, as its `wrangler.toml` says.
pub(crate) fn wrangler(folder: &Path) -> Result<Wrangler> {
    read_toml(&folder.join("wrangler.toml"))
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
