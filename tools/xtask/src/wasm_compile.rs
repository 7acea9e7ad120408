//! Compilation of Workers to WebAssembly by cargo.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::command::command;
use crate::progress::{self, Counter};
use crate::tools;
use crate::worker_project::{Profile, WorkerProject};

/// Compiles the crates of Workers. Returns their modules, in the same order.
pub(crate) fn compile(
    workers: &[WorkerProject],
    profile: Profile,
    env: &[(&str, &Path)],
) -> Result<Vec<Artifact>> {
    const STEP: &str = "compiling to WebAssembly";
    progress::step(STEP);
    let mut cargo = command("cargo")?;
    cargo
        .args([
            "build",
            "--quiet",
            "--lib",
            "--profile",
            profile.cargo_name(),
        ])
        .args(["--target", tools::WASM_TARGET])
        .arg("--message-format=json-render-diagnostics")
        .envs(env.iter().copied());
    if let [worker] = workers {
        // It may be in another workspace.
        cargo.current_dir(&worker.crate_dir);
    } else {
        for worker in workers {
            cargo.arg(format!("--package={}", package_id(worker)?));
        }
    }
    let mut cargo = cargo.stdout(Stdio::piped()).spawn().context("cargo")?;
    let messages = cargo.stdout.take().context("the output is not piped")?;
    let mut counter = Counter::new(STEP, "crates");
    let mut artifacts = Vec::new();
    for message in BufReader::new(messages).lines() {
        counter.add();
        artifacts.extend(artifact(message?.as_bytes()));
    }
    drop(counter);
    let status = cargo.wait()?;
    ensure!(status.success(), "cargo build: {status}");
    workers
        .iter()
        .map(|worker| artifact_of(worker, &artifacts))
        .collect()
}

/// Returns cargo's id of a Worker's package.
fn package_id(worker: &WorkerProject) -> Result<String> {
    let output = command("cargo")?
        .args(["pkgid", "--manifest-path"])
        .arg(worker.crate_dir.join("Cargo.toml"))
        .output()?;
    let printed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo pkgid: {printed}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Module that cargo has built, or found unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// Path of the crate's `lib.rs`.
    source: PathBuf,
    /// Path of the module.
    pub(crate) module: PathBuf,
    /// Cargo had nothing to compile.
    pub(crate) is_fresh: bool,
}

/// Returns the module that a message of cargo reports, if it reports one.
fn artifact(message: &[u8]) -> Option<Artifact> {
    #[derive(Deserialize)]
    #[serde(tag = "reason", rename_all = "kebab-case")]
    enum Message {
        CompilerArtifact {
            target: Target,
            filenames: Vec<PathBuf>,
            fresh: bool,
        },
        #[serde(other)]
        Other,
    }
    #[derive(Deserialize)]
    struct Target {
        crate_types: Vec<String>,
        src_path: PathBuf,
    }
    let Message::CompilerArtifact {
        target,
        filenames,
        fresh,
    } = serde_json::from_slice(message).ok()?
    else {
        return None;
    };
    if !target.crate_types.iter().any(|kind| kind == "cdylib") {
        return None;
    }
    let mut modules = filenames.into_iter();
    let module = modules.find(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    })?;
    Some(Artifact {
        source: target.src_path,
        module,
        is_fresh: fresh,
    })
}

/// Returns the module of a Worker among those that cargo has built.
fn artifact_of(worker: &WorkerProject, artifacts: &[Artifact]) -> Result<Artifact> {
    let sources = fs::canonicalize(&worker.crate_dir)?.join("src");
    let mut own = artifacts
        .iter()
        .filter(|artifact| artifact.source.starts_with(&sources));
    let artifact = own.next().with_context(|| {
        format!(
            "cargo built no module: {} needs crate-type = [\"cdylib\"]",
            worker.crate_dir.join("Cargo.toml").display()
        )
    })?;
    Ok(artifact.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn message(source: &Path, kind: &str) -> Vec<u8> {
        let message = serde_json::json!({
            "reason": "compiler-artifact",
            "fresh": true,
            "target": {"crate_types": [kind], "src_path": source},
            "filenames": ["/t/libx.rlib", "/t/x.wasm"],
        });
        message.to_string().into_bytes()
    }

    #[test]
    fn module_is_that_of_the_workers_own_crate() {
        let worker = WorkerProject::service();
        let own = worker.crate_dir.join("src/lib.rs");
        let other = workspace::root().join("connect/src/lib.rs");
        let artifacts = [message(&other, "cdylib"), message(&own, "cdylib")]
            .iter()
            .filter_map(|message| artifact(message))
            .collect::<Vec<_>>();
        let found = artifact_of(&worker, &artifacts).unwrap();
        assert_eq!(found.source, own);
        assert!(artifact_of(&worker, &artifacts[..1]).is_err());
    }

    #[test]
    fn other_messages_report_no_module() {
        let source = Path::new("/w/src/lib.rs");
        for message in [
            message(source, "rlib"),
            br#"{"reason":"build-finished","success":true}"#.to_vec(),
            Vec::new(),
        ] {
            assert_eq!(artifact(&message), None);
        }
    }
}
