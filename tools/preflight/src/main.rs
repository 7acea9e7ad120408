//! `cargo xtask preflight ENVIRONMENT` runs this on `wrangler.toml`: what is missing before a deployment, as far as the file
//! alone tells. wrangler checks less: it takes limits that are not there, numbers that are used twice and ids that are none.

mod bindings;
mod finding;
mod variables;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::finding::{Finding, error};

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

/// Prints what it finds. Whether a deployment may go on.
fn run() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, environment] = arguments.as_slice() else {
        bail!("preflight WRANGLER_TOML ENVIRONMENT");
    };
    let text = fs::read_to_string(Path::new(file)).with_context(|| file.clone())?;
    let findings = check(&text.parse().with_context(|| file.clone())?, environment);
    for finding in &findings {
        println!("{finding}");
    }
    Ok(findings.iter().all(|finding| !finding.is_error))
}

/// What is wrong with an environment of a configuration, and what an operator may want to know.
fn check(config: &Table, environment: &str) -> Vec<Finding> {
    let environments = config.get("env").and_then(Value::as_table);
    let found = environments.and_then(|all| all.get(environment)?.as_table());
    let Some(own) = found else {
        let names = environments.map(|all| all.keys().cloned().collect::<Vec<_>>().join(", "));
        let names = names.unwrap_or_default();
        return vec![error(format!(
            "there is no [env.{environment}]; there is {names}"
        ))];
    };
    let site = Site {
        config,
        environment,
        own,
    };
    let mut findings = bindings::check(&site);
    findings.extend(variables::check(&site));
    findings.extend(site.check_name());
    findings.extend(site.check_address());
    findings.extend(site.check_platform());
    findings
}

/// An environment of a configuration.
struct Site<'a> {
    config: &'a Table,
    environment: &'a str,
    own: &'a Table,
}

impl<'a> Site<'a> {
    /// A setting that the environment has, or has inherited.
    fn inherited(&self, key: &str) -> Option<&'a Value> {
        self.own.get(key).or_else(|| self.config.get(key))
    }

    /// The other Workers of the file: by how a person calls them.
    fn others(&self) -> Vec<(String, &'a Table)> {
        let mut others = vec![("the top of the file".to_owned(), self.config)];
        let environments = self.config.get("env").and_then(Value::as_table);
        for (name, other) in environments.into_iter().flatten() {
            if name != self.environment
                && let Some(other) = other.as_table()
            {
                others.push((format!("[env.{name}]"), other));
            }
        }
        others
    }

    fn check_name(&self) -> Vec<Finding> {
        let Some(name) = text(self.own, "name") else {
            return vec![error("name is missing: the Worker's own")];
        };
        let others = self.others().into_iter();
        others
            .filter(|(_, other)| text(other, "name") == Some(name))
            .map(|(whose, _)| error(format!("name = \"{name}\" is that of {whose} too")))
            .collect()
    }

    /// The hosts that it is served at, beside one below workers.dev.
    fn hosts(&self) -> Vec<&'a str> {
        let routes = self.inherited("routes").and_then(Value::as_array);
        let patterns = routes
            .into_iter()
            .flatten()
            .filter_map(|route| match route {
                Value::String(pattern) => Some(pattern.as_str()),
                other => text(other.as_table()?, "pattern"),
            });
        patterns
            .map(|pattern| pattern.split('/').next().unwrap_or_default())
            .collect()
    }

    fn check_address(&self) -> Vec<Finding> {
        let hosts = self.hosts();
        let on_workers_dev = self.inherited("workers_dev").and_then(Value::as_bool);
        let mut findings = Vec::new();
        if hosts.is_empty() && on_workers_dev != Some(true) {
            findings.push(error(
                "nobody reaches it: set workers_dev = true, or routes with a custom domain",
            ));
        }
        if !self.own.contains_key("routes") && !hosts.is_empty() {
            let hosts = hosts.join(", ");
            findings.push(error(format!(
                "routes are inherited, and a deployment would take {hosts} from another Worker: set routes, or routes = []"
            )));
        }
        findings
    }

    fn check_platform(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let flags = self
            .inherited("compatibility_flags")
            .and_then(Value::as_array);
        let has = |flag: &str| {
            flags
                .into_iter()
                .flatten()
                .any(|known| known.as_str() == Some(flag))
        };
        if !has("enable_request_signal") {
            findings.push(error("compatibility_flags has no \"enable_request_signal\": polls of clients that have gone would stay"));
        }
        let migrations = self.inherited("migrations").and_then(Value::as_array);
        let classes = migrations
            .into_iter()
            .flatten()
            .filter_map(|migration| migration.get("new_sqlite_classes")?.as_array());
        if !classes
            .flatten()
            .any(|class| class.as_str() == Some("RegistryDurableObject"))
        {
            findings.push(error(
                "no migration has new_sqlite_classes = [\"RegistryDurableObject\"]",
            ));
        }
        findings
    }
}

