//! Checks of the variables, with the code that reads them in the Worker.

use std::cell::RefCell;

use coral_discovery::config::Config;
use toml::{Table, Value};

use crate::environment::Environment;
use crate::finding::{Finding, error, note};

/// Variables that must not be in a file.
const SECRETS: [&str; 2] = ["DISCOVERY_SIGNING_KEY", "DISCOVERY_ADMIN_KEY"];

pub(crate) fn check(environment: &Environment<'_>) -> Vec<Finding> {
    let Some(vars) = environment.own.get("vars").and_then(Value::as_table) else {
        return vec![error(format!(
            "add [env.{}.vars]: variables are not inherited",
            environment.name
        ))];
    };
    let mut findings = Vec::new();
    // The names that the configuration reads are the variables that exist.
    let known = RefCell::new(Vec::new());
    let config = Config::from_vars(|name| {
        known.borrow_mut().push(name.to_owned());
        vars.get(name).map(to_string)
    });
    match &config {
        Err(fault) => findings.push(error(format!(
            "{} {}",
            fault.message(),
            fault.cause().unwrap_or_default()
        ))),
        Ok(config) => findings.extend(legacy_url(environment, config)),
    }
    findings.extend(secrets(environment, vars));
    // After an error, the rest of the variables was not read.
    if config.is_ok() {
        let known = known.borrow();
        let unknown = vars.keys().filter(|name| !known.contains(name));
        findings.extend(unknown.map(|name| {
            error(format!(
                "{name} is not a variable of this Worker: correct or remove it"
            ))
        }));
    }
    findings.extend(environment_name(environment, vars));
    findings
}

/// Converts a value as wrangler does: values other than strings reach the Worker as JSON.
fn to_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn secrets(environment: &Environment<'_>, vars: &Table) -> Vec<Finding> {
    SECRETS
        .into_iter()
        .filter(|secret| vars.contains_key(*secret))
        .map(|secret| {
            error(format!(
                "{secret} is a secret: remove it from the file, and run \
                 `npx wrangler secret put {secret} --env {}`",
                environment.name
            ))
        })
        .collect()
}

fn legacy_url(environment: &Environment<'_>, config: &Config) -> Option<Finding> {
    let url: http::Uri = config.migration.as_ref()?.url.parse().ok()?;
    let host = url.host()?;
    if environment.hosts().contains(&host) {
        return Some(error(format!(
            "LEGACY_DISCOVERY_URL names {host}, which is this Worker: set the legacy server's host"
        )));
    }
    (url.scheme_str() == Some("http")).then(|| {
        note(
            "LEGACY_DISCOVERY_URL is http: keys and addresses of clients would be sent unencrypted",
        )
    })
}

fn environment_name(environment: &Environment<'_>, vars: &Table) -> Option<Finding> {
    let name = vars.get("ENVIRONMENT").map(to_string);
    (name.as_deref() != Some(environment.name)).then(|| {
        note(format!(
            "ENVIRONMENT is not \"{}\": log entries would name another environment",
            environment.name
        ))
    })
}
