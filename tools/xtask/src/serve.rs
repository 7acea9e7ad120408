//! The command `serve`: the built Worker on plain workerd, self-hosted, for tests and benchmarks.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, absolute};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::command;
use crate::worker_project::{Profile, WorkerProject};
use crate::workspace;

/// Configuration of workerd.
const CONFIG: &str = "workerd.capnp";

/// Modules of a Worker, as `wasm_build::build` writes them.
const MODULES: [&str; 2] = ["index.js", "index_bg.wasm"];

/// Name of the service in workerd's configuration that stores objects.
const OBJECTS: &str = r#"(name = "objects","#;

/// Replaces this process with workerd, so that the caller's signals reach workerd itself.
///
/// Once workerd listens, it prints one line of JSON: `{"event":"listen","port":...}`. The Worker's
/// log follows.
pub(crate) fn exec(
    worker: &WorkerProject,
    profile: Profile,
    port: u16,
    storage: &Path,
    vars: &[String],
) -> Result<()> {
    let mut workerd = workerd(worker, profile, port, storage)?;
    for var in vars {
        let (name, value) = var
            .split_once('=')
            .with_context(|| format!("--var {var}: write it as NAME=VALUE"))?;
        workerd.env(name, value);
    }
    Err(workerd.exec()).context("workerd")
}

/// Builds the command that runs workerd with a Worker.
///
/// The folder `storage` gets the objects, and a copy of the Worker that later builds do not change.
pub(crate) fn workerd(
    worker: &WorkerProject,
    profile: Profile,
    port: u16,
    storage: &Path,
) -> Result<Command> {
    let copy = storage.join("worker");
    let objects = storage.join("objects");
    fs::create_dir_all(copy.join("build"))?;
    fs::create_dir_all(&objects)?;
    let build = worker.build_dir(profile);
    for file in MODULES {
        let source = build.join(file);
        fs::copy(&source, copy.join("build").join(file))
            .with_context(|| format!("{}: run `cargo xtask build` first", source.display()))?;
    }
    let config = copy.join(CONFIG);
    fs::copy(worker.out_dir.join(CONFIG), &config).with_context(|| CONFIG.to_owned())?;
    let mut workerd = command(workspace::npm_bin("workerd"))?;
    workerd
        .args(["serve", "--control-fd=1"])
        .arg(format!("--socket-addr=http=127.0.0.1:{port}"))
        .arg(absolute(&config)?);
    if fs::read_to_string(&config)?.contains(OBJECTS) {
        let objects = absolute(objects)?;
        workerd.arg(format!("--directory-path=objects={}", objects.display()));
    }
    Ok(workerd)
}
