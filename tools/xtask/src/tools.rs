//! The pinned tools. What cargo installs goes to the user's cache folder, keyed by name and
//! version, so that it outlives the checkout; what npm installs is pinned by the lock file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::workspace;

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_DENY: &str = "0.20.2";
const MDBOOK: &str = "0.5.4";

/// Installs whatever is missing. Says nothing when nothing is.
pub(crate) fn install() -> Result<()> {
    npm_packages()?;
    wasm_target()?;
    wasm_bindgen()?;
    Ok(())
}

/// Must be of exactly the version that the Worker is linked with.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let version = workspace::locked_version("wasm-bindgen")?;
    cargo_installed("wasm-bindgen-cli", "wasm-bindgen", &version, &[])
}

/// Drives libFuzzer. Not among what [`install`] installs, as only fuzzing needs it.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_installed("cargo-fuzz", "cargo-fuzz", CARGO_FUZZ, &[])
}

/// Looks at what is depended on. Not among what [`install`] installs, as only checks need it.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_installed("cargo-deny", "cargo-deny", CARGO_DENY, &[])
}

/// Makes the site of the documentation. Not among what [`install`] installs either.
pub(crate) fn mdbook() -> Result<PathBuf> {
    // Without what serves and watches, which takes as long again to build.
    let features = ["--no-default-features", "--features", "search"];
    cargo_installed("mdbook", "mdbook", MDBOOK, &features)
}

fn wasm_target() -> Result<()> {
    let mut rustc = command("rustc")?;
    rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let found = rustc.output().context("rustc")?.stdout;
    if PathBuf::from(String::from_utf8(found)?.trim()).is_dir() {
        return Ok(());
    }
    run(command("rustup")?.args(["target", "add", WASM_TARGET]))
        .context("the Rust target for wasm32 is missing and rustup could not add it")
}

fn npm_packages() -> Result<()> {
    let wanted = fs::read(workspace::root().join("package-lock.json"))?;
    // npm keeps no copy of the lock file that it installed from: we do.
    let stamp = workspace::root().join("node_modules/.installed-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(command("npm")?.args(["ci", "--no-audit", "--no-fund"]))
        .context("Node and npm are needed: see the README")?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Where tools are kept for this user.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = dirs::cache_dir().context("there is no cache folder: set XDG_CACHE_HOME")?;
    Ok(cache.join("coral-discovery/tools"))
}

fn cargo_installed(
    package: &str,
    binary: &str,
    version: &str,
    features: &[&str],
) -> Result<PathBuf> {
    let folder = cache()?.join(format!("{package}-{version}"));
    let installed = folder.join("bin").join(binary);
    if installed.is_file() {
        return Ok(installed);
    }
    eprintln!("installing {package} {version} for this user, once: it takes some minutes");
    let install = || -> Result<_> {
        let mut install = command("cargo")?;
        install
            .args(["install", "--version", version, "--root"])
            .arg(&folder)
            .args(features);
        Ok(install)
    };
    let locked = run(install()?.args(["--locked", package]));
    if let Err(error) = locked {
        // A registry mirror may lack a version that the tool's own lock file names.
        eprintln!("{error:#}: trying again with other versions of what it depends on");
        run(install()?.arg(package))?;
    }
    Ok(installed)
}
