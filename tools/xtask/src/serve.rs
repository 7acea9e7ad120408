//! The built Worker on plain workerd, without wrangler: for machines of one's own, for tests and for
//! benchmarks.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{command, workspace};

/// What workerd is told, in the Worker's folder.
pub(crate) const CONFIG: &str = "workerd.capnp";

/// What the Worker is made of, as `wasm_build::build` leaves it.
const MODULES: [&str; 2] = ["build/index.js", "build/index_bg.wasm"];

/// How workerd's configuration names the service in which objects are kept.
const OBJECTS: &str = r#"(name = "objects","#;

/// Turns this process into workerd, so that whoever started it can signal workerd itself.
///
/// workerd tells on its output in one line of JSON, `{"event":"listen","port":...}`, when it listens;
/// the Worker's log follows.
pub(crate) fn exec(folder: &Path, port: u16, storage: &Path, vars: &[String]) -> Result<()> {
    let mut workerd = command(folder, port, storage)?;
    for var in vars {
        let (name, value) = var.split_once('=').context("--var needs NAME=VALUE")?;
        workerd.env(name, value);
    }
    Err(workerd.exec()).context("workerd")
}

/// workerd on the Worker of `folder`. Below `storage` are its objects, and a copy of the Worker, which
/// a later build does not change.
pub(crate) fn command(folder: &Path, port: u16, storage: &Path) -> Result<Command> {
    let copy = storage.join("worker");
    let objects = storage.join("objects");
    fs::create_dir_all(copy.join("build"))?;
    fs::create_dir_all(&objects)?;
    for file in MODULES.into_iter().chain([CONFIG]) {
        let source = folder.join(file);
        fs::copy(&source, copy.join(file))
            .with_context(|| format!("{}: run `cargo xtask build` first", source.display()))?;
    }
    let mut workerd = command::command(workspace::npm_bin("workerd"))?;
    workerd
        .args(["serve", "--control-fd=1"])
        .arg(format!("--socket-addr=http=127.0.0.1:{port}"))
        .arg(std::path::absolute(copy.join(CONFIG))?);
    if fs::read_to_string(folder.join(CONFIG))?.contains(OBJECTS) {
        let objects = std::path::absolute(objects)?;
        workerd.arg(format!("--directory-path=objects={}", objects.display()));
    }
    Ok(workerd)
}
