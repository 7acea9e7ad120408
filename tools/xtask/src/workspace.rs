//! The workspace: its folders, and the contents of its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Returns the top folder of the checkout.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).unwrap_or(xtask)
}

/// Returns the path of a program that npm installed.
pub(crate) fn npm_bin(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// Reads all files below a folder. Paths are relative to it.
pub(crate) fn read_tree(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let content = fs::read(&path)?;
                files.insert(path.strip_prefix(folder)?.to_path_buf(), content);
            }
        }
    }
    Ok(files)
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// wasm-bindgen describes bindings in a section of the module, whose format changes with each
    /// version.
    #[test]
    fn workers_are_linked_with_the_version_of_wasm_bindgen_that_makes_their_bindings() {
        #[derive(Deserialize)]
        struct Lock {
            package: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            version: String,
        }
        let lock: Lock = read_toml(&root().join("Cargo.lock")).unwrap();
        let locked = |name| {
            let mut packages = lock.package.iter();
            let package = packages.find(|package| package.name == name).unwrap();
            package.version.clone()
        };
        assert_eq!(
            locked("wasm-bindgen-cli-support"),
            locked("wasm-bindgen"),
            "run `cargo update wasm-bindgen wasm-bindgen-cli-support`"
        );
    }

    #[derive(Deserialize)]
    struct Wrangler {
        compatibility_date: String,
    }

    /// With one date, the Worker behaves alike on Cloudflare and on plain workerd.
    #[test]
    fn wrangler_and_workerd_have_the_same_compatibility_date() {
        for folder in ["", "examples/greeter"] {
            let folder = root().join(folder);
            let wrangler: Wrangler = read_toml(&folder.join("wrangler.toml")).unwrap();
            let capnp = fs::read_to_string(folder.join("workerd.capnp")).unwrap();
            let date = format!("compatibilityDate = {:?}", wrangler.compatibility_date);
            assert!(capnp.contains(&date), "{}: {date}", folder.display());
        }
    }

    #[test]
    fn tree_lists_files_by_their_path_in_it() {
        let files = read_tree(&root().join("tools/xtask")).unwrap();
        assert!(files.contains_key(Path::new("Cargo.toml")));
        assert!(files.contains_key(Path::new("src/workspace.rs")));
    }
}
