//! What the Worker is bound to. Nothing of it is inherited.

use coral_discovery::rate_limit::Limit;
use toml::{Table, Value};

use crate::finding::{Finding, advice, error};
use crate::{Site, text};

/// Names as the Worker looks them up.
const REGISTRY: &str = "REGISTRY";
const CACHE: &str = "CACHE";
const METRICS: &str = "METRICS";
const VERSION: &str = "CF_VERSION_METADATA";

/// Seconds, as the Worker tells clients when to come back.
const PERIOD: i64 = 60;

pub(crate) fn check(site: &Site<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(registry(site));
    findings.extend(cache(site));
    findings.extend(metrics(site));
    findings.extend(version(site));
    for limit in Limit::ALL {
        findings.extend(rate_limit(site, limit.binding()));
    }
    findings
}

/// The tables of a list of tables.
fn tables<'a>(of: &'a Table, key: &str) -> Vec<&'a Table> {
    let list = of.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_table).collect()
}

/// The table of a list that has this text under that key.
fn named<'a>(of: &'a Table, list: &str, key: &str, name: &str) -> Option<&'a Table> {
    let mut tables = tables(of, list).into_iter();
    tables.find(|table| text(table, key) == Some(name))
}

fn registry(site: &Site<'_>) -> Option<Finding> {
    let objects = site.own.get("durable_objects").and_then(Value::as_table);
    let bound = objects.and_then(|objects| named(objects, "bindings", "name", REGISTRY));
    let class = bound.and_then(|bound| text(bound, "class_name"));
    (class != Some("RegistryDurableObject")).then(|| {
        error(format!(
            "{REGISTRY} is not bound to the class RegistryDurableObject: without it every call fails"
        ))
    })
}

fn cache(site: &Site<'_>) -> Option<Finding> {
    let Some(cache) = named(site.own, "kv_namespaces", "binding", CACHE) else {
        return Some(advice(format!(
            "{CACHE} is not bound: hot lookups are cached in memory alone"
        )));
    };
    let id = text(cache, "id").unwrap_or_default();
    if id.bytes().all(|byte| byte == b'0') {
        return Some(error(format!(
            "{CACHE} has no id yet: run `npx wrangler kv namespace create CACHE --env {}` and put the id that it prints \
             into [[env.{}.kv_namespaces]]",
            site.environment, site.environment
        )));
    }
    let (whose, _) = site.others().into_iter().find(|(_, other)| {
        let other = named(other, "kv_namespaces", "binding", CACHE);
        other.and_then(|other| text(other, "id")) == Some(id)
    })?;
    Some(error(format!(
        "{CACHE} has the id of {whose}: one would be told of the other's leases"
    )))
}

fn metrics(site: &Site<'_>) -> Option<Finding> {
    let key = "analytics_engine_datasets";
    let Some(metrics) = named(site.own, key, "binding", METRICS) else {
        return Some(advice(format!(
            "{METRICS} is not bound: there are no numbers of calls, errors and latencies"
        )));
    };
    let dataset = text(metrics, "dataset")?;
    let (whose, _) = site.others().into_iter().find(|(_, other)| {
        named(other, key, "binding", METRICS).and_then(|other| text(other, "dataset"))
            == Some(dataset)
    })?;
    Some(error(format!(
        "{METRICS} writes to {dataset}, as that of {whose} does: their numbers would be added up"
    )))
}

fn version(site: &Site<'_>) -> Option<Finding> {
    let version = site.own.get("version_metadata").and_then(Value::as_table);
    let binding = version.and_then(|version| text(version, "binding"));
    (binding != Some(VERSION)).then(|| {
        error(format!(
            "[env.{}.version_metadata] has no binding = \"{VERSION}\": versions cannot be told apart during a rollout",
            site.environment
        ))
    })
}

fn rate_limit(site: &Site<'_>, name: &str) -> Vec<Finding> {
    let Some(limit) = named(site.own, "ratelimits", "name", name) else {
        return vec![error(format!(
            "{name} is not there: nothing limits what it counts"
        ))];
    };
    let mut findings = Vec::new();
    let id = text(limit, "namespace_id").unwrap_or_default();
    if id.parse::<u32>().is_ok_and(|id| id > 0) {
        findings.extend(same_number(site, name, id));
    } else {
        findings.push(error(format!(
            "{name}: namespace_id must be a positive integer, as a text"
        )));
    }
    let simple = limit.get("simple").and_then(Value::as_table);
    let period = simple.and_then(|simple| simple.get("period")?.as_integer());
    if period != Some(PERIOD) {
        findings.push(error(format!(
            "{name}: period must be {PERIOD}, as callers are told to come back in a minute"
        )));
    }
    findings
}

/// Limits of one account that have one number count together.
fn same_number(site: &Site<'_>, name: &str, id: &str) -> Vec<Finding> {
    let mut owners = vec![("this environment".to_owned(), site.own)];
    owners.extend(site.others());
    let mut findings = Vec::new();
    for (whose, table) in owners {
        for limit in tables(table, "ratelimits") {
            let other = text(limit, "name").unwrap_or_default();
            let is_itself = std::ptr::eq(table, site.own) && other == name;
            if !is_itself && text(limit, "namespace_id") == Some(id) {
                findings.push(error(format!(
                    "{name}: namespace_id {id} is used by {other} of {whose}: they would count together"
                )));
            }
        }
    }
    findings
}
