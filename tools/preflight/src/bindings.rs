//! Checks of the bindings. Environments do not inherit them.

use coral_discovery::domain::rate_limit::Limit;
use toml::{Table, Value};

use crate::environment::{Environment, text};
use crate::finding::{Finding, error, note};
use crate::settings::OBJECT_CLASS;

/// Names by which the Worker finds its bindings.
const REGISTRY: &str = "REGISTRY";
const CACHE: &str = "CACHE";
const METRICS: &str = "METRICS";
const VERSION: &str = "CF_VERSION_METADATA";

/// Period of rate limits in seconds: the Worker sends it to clients as the time to retry after.
const PERIOD: i64 = 60;

pub(crate) fn check(environment: &Environment<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(registry(environment));
    findings.extend(cache(environment));
    findings.extend(metrics(environment));
    findings.extend(version(environment));
    for limit in Limit::ALL {
        findings.extend(rate_limit(environment, limit.binding()));
    }
    findings
}

/// Returns the tables of a list.
fn tables<'a>(parent: &'a Table, list: &str) -> Vec<&'a Table> {
    let list = parent.get(list).and_then(Value::as_array);
    let list = list.into_iter().flatten();
    list.filter_map(Value::as_table).collect()
}

/// Returns the table of a list whose `key` is `name`.
fn find<'a>(parent: &'a Table, list: &str, key: &str, name: &str) -> Option<&'a Table> {
    let mut tables = tables(parent, list).into_iter();
    tables.find(|table| text(table, key) == Some(name))
}

fn registry(environment: &Environment<'_>) -> Option<Finding> {
    let objects = environment.own.get("durable_objects");
    let objects = objects.and_then(Value::as_table);
    let binding = objects.and_then(|objects| find(objects, "bindings", "name", REGISTRY));
    let class = binding.and_then(|binding| text(binding, "class_name"));
    (class != Some(OBJECT_CLASS)).then(|| {
        error(format!(
            "bind {REGISTRY} to the class {OBJECT_CLASS}: every call would fail without it"
        ))
    })
}

fn cache(environment: &Environment<'_>) -> Option<Finding> {
    const LIST: &str = "kv_namespaces";
    let Some(cache) = find(environment.own, LIST, "binding", CACHE) else {
        return Some(note(format!(
            "{CACHE} is not bound: hot keys are cached only in the memory of isolates"
        )));
    };
    let id = text(cache, "id").unwrap_or_default();
    if id.bytes().all(|byte| byte == b'0') {
        let name = environment.name;
        return Some(error(format!(
            "{CACHE} has no id yet: run `npx wrangler kv namespace create CACHE --env {name}` and \
             put the printed id into [[env.{name}.{LIST}]]"
        )));
    }
    let (owner, _) = environment.others().into_iter().find(|(_, other)| {
        let other = find(other, LIST, "binding", CACHE);
        other.and_then(|other| text(other, "id")) == Some(id)
    })?;
    Some(error(format!(
        "{CACHE} has the same id as in {owner}: each would return the leases of the other"
    )))
}

fn metrics(environment: &Environment<'_>) -> Option<Finding> {
    const LIST: &str = "analytics_engine_datasets";
    let Some(metrics) = find(environment.own, LIST, "binding", METRICS) else {
        return Some(note(format!(
            "{METRICS} is not bound: calls, errors and latencies are not counted"
        )));
    };
    let dataset = text(metrics, "dataset")?;
    let (owner, _) = environment.others().into_iter().find(|(_, other)| {
        let other = find(other, LIST, "binding", METRICS);
        other.and_then(|other| text(other, "dataset")) == Some(dataset)
    })?;
    Some(error(format!(
        "{METRICS} has the dataset {dataset}, as in {owner}: their data points would be mixed"
    )))
}

fn version(environment: &Environment<'_>) -> Option<Finding> {
    let version = environment.own.get("version_metadata");
    let version = version.and_then(Value::as_table);
    let binding = version.and_then(|version| text(version, "binding"));
    (binding != Some(VERSION)).then(|| {
        error(format!(
            "set binding = \"{VERSION}\" in [env.{}.version_metadata]: logs and metrics would not \
             distinguish the versions of a rollout",
            environment.name
        ))
    })
}

fn rate_limit(environment: &Environment<'_>, name: &str) -> Vec<Finding> {
    let Some(limit) = find(environment.own, "ratelimits", "name", name) else {
        return vec![error(format!(
            "{name} is not bound: its calls would not be limited"
        ))];
    };
    let mut findings = Vec::new();
    let id = text(limit, "namespace_id").unwrap_or_default();
    if id.parse::<u32>().is_ok_and(|id| id > 0) {
        findings.extend(shared_namespace(environment, name, id));
    } else {
        findings.push(error(format!(
            "{name}: namespace_id must be a positive integer, as a string"
        )));
    }
    let simple = limit.get("simple").and_then(Value::as_table);
    let period = simple.and_then(|simple| simple.get("period")?.as_integer());
    if period != Some(PERIOD) {
        findings.push(error(format!(
            "{name}: period must be {PERIOD}: limited clients retry after {PERIOD} seconds"
        )));
    }
    findings
}

/// Reports the other limits with the same namespace: limits of one account share the counters of
/// a namespace.
fn shared_namespace(environment: &Environment<'_>, name: &str, id: &str) -> Vec<Finding> {
    let mut workers = vec![("this environment".to_owned(), environment.own)];
    workers.extend(environment.others());
    let mut findings = Vec::new();
    for (owner, table) in workers {
        for limit in tables(table, "ratelimits") {
            let other = text(limit, "name").unwrap_or_default();
            let is_same = std::ptr::eq(table, environment.own) && other == name;
            if !is_same && text(limit, "namespace_id") == Some(id) {
                findings.push(error(format!(
                    "{name}: namespace_id {id} is used by {other} of {owner}, so that both would \
                     share one counter: choose another number"
                )));
            }
        }
    }
    findings
}
