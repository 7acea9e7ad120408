//! Pinned tools.
//!
//! Tools that cargo installs go to the user's cache folder, keyed by name and version, so that they
//! outlive the checkout. Tools that npm installs are pinned by the lock file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::workspace;

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_DENY: &str = "0.20.2";
const MDBOOK: &str = "0.5.4";

/// Installs missing tools that builds need. Prints nothing if none is missing.
pub(crate) fn install() -> Result<()> {
    npm_packages()?;
    wasm_target()?;
    wasm_bindgen()?;
    Ok(())
}

/// Installs wasm-bindgen, in exactly the version that the Worker is linked with.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let version = workspace::locked_version("wasm-bindgen")?;
    cargo_installed("wasm-bindgen-cli", "wasm-bindgen", &version, &[])
}

/// Installs cargo-fuzz, which runs libFuzzer. Only fuzzing needs it.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_installed("cargo-fuzz", "cargo-fuzz", CARGO_FUZZ, &[])
}

/// Installs cargo-deny, which checks dependencies. Only checks need it.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_installed("cargo-deny", "cargo-deny", CARGO_DENY, &[])
}

/// Installs mdBook, which builds the documentation's site. Only checks need it.
pub(crate) fn mdbook() -> Result<PathBuf> {
    // Without the features `serve` and `watch`, which double the time to build it.
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
        .with_context(|| format!("install the Rust target {WASM_TARGET}: rustup cannot add it"))
}

fn npm_packages() -> Result<()> {
    let wanted = fs::read(workspace::root().join("package-lock.json"))?;
    // npm keeps no copy of the lock file that it installed from, so this function does.
    let stamp = workspace::root().join("node_modules/.installed-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(command("npm")?.args(["ci", "--no-audit", "--no-fund"]))
        .context("install Node and npm: see the README")?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Returns the folder that keeps this user's tools.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = dirs::cache_dir().context("there is no cache folder: set XDG_CACHE_HOME")?;
    Ok(cache.join("coral-discovery/tools"))
}

/// Installs a program with cargo unless that version is in the cache. Returns its path.
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
        eprintln!("{error:#}: retrying without the lock file of {package}");
        run(install()?.arg(package))?;
    }
    Ok(installed)
}
