//! Other programs: how they are started, and what is shown of them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// A command run at the top of the checkout, with what npm installed first in the path: its
/// Node is newer than the machine's may be.
pub(crate) fn command(program: impl Into<OsString>) -> Result<Command> {
    let mut folders = vec![workspace::root().join("node_modules/.bin")];
    let path = env::var_os("PATH").unwrap_or_default();
    folders.extend(env::split_paths(&path).collect::<Vec<PathBuf>>());
    let mut command = Command::new(program.into());
    command
        .current_dir(workspace::root())
        .env("PATH", env::join_paths(folders)?);
    Ok(command)
}

/// Runs a command to its end, its output going where ours goes.
///
/// # Errors
/// When it cannot start, or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("+ {shown}");
    let status = command.status().with_context(|| shown.clone())?;
    ensure!(status.success(), "{shown}: {status}");
    Ok(())
}

/// A command line as a person would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
