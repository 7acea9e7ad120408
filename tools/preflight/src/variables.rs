//! Variables, as the Worker itself reads them.

use std::cell::RefCell;

use coral_discovery::config::Config;
use toml::{Table, Value};

use crate::Site;
use crate::finding::{Finding, advice, error};

/// What must not stand in a file.
const SECRETS: [&str; 2] = ["DISCOVERY_SIGNING_KEY", "DISCOVERY_ADMIN_KEY"];

pub(crate) fn check(site: &Site<'_>) -> Vec<Finding> {
    let Some(vars) = site.own.get("vars").and_then(Value::as_table) else {
        let environment = site.environment;
        return vec![error(format!("there is no [env.{environment}.vars]"))];
    };
    let mut findings = Vec::new();
    // What it asks for is what there is.
    let known = RefCell::new(Vec::new());
    let read = Config::from_vars(|name| {
        known.borrow_mut().push(name.to_owned());
        vars.get(name).map(as_text)
    });
    match &read {
        Err(fault) => findings.push(error(format!(
            "{} {}",
            fault.message(),
            fault.cause().unwrap_or_default()
        ))),
        Ok(config) => findings.extend(check_legacy(site, config)),
    }
    for secret in SECRETS {
        if vars.contains_key(secret) {
            findings.push(error(format!(
                "{secret} is a secret: take it out, and run `npx wrangler secret put {secret} --env {}`",
                site.environment
            )));
        }
    }
    // After a fault not all were asked for.
    if read.is_ok() {
        let known = known.borrow();
        let unknown = vars.keys().filter(|name| !known.contains(name));
        findings.extend(unknown.map(|name| error(format!("{name} is no variable of this Worker"))));
    }
    findings.extend(check_environment(site, vars));
    findings
}

/// As the Worker gets it: what is no text arrives as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn check_legacy(site: &Site<'_>, config: &Config) -> Option<Finding> {
    let url: http::Uri = config.migration.as_ref()?.url.parse().ok()?;
    let host = url.host()?;
    if site.hosts().contains(&host) {
        return Some(error(format!(
            "LEGACY_DISCOVERY_URL leads back to this Worker: {host} is its own"
        )));
    }
    (url.scheme_str() == Some("http")).then(|| {
        advice("LEGACY_DISCOVERY_URL is http: keys and addresses of those who register would go there in the clear")
    })
}

fn check_environment(site: &Site<'_>, vars: &Table) -> Option<Finding> {
    let told = vars.get("ENVIRONMENT").map(as_text);
    (told.as_deref() != Some(site.environment)).then(|| {
        advice(format!(
            "ENVIRONMENT is not \"{}\": the log would tell another",
            site.environment
        ))
    })
}
