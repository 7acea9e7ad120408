//! Checks of the proto files with buf: style, and compatibility with existing clients.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::command::{command, run};
use crate::workspace;

/// Proto of the public API, below `proto/`.
const DISCOVERY: &str = "coral/discovery/v1/discovery.proto";

/// Revisions to compare with by default: the first that exists.
const BASE_REVISIONS: [&str; 3] = ["main", "origin/main", "HEAD"];

/// Checks the style of all protos.
pub(crate) fn lint() -> Result<()> {
    run(command("buf")?.args(["lint", "proto"]))
}

/// Checks that clients keep working that were generated from the proto of the revision `against`,
/// by default that of the branch `main`.
pub(crate) fn check_breaking(against: Option<&str>) -> Result<()> {
    let revision = match against {
        Some(revision) => {
            resolve(revision).with_context(|| format!("there is no revision {revision}"))?
        }
        None => BASE_REVISIONS
            .iter()
            .find_map(|revision| resolve(revision))
            .context("this is not a git checkout: there is no revision to compare with")?,
    };
    run(&mut buf_breaking(Path::new("proto"), &revision)?)
}

/// Checks that [`check_breaking`] would detect an incompatible change: another field number.
pub(crate) fn check_that_breaking_is_detected() -> Result<()> {
    let revision = resolve("HEAD").context("this is not a git checkout")?;
    let copy = workspace::root().join("target/breaking-proto");
    for (file, content) in workspace::read_tree(&workspace::root().join("proto"))? {
        let content = if file == Path::new(DISCOVERY) {
            renumber_mesh_id(&content)?
        } else {
            content
        };
        workspace::write(&copy.join(file), &content)?;
    }
    let output = buf_breaking(&copy, &revision)?.output()?;
    let output = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.contains("\"1\" with name \"mesh_id\""),
        "buf did not report that a field has another number: {output}"
    );
    Ok(())
}

fn renumber_mesh_id(proto: &[u8]) -> Result<Vec<u8>> {
    const FIELD: &str = "string mesh_id = 1;";
    let proto = String::from_utf8(proto.to_vec())?;
    ensure!(proto.contains(FIELD), "{DISCOVERY} has no field `{FIELD}`");
    Ok(proto.replace(FIELD, "string mesh_id = 1001;").into_bytes())
}

fn buf_breaking(proto: &Path, revision: &str) -> Result<Command> {
    let mut buf = command("buf")?;
    buf.arg("breaking")
        .arg(proto)
        .arg("--against")
        .arg(format!(".git#ref={revision},subdir=proto"));
    Ok(buf)
}

/// Resolves a revision to the id of its commit.
fn resolve(revision: &str) -> Option<String> {
    let mut git = command("git").ok()?;
    git.args(["rev-parse", "--verify", "--quiet"])
        .arg(format!("{revision}^{{commit}}"));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
