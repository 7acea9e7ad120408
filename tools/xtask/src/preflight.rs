//! What is missing before a deployment: in `wrangler.toml`, in what wrangler makes of it, and in the account.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command::{command, run};
use crate::workspace;

/// Environments that are deployed.
pub(crate) const ENVIRONMENTS: [&str; 2] = ["staging", "production"];

/// What wrangler says of an environment that lacks something, or has what it does not know. It deploys all the same.
const COMPLAINTS: [&str; 3] = [
    "is not inherited",
    "Unexpected fields",
    "inherits the top-level",
];

/// What Cloudflare says of a Worker that was never deployed.
const NO_WORKER: &str = "[code: 10007]";

/// The secret without which agents get no tickets.
const SIGNING_KEY: &str = "DISCOVERY_SIGNING_KEY";

/// Checks an environment, and the account unless there is none at hand.
pub(crate) fn check(environment: &str, is_offline: bool) -> Result<()> {
    let mut static_checks = command("cargo")?;
    static_checks
        .args(["run", "--quiet", "--package", "preflight", "--"])
        .args(["wrangler.toml", environment]);
    let is_complete = run(&mut static_checks).is_ok();
    deploy_dry(environment)?;
    let in_account = if is_offline {
        println!("note: secrets and deployments were not looked at");
        Ok(true)
    } else {
        check_account(environment)
    }?;
    ensure!(
        is_complete && in_account,
        "{environment} is not ready to be deployed: see above"
    );
    println!("{environment} is ready to be deployed");
    Ok(())
}

/// Has wrangler do all of a deployment but the last step, and fails where it only warns.
pub(crate) fn deploy_dry(environment: &str) -> Result<()> {
    let folder = workspace::root().join("target/dry-run").join(environment);
    fs::create_dir_all(&folder)?;
    let mut wrangler = wrangler(&["deploy", "--dry-run", "--env", environment])?;
    let output = wrangler.arg("--outdir").arg(&folder).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(
        output.status.success(),
        "wrangler deploy --dry-run:\n{said}"
    );
    let complaint = COMPLAINTS
        .iter()
        .find(|complaint| said.contains(**complaint));
    if let Some(complaint) = complaint {
        bail!("wrangler complains of [env.{environment}] ({complaint}):\n{said}");
    }
    Ok(())
}

/// A secret, without its value.
#[derive(Deserialize)]
struct Secret {
    name: String,
}

/// What is deployed: two versions during a rollout.
#[derive(Deserialize)]
struct Deployment {
    versions: Vec<Value>,
}

/// Looks at what is deployed. Whether that stands in the way.
fn check_account(environment: &str) -> Result<bool> {
    let who = wrangler(&["whoami", "--json"])?.output()?;
    ensure!(
        who.status.success(),
        "wrangler is not logged in: run `npx wrangler login`, set CLOUDFLARE_API_TOKEN, or check the file alone with --offline"
    );
    let listed = json::<Vec<Secret>>(&["secret", "list", "--format", "json", "--env", environment]);
    let secrets = match listed {
        Ok(secrets) => secrets,
        Err(error) if error.to_string().contains(NO_WORKER) => {
            println!(
                "note: nothing is deployed there yet, so the first deployment is `wrangler deploy`, and secrets come after it"
            );
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    if !secrets.iter().any(|secret| secret.name == SIGNING_KEY) {
        println!(
            "note: {SIGNING_KEY} is not set: agents get no tickets. See docs/setup.md, step 7"
        );
    }
    let deployed: Deployment = json(&["deployments", "status", "--json", "--env", environment])?;
    if deployed.versions.len() > 1 {
        println!(
            "error: a rollout is under way, and `wrangler deploy` would end it: finish it with `wrangler versions deploy`, or roll it back"
        );
        return Ok(false);
    }
    Ok(true)
}

fn json<T: for<'a> Deserialize<'a>>(arguments: &[&str]) -> Result<T> {
    let output = wrangler(arguments)?.output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success(),
        "wrangler {}: {said}",
        arguments.join(" ")
    );
    serde_json::from_slice(&output.stdout).with_context(|| arguments.join(" "))
}

fn wrangler(arguments: &[&str]) -> Result<Command> {
    let mut wrangler = command("wrangler")?;
    wrangler
        .args(arguments)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("NO_COLOR", "1");
    Ok(wrangler)
}
