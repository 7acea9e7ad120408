//! Pinned tools.
//!
//! Tools that cargo installs go to the user's cache folder, keyed by name and version, so that they
//! outlive the checkout. Lock files pin all others: those that npm installs, and libraries.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::node::{self, Node};
use crate::{npm, progress, user_cache, workspace};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_DENY: &str = "0.20.2";
const CARGO_CYCLONEDX: &str = "0.5.9";
const MDBOOK: &str = "0.5.4";

/// Installs missing tools that builds need. Prints nothing if none is missing.
pub(crate) fn install() -> Result<()> {
    wasm_target()?;
    npm_packages()
}

/// Installs cargo-fuzz, which runs libFuzzer. Only fuzzing needs it.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_installed("cargo-fuzz", "cargo-fuzz", CARGO_FUZZ, &[])
}

/// Installs cargo-deny, which checks dependencies. Only `cargo xtask check` needs it.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_installed("cargo-deny", "cargo-deny", CARGO_DENY, &[])
}

/// Installs cargo-cyclonedx, which lists the crates in a bundle. Only `cargo xtask dist` needs it.
pub(crate) fn cargo_cyclonedx() -> Result<PathBuf> {
    cargo_installed("cargo-cyclonedx", "cargo-cyclonedx", CARGO_CYCLONEDX, &[])
}

/// Installs mdBook, which builds the documentation's site. Only `cargo xtask check` needs it.
pub(crate) fn mdbook() -> Result<PathBuf> {
    // Without the features `serve` and `watch`, which double the time to build it.
    let features = ["--no-default-features", "--features", "search"];
    cargo_installed("mdbook", "mdbook", MDBOOK, &features)
}

/// Installs Rust's target for Workers unless it is there.
pub(crate) fn wasm_target() -> Result<()> {
    let mut rustc = command("rustc")?;
    rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let found = rustc.output().context("rustc cannot be started")?.stdout;
    if PathBuf::from(String::from_utf8(found)?.trim()).is_dir() {
        return Ok(());
    }
    progress::step(&format!("installing Rust's target {WASM_TARGET}"));
    run(command("rustup")?.args(["target", "add", WASM_TARGET])).with_context(|| {
        format!(
            "Rust's target {WASM_TARGET} is missing, and rustup cannot add it: install Rust with \
             rustup from https://rustup.rs, or the target with your package manager"
        )
    })
}

/// Checks Node and npm before a build of minutes, and installs Rust's target.
pub(crate) fn check_machine() -> Result<()> {
    wasm_target()?;
    if !NpmPackages::read()?.is_installed() {
        node::check_machine()?;
    }
    Ok(())
}

/// Installs the packages of `package-lock.json` unless they are there.
pub(crate) fn npm_packages() -> Result<()> {
    let packages = NpmPackages::read()?;
    if packages.is_installed() {
        return Ok(());
    }
    let node = Node::find()?;
    if !packages.is_stamped() {
        progress::step("installing npm packages: wrangler, workerd, esbuild, wasm-opt, buf");
        let mut ci = Command::new("npm");
        ci.arg("ci").args(npm::QUIET).current_dir(workspace::root());
        node.put_first(&mut ci)?;
        npm::run(&mut ci)?;
    }
    node.link()?;
    Ok(fs::write(packages.stamp, packages.lock)?)
}

/// Returns the path of a file that is as old as the installed packages.
pub(crate) fn installed_npm_packages() -> PathBuf {
    workspace::root().join("node_modules/.installed-package-lock.json")
}

/// The packages of `package-lock.json`.
struct NpmPackages {
    lock: Vec<u8>,
    /// Copy of the lock file that was installed from. npm keeps none.
    stamp: PathBuf,
}

impl NpmPackages {
    fn read() -> Result<Self> {
        Ok(Self {
            lock: fs::read(workspace::root().join("package-lock.json"))?,
            stamp: installed_npm_packages(),
        })
    }

    fn is_stamped(&self) -> bool {
        fs::read(&self.stamp).is_ok_and(|installed| installed == self.lock)
    }

    fn is_installed(&self) -> bool {
        self.is_stamped() && node::is_linked()
    }
}

/// Installs a program with cargo unless that version is in the cache. Returns its path.
fn cargo_installed(
    package: &str,
    binary: &str,
    version: &str,
    features: &[&str],
) -> Result<PathBuf> {
    let folder = user_cache::folder()?.join(format!("{package}-{version}"));
    let installed = folder.join("bin").join(binary);
    if installed.is_file() {
        return Ok(installed);
    }
    progress::step(&format!(
        "building {package} {version} once for this user: minutes"
    ));
    run(command("cargo")?
        .args(["install", "--locked", "--version", version, "--root"])
        .arg(&folder)
        .args(features)
        .arg(package))?;
    Ok(installed)
}
