//! The command `audit`: licences, sources, duplicates and known vulnerabilities of dependencies.
//!
//! Advisories are fetched from the network. Without a network they are reported as not checked,
//! which is a failure only on request: all other checks run offline.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use wait_timeout::ChildExt as _;

use crate::command::{command, run};
use crate::{tools, workspace};

/// Timeout for fetching the database of advisories, which has a few thousand small files.
const FETCH_TIMEOUT: Duration = Duration::from_secs(90);

/// Checks licences, sources and duplicates of crates, offline.
pub(crate) fn check_crates() -> Result<()> {
    let mut deny = cargo_deny()?;
    run(deny.args(["check", "-D", "warnings", "bans", "licenses", "sources"]))
}

/// Checks advisories on crates and npm packages. With `required`, fails if they are unavailable.
pub(crate) fn check_advisories(required: bool) -> Result<()> {
    for (packages, check) in [
        ("crates", check_crate_advisories as fn() -> Result<Outcome>),
        ("npm packages", check_npm_advisories),
    ] {
        match check()? {
            Outcome::NoAdvisory { source } => println!("no advisory on {packages} in {source}"),
            Outcome::Unavailable { cause } if required => {
                bail!("advisories on {packages} could not be checked: {cause}")
            }
            Outcome::Unavailable { cause } => {
                println!("NOT CHECKED: advisories on {packages}: {cause}");
            }
        }
    }
    Ok(())
}

/// Outcome of a check that found no advisory.
enum Outcome {
    /// The source has no advisory on any dependency.
    NoAdvisory { source: &'static str },
    /// The source could not be reached.
    Unavailable { cause: String },
}

fn cargo_deny() -> Result<Command> {
    // Without `--workspace`, only the crate at the top of the checkout would be checked.
    let mut deny = command(tools::cargo_deny()?)?;
    deny.args(["--workspace", "--locked"]);
    Ok(deny)
}

/// Fetches the database, then checks. In one step, a failed fetch and a found advisory would have
/// the same exit status.
fn check_crate_advisories() -> Result<Outcome> {
    if !fetch_database()? {
        return Ok(Outcome::Unavailable {
            cause: "the RustSec database cannot be fetched".to_owned(),
        });
    }
    let checked = cargo_deny()?
        .args(["--offline", "--format", "json", "check", "advisories"])
        .output()?;
    let report = String::from_utf8_lossy(&checked.stderr);
    // cargo-deny prints a summary only after it has checked.
    let has_summary = report.lines().any(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line.get("type").is_some_and(|kind| kind == "summary")
    });
    if !has_summary {
        return Ok(Outcome::Unavailable {
            cause: report.trim().to_owned(),
        });
    }
    ensure!(checked.status.success(), "advisories on crates:\n{report}");
    Ok(Outcome::NoAdvisory {
        source: "the RustSec database",
    })
}

/// Fetches the RustSec database. Returns whether that succeeded in time.
fn fetch_database() -> Result<bool> {
    let mut fetch = cargo_deny()?
        .args(["fetch", "db"])
        // Otherwise git waits without limit for a password, or for a silent server.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
        .env("GIT_HTTP_LOW_SPEED_TIME", "15")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cargo-deny")?;
    let status = fetch.wait_timeout(FETCH_TIMEOUT)?;
    if status.is_none() {
        fetch.kill()?;
        fetch.wait()?;
    }
    Ok(status.is_some_and(|status| status.success()))
}

/// Folders of the lock files of npm.
const NPM_FOLDERS: [&str; 3] = ["", "tools/bundle", "tools/node"];

fn check_npm_advisories() -> Result<Outcome> {
    for folder in NPM_FOLDERS {
        let audit = command("npm")?
            .args(["audit", "--json", "--audit-level=moderate"])
            .arg("--package-lock-only")
            .current_dir(workspace::root().join(folder))
            .output()
            .context("npm")?;
        let report: Value = serde_json::from_slice(&audit.stdout).unwrap_or_default();
        if report.get("auditReportVersion").is_none() {
            let message = report.get("message").and_then(Value::as_str);
            return Ok(Outcome::Unavailable {
                cause: message.unwrap_or("npm printed no report").to_owned(),
            });
        }
        ensure!(
            audit.status.success(),
            "advisories on npm packages:\n{}",
            serde_json::to_string_pretty(&report.get("vulnerabilities"))?
        );
    }
    Ok(Outcome::NoAdvisory {
        source: "npm's registry",
    })
}