/// A setting that is a text.
fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The project's own, whatever ids and domains an operator has put into it.
    const OWN: &str = include_str!("../../../wrangler.toml");

    /// One in which nothing is wrong.
    const CONFIG: &str = include_str!("../fixtures/wrangler.toml");

    fn findings(text: &str, environment: &str) -> Vec<String> {
        let findings = check(&text.parse().unwrap(), environment);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_projects_own_file_lacks_ids_at_most() {
        for environment in ["staging", "production"] {
            let found = findings(OWN, environment);
            let is_id = |finding: &String| finding.contains("CACHE has no id yet");
            assert!(found.iter().all(is_id), "{found:?}");
            assert_eq!(findings(CONFIG, environment), [""; 0]);
        }
        assert!(findings(OWN, "prod")[0].contains("staging"));
    }

    #[test]
    fn an_id_that_is_missing_is_told_with_the_command_that_makes_one() {
        let without = CONFIG.replace(&"c".repeat(32), &"0".repeat(32));
        let found = findings(&without, "production");
        let command = "npx wrangler kv namespace create CACHE --env production";
        assert!(found[0].contains(command), "{found:?}");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let before = CONFIG;
        for (from, to, says) in [
            (
                "name = \"coral-discovery\"\n",
                "name = \"coral-discovery-staging\"\n",
                "[env.staging]",
            ),
            (
                "[[env.production.durable_objects.bindings]]\nname = \"REGISTRY\"",
                "[[env.production.durable_objects.bindings]]\nname = \"OTHER\"",
                "error: REGISTRY",
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
                "LOGLEVEL is no variable",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "DISCOVERY_ADMIN_KEY = \"x\"",
                "is a secret",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LEGACY_DISCOVERY_URL = \"https://discovery.example.org\"",
                "leads back",
            ),
            (
                "LOG_LEVEL = \"warn\"",
                "LEGACY_DISCOVERY_URL = \"http://discovery-legacy.example.org\"",
                "in the clear",
            ),
            (
                "ENVIRONMENT = \"production\"",
                "ENVIRONMENT = \"staging\"",
                "ENVIRONMENT",
            ),
            (
                "workers_dev = false\nroutes = [{ pattern = \"discovery.example.org\", custom_domain = true }]",
                "workers_dev = false\nroutes = []",
                "nobody reaches it",
            ),
            ("[\"enable_request_signal\"]", "[]", "enable_request_signal"),
            ("new_sqlite_classes", "new_classes", "new_sqlite_classes"),
            (&"c".repeat(32), &"b".repeat(32), "[env.staging]"),
        ] {
            assert!(before.contains(from), "{from}");
            let found = findings(&before.replace(from, to), "production");
            assert!(
                found.iter().any(|finding| finding.contains(says)),
                "{to}: {found:?}"
            );
        }
    }

    #[test]
    fn an_inherited_domain_would_be_taken_over() {
        let top = "routes = [{ pattern = \"discovery.example.org\", custom_domain = true }]\n";
        let text = format!("{top}{}", CONFIG.replace("routes = []\n", ""));
        let found = findings(&text, "staging");
        assert!(
            found[0].contains("would take discovery.example.org"),
            "{found:?}"
        );
    }
}
