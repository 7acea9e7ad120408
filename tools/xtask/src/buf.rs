//! The proto: its style, and whether clients in the field still understand it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::command::{command, run};
use crate::workspace;

/// The public proto, below `proto/`.
const DISCOVERY: &str = "coral/discovery/v1/discovery.proto";

/// Where changes start from: what is compared with, if nothing else is asked for.
const BRANCHES: [&str; 3] = ["main", "origin/main", "HEAD"];

/// Checks the style of all protos.
pub(crate) fn lint() -> Result<()> {
    run(command("buf")?.args(["lint", "proto"]))
}

/// Checks that no client breaks that speaks the proto of the revision `against`, of the branch
/// `main` by default.
pub(crate) fn breaking(against: Option<&str>) -> Result<()> {
    let revision = match against {
        Some(revision) => commit(revision).with_context(|| format!("no revision {revision}"))?,
        None => BRANCHES
            .iter()
            .find_map(|branch| commit(branch))
            .context("this is no git checkout: there is nothing to compare with")?,
    };
    run(&mut buf_breaking(Path::new("proto"), &revision)?)
}

/// Shows that the check sees a change that breaks clients: a field with another number.
pub(crate) fn breaking_is_noticed() -> Result<()> {
    let revision = commit("HEAD").context("this is no git checkout")?;
    let copy = workspace::root().join("target/broken-proto");
    for file in ["buf.yaml", DISCOVERY, "coral/registry/v1/registry.proto"] {
        let content = fs::read_to_string(workspace::root().join("proto").join(file))?;
        let broken = if file == DISCOVERY {
            content.replace("string mesh_id = 1;", "string mesh_id = 1001;")
        } else {
            content.clone()
        };
        ensure!(
            file != DISCOVERY || broken != content,
            "{file}: the change to try is not possible"
        );
        let path = copy.join(file);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, broken)?;
    }
    let output = buf_breaking(&copy, &revision)?.output()?;
    let output = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.contains("\"1\" with name \"mesh_id\""),
        "a field with another number was not noticed: {output}"
    );
    Ok(())
}

fn buf_breaking(proto: &Path, revision: &str) -> Result<Command> {
    let mut buf = command("buf")?;
    buf.arg("breaking")
        .arg(proto)
        .arg("--against")
        .arg(format!(".git#ref={revision},subdir=proto"));
    Ok(buf)
}

fn commit(revision: &str) -> Option<String> {
    let mut git = command("git").ok()?;
    git.args(["rev-parse", "--verify", "--quiet"])
        .arg(format!("{revision}^{{commit}}"));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
