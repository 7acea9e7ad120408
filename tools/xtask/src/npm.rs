//! Runs of npm.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::command::show;

/// Options of npm that leave only errors and warnings. `cargo xtask audit` looks for advisories.
pub(crate) const QUIET: [&str; 3] = ["--no-audit", "--no-fund", "--no-progress"];

/// Runs npm. Shows its warnings, and not how many packages it added.
pub(crate) fn run(npm: &mut Command) -> Result<()> {
    let status = npm
        .stdout(Stdio::null())
        .status()
        .context("npm is missing: install Node with npm from https://nodejs.org")?;
    ensure!(status.success(), "{}: {status}", show(npm));
    Ok(())
}
