//! Checks an environment of `wrangler.toml` before a deployment, for `cargo xtask preflight`.
//!
//! Checks the file alone. wrangler itself accepts files without rate limits, with an id that is
//! used twice, and with placeholders for ids.

mod bindings;
mod environment;
mod finding;
mod settings;
mod variables;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use toml::Table;

use crate::environment::Environment;
use crate::finding::Finding;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the findings. Returns whether the environment may be deployed.
fn run() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, environment] = arguments.as_slice() else {
        bail!("usage: preflight WRANGLER_TOML ENVIRONMENT");
    };
    let text = fs::read_to_string(Path::new(file)).with_context(|| file.clone())?;
    let findings = check(&text.parse().with_context(|| file.clone())?, environment);
    for finding in &findings {
        println!("{finding}");
    }
    Ok(findings.iter().all(|finding| !finding.is_error))
}

/// Checks an environment of a configuration.
fn check(config: &Table, name: &str) -> Vec<Finding> {
    let environment = match Environment::find(config, name) {
        Ok(environment) => environment,
        Err(finding) => return vec![finding],
    };
    let mut findings = bindings::check(&environment);
    findings.extend(variables::check(&environment));
    findings.extend(settings::check(&environment));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The project's own file. Its operator may have set ids and domains.
    const OWN: &str = include_str!("../../../wrangler.toml");

    /// A complete file.
    const COMPLETE: &str = include_str!("../fixtures/wrangler.toml");

    fn findings(text: &str, environment: &str) -> Vec<String> {
        let findings = check(&text.parse().unwrap(), environment);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn own_file_is_complete_except_for_ids() {
        for environment in ["staging", "production"] {
            let found = findings(OWN, environment);
            let is_id = |finding: &String| finding.contains("CACHE has no id yet");
            assert!(found.iter().all(is_id), "{found:?}");
            assert_eq!(findings(COMPLETE, environment), [""; 0]);
        }
        assert!(findings(OWN, "prod")[0].contains("staging"));
    }

    #[test]
    fn missing_id_is_reported_with_the_command_that_creates_it() {
        let without = COMPLETE.replace(&"c".repeat(32), &"0".repeat(32));
        let found = findings(&without, "production");
        let command = "npx wrangler kv namespace create CACHE --env production";
        assert!(found[0].contains(command), "{found:?}");
    }

    #[test]
    fn missing_and_wrong_settings_are_reported() {
        let before = COMPLETE;
        for (from, to, expected) in [
            (
                "name = \"coral-discovery\"\n",
                "name = \"coral-discovery-staging\"\n",
                "[env.staging]",
            ),
            (
                "[[env.production.durable_objects.bindings]]\nname = \"REGISTRY\"",
                "[[env.production.durable_objects.bindings]]\nname = \"OTHER\"",
                "error: bind REGISTRY",
            ),
            (
                "namespace_id = \"4603\"",
                "namespace_id = \"4613\"",
                "4613 is used by",
            ),
            (
                "namespace_id = \"4603\"",
                "namespace_id = \"one\"",
                "positive integer",
            ),
            (
                "namespace_id = \"4603\"\nsimple = { limit = 1200, period = 60 }",
                "namespace_id = \"4603\"\nsimple = { limit = 1200, period = 10 }",
                "period",
            ),
            (
                "[[env.production.ratelimits]]\nname = \"LIMIT_POLL_BY_MESH\"",
                "[[env.production.ratelimits]]\nname = \"LIMIT_POLLS\"",
                "error: LIMIT_POLL_BY_MESH",
            ),
            (
                "dataset = \"coral_discovery\"\n",
                "dataset = \"coral_discovery_staging\"\n",
                "coral_discovery_staging",
            ),
            (
                "[env.production.version_metadata]\nbinding = \"CF_VERSION_METADATA\"",
                "",
                "CF_VERSION_METADATA",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LOG_LEVEL = \"loud\"",
                "LOG_LEVEL must be one of",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LOGLEVEL = \"warn\"",
                "LOGLEVEL is not a variable",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "DISCOVERY_ADMIN_KEY = \"x\"",
                "is a secret",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LEGACY_DISCOVERY_URL = \"https://discovery.example.org\"",
                "which is this Worker",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LEGACY_DISCOVERY_URL = \"http://discovery-legacy.example.org\"",
                "unencrypted",
            ),
            (
                "ENVIRONMENT = \"production\"",
                "ENVIRONMENT = \"staging\"",
                "ENVIRONMENT",
            ),
            (
                "workers_dev = false\n\
                 routes = [{ pattern = \"discovery.example.org\", custom_domain = true }]",
                "workers_dev = false\nroutes = []",
                "has no address",
            ),
            ("[\"enable_request_signal\"]", "[]", "enable_request_signal"),
            ("new_sqlite_classes", "new_classes", "new_sqlite_classes"),
            (&"c".repeat(32), &"b".repeat(32), "[env.staging]"),
        ] {
            assert!(before.contains(from), "{from}");
            let found = findings(&before.replace(from, to), "production");
            assert!(
                found.iter().any(|finding| finding.contains(expected)),
                "{to}: {found:?}"
            );
        }
    }

    #[test]
    fn inherited_domain_is_an_error() {
        let top = "routes = [{ pattern = \"discovery.example.org\", custom_domain = true }]\n";
        let text = format!("{top}{}", COMPLETE.replace("routes = []\n", ""));
        let found = findings(&text, "staging");
        assert!(
            found[0].contains("would take discovery.example.org"),
            "{found:?}"
        );
    }
}
