//! Checks of a Worker's name, routes and platform settings.

use toml::Value;

use crate::environment::{Environment, text};
use crate::finding::{Finding, error};

/// Class of the objects.
pub(crate) const OBJECT_CLASS: &str = "RegistryDurableObject";

/// Flag with which the Worker notices that a client has disconnected.
const REQUEST_SIGNAL: &str = "enable_request_signal";

pub(crate) fn check(environment: &Environment<'_>) -> Vec<Finding> {
    let mut findings = name(environment);
    findings.extend(reachability(environment));
    findings.extend(inherited_routes(environment));
    findings.extend(compatibility_flags(environment));
    findings.extend(migrations(environment));
    findings
}

fn name(environment: &Environment<'_>) -> Vec<Finding> {
    let Some(name) = text(environment.own, "name") else {
        return vec![error(format!(
            "set name in [env.{}]: each Worker needs its own",
            environment.name
        ))];
    };
    let others = environment.others().into_iter();
    others
        .filter(|(_, other)| text(other, "name") == Some(name))
        .map(|(other, _)| {
            error(format!(
                "name = \"{name}\" is also the name of {other}: a deployment would replace it"
            ))
        })
        .collect()
}

fn reachability(environment: &Environment<'_>) -> Option<Finding> {
    let on_workers_dev = environment
        .inherited("workers_dev")
        .and_then(Value::as_bool);
    let is_reachable = on_workers_dev == Some(true) || !environment.hosts().is_empty();
    (!is_reachable).then(|| {
        error("the Worker has no address: set workers_dev = true, or routes with a custom domain")
    })
}

fn inherited_routes(environment: &Environment<'_>) -> Option<Finding> {
    let hosts = environment.hosts();
    let are_inherited = !environment.own.contains_key("routes") && !hosts.is_empty();
    are_inherited.then(|| {
        error(format!(
            "routes are inherited, so that a deployment would take {} from another Worker: \
             set routes, or routes = []",
            hosts.join(", ")
        ))
    })
}

fn compatibility_flags(environment: &Environment<'_>) -> Option<Finding> {
    let flags = environment.inherited("compatibility_flags");
    let mut flags = flags.and_then(Value::as_array).into_iter().flatten();
    let has_signal = flags.any(|flag| flag.as_str() == Some(REQUEST_SIGNAL));
    (!has_signal).then(|| {
        error(format!(
            "add \"{REQUEST_SIGNAL}\" to compatibility_flags: polls of disconnected clients would \
             keep waiting"
        ))
    })
}

fn migrations(environment: &Environment<'_>) -> Option<Finding> {
    let migrations = environment.inherited("migrations");
    let migrations = migrations.and_then(Value::as_array).into_iter().flatten();
    let mut classes = migrations
        .filter_map(|migration| migration.get("new_sqlite_classes")?.as_array())
        .flatten();
    let has_class = classes.any(|class| class.as_str() == Some(OBJECT_CLASS));
    (!has_class).then(|| {
        error(format!(
            "add a migration with new_sqlite_classes = [\"{OBJECT_CLASS}\"]: objects store their \
             leases in SQLite"
        ))
    })
}
