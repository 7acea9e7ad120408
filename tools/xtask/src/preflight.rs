//! The command `preflight`: checks that an environment is ready to be deployed.
//!
//! Checks `wrangler.toml`, wrangler's dry run, and the account.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command::{cargo, command, run};
use crate::workspace;

/// Environments that are deployed.
pub(crate) const ENVIRONMENTS: [&str; 2] = ["staging", "production"];

/// Warnings of wrangler that point to a mistake. wrangler itself deploys regardless.
const FATAL_WARNINGS: [&str; 3] = [
    "is not inherited",
    "Unexpected fields",
    "inherits the top-level",
];

/// Error code of Cloudflare for a Worker that was never deployed.
const NO_WORKER: &str = "[code: 10007]";

/// Secret that bootstrap tokens are signed with.
const SIGNING_KEY: &str = "DISCOVERY_SIGNING_KEY";

/// Checks an environment. With `is_offline`, leaves out the account.
pub(crate) fn check(environment: &str, is_offline: bool) -> Result<()> {
    let mut static_checks = cargo(&["run", "--quiet", "--package", "preflight", "--"])?;
    static_checks.args(["wrangler.toml", environment]);
    let is_file_ready = run(&mut static_checks).is_ok();
    dry_run(environment)?;
    let is_account_ready = if is_offline {
        println!("note: secrets and deployments were not checked");
        true
    } else {
        check_account(environment)?
    };
    ensure!(
        is_file_ready && is_account_ready,
        "{environment} is not ready to be deployed: correct the errors above"
    );
    println!("{environment} is ready to be deployed");
    Ok(())
}

/// Runs all steps of a deployment but the last. Fails on warnings that point to a mistake.
pub(crate) fn dry_run(environment: &str) -> Result<()> {
    dry_run_in(workspace::root(), Path::new("wrangler"), environment)
}

/// Does the same as [`dry_run`] in another folder with a `wrangler.toml`, with its own wrangler.
pub(crate) fn dry_run_in(folder: &Path, program: &Path, environment: &str) -> Result<()> {
    let output = tempfile::tempdir()?;
    let output = wrangler(program, &["deploy", "--dry-run", "--env", environment])?
        .arg("--outdir")
        .arg(output.path())
        .current_dir(folder)
        .output()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    ensure!(
        output.status.success(),
        "wrangler deploy --dry-run:\n{printed}"
    );
    let warning = FATAL_WARNINGS
        .iter()
        .find(|warning| printed.contains(**warning));
    if let Some(warning) = warning {
        bail!("wrangler warns about [env.{environment}] ({warning}):\n{printed}");
    }
    Ok(())
}

/// Secret of a Worker. wrangler never prints the value.
#[derive(Deserialize)]
struct Secret {
    name: String,
}

/// Current deployment. It has two versions during a rollout.
#[derive(Deserialize)]
struct Deployment {
    versions: Vec<Value>,
}

/// Checks secrets and deployments in the account. Returns whether a deployment may proceed.
fn check_account(environment: &str) -> Result<bool> {
    let whoami = wrangler(Path::new("wrangler"), &["whoami", "--json"])?.output()?;
    ensure!(
        whoami.status.success(),
        "wrangler is not logged in: run `npx wrangler login`, set CLOUDFLARE_API_TOKEN, or check \
         only the file with --offline"
    );
    let listed = json::<Vec<Secret>>(&["secret", "list", "--format", "json", "--env", environment]);
    let secrets = match listed {
        Ok(secrets) => secrets,
        Err(error) if error.to_string().contains(NO_WORKER) => {
            println!(
                "note: {environment} was never deployed: run `wrangler deploy` first, then set \
                 the secrets"
            );
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    if !secrets.iter().any(|secret| secret.name == SIGNING_KEY) {
        println!(
            "note: {SIGNING_KEY} is not set, so that agents get no bootstrap tokens: see step 7 of \
             docs/setup.md"
        );
    }
    let deployed: Deployment = json(&["deployments", "status", "--json", "--env", environment])?;
    if deployed.versions.len() > 1 {
        println!(
            "error: a rollout is in progress, and `wrangler deploy` would end it: finish it with \
             `wrangler versions deploy`, or roll it back"
        );
        return Ok(false);
    }
    Ok(true)
}

/// Runs wrangler and parses its output.
fn json<T: for<'a> Deserialize<'a>>(arguments: &[&str]) -> Result<T> {
    let output = wrangler(Path::new("wrangler"), arguments)?.output()?;
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success(),
        "wrangler {}: {printed}",
        arguments.join(" ")
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("output of wrangler {}", arguments.join(" ")))
}

fn wrangler(program: &Path, arguments: &[&str]) -> Result<Command> {
    let mut wrangler = command(program)?;
    wrangler
        .args(arguments)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("NO_COLOR", "1");
    Ok(wrangler)
}
