//! Commands: how other programs are started and shown.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// Variable that makes `cargo xtask build`, which wrangler runs when a file changes, build for
/// development, and end-to-end tests serve that build.
pub(crate) const BUILD_FOR_DEV: &str = "XTASK_BUILD_FOR_DEV";

/// Builds a command that runs at the top of the checkout. The programs that npm installed come
/// first in its path: their Node may be newer than the machine's.
pub(crate) fn command(program: impl Into<OsString>) -> Result<Command> {
    let mut folders = vec![workspace::root().join("node_modules/.bin")];
    let path = env::var_os("PATH").unwrap_or_default();
    folders.extend(env::split_paths(&path).collect::<Vec<PathBuf>>());
    let mut command = Command::new(program.into());
    command
        .current_dir(workspace::root())
        .env("PATH", env::join_paths(folders)?)
        // Each command says by itself which build it is about.
        .env_remove(BUILD_FOR_DEV);
    Ok(command)
}

/// Builds a command of cargo.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut cargo = command("cargo")?;
    cargo.args(arguments);
    Ok(cargo)
}

/// Runs a command to its end. Its output goes to this program's output.
///
/// # Errors
/// Fails when the command cannot be started, or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", show(command));
    run_quietly(command)
}

/// Runs a command to its end, without showing it unless it fails.
///
/// # Errors
/// Fails when the command cannot be started, or fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{}: cannot be started", show(command)))?;
    ensure!(status.success(), "{}: {status}", show(command));
    Ok(())
}

/// Formats a command line as a person would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
