//! What the project depends on: licences, sources, duplicates, and what is known to be wrong with any of it.
//!
//! What is known comes from elsewhere. Where it cannot be had, that is said, and it is no failure unless asked for: a
//! machine without a network can run every check.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use wait_timeout::ChildExt as _;

use crate::command::{command, run};
use crate::tools;

/// For how long the database of advisories is waited for. It has a few thousand small files.
const FETCHED: Duration = Duration::from_secs(90);

/// Licences, sources and duplicates of crates: needs nothing from elsewhere.
pub(crate) fn crates() -> Result<()> {
    let mut deny = deny()?;
    run(deny.args(["check", "-D", "warnings", "bans", "licenses", "sources"]))
}

/// Advisories on crates and on what npm installs. `required`: not having them is a failure.
pub(crate) fn advisories(required: bool) -> Result<()> {
    for (what, known) in [
        ("crates", advisories_on_crates as fn() -> Result<Known>),
        ("npm packages", advisories_on_packages),
    ] {
        match known()? {
            Known::Nothing(of) => println!("no advisory on {what}, by {of}"),
            Known::Unknown(why) if required => {
                bail!("advisories on {what} were not looked at: {why}")
            }
            Known::Unknown(why) => println!("NOT CHECKED: advisories on {what}: {why}"),
        }
    }
    Ok(())
}

/// What is known.
enum Known {
    /// Nothing bad, by this source.
    Nothing(String),
    /// It could not be asked, for this reason.
    Unknown(String),
}

fn deny() -> Result<Command> {
    // Of the whole workspace, as the top folder is a crate of its own.
    let mut deny = command(tools::cargo_deny()?)?;
    deny.args(["--workspace", "--locked"]);
    Ok(deny)
}

/// Fetching and looking are two steps, as the exit status of both together does not tell which of them failed.
fn advisories_on_crates() -> Result<Known> {
    let mut fetch = deny()?;
    fetch
        .args(["fetch", "db"])
        // git would wait for ever for a password, or for a server that says nothing.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
        .env("GIT_HTTP_LOW_SPEED_TIME", "15")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut fetching = fetch.spawn().context("cargo-deny")?;
    let fetched = fetching.wait_timeout(FETCHED)?;
    if fetched.is_none() {
        fetching.kill()?;
        fetching.wait()?;
    }
    if !fetched.is_some_and(|status| status.success()) {
        return Ok(Known::Unknown(
            "the RustSec database cannot be fetched".to_owned(),
        ));
    }
    let mut look = deny()?;
    let looked = look
        .args(["--offline", "--format", "json", "check", "advisories"])
        .output()?;
    let said = String::from_utf8_lossy(&looked.stderr);
    // It says so only if it has looked.
    let has_looked = said.lines().any(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line.get("type").is_some_and(|kind| kind == "summary")
    });
    if !has_looked {
        return Ok(Known::Unknown(said.trim().to_owned()));
    }
    ensure!(looked.status.success(), "advisories on crates:\n{said}");
    Ok(Known::Nothing("the RustSec database".to_owned()))
}

fn advisories_on_packages() -> Result<Known> {
    let audited = command("npm")?
        .args(["audit", "--json", "--audit-level=moderate"])
        .output()
        .context("npm")?;
    let said: Value = serde_json::from_slice(&audited.stdout).unwrap_or_default();
    if said.get("auditReportVersion").is_none() {
        let why = said.get("message").and_then(Value::as_str);
        return Ok(Known::Unknown(why.unwrap_or("npm says nothing").to_owned()));
    }
    ensure!(
        audited.status.success(),
        "advisories on npm packages:\n{}",
        serde_json::to_string_pretty(&said.get("vulnerabilities"))?
    );
    Ok(Known::Nothing("npm's registry".to_owned()))
}
