//! The configuration: variables of `wrangler.toml`, read once in an isolate's life.

use std::num::NonZeroU32;

use connect::Error;
use serde::Deserialize;

use crate::protos::coral::discovery::v1::{Endpoint, RelayOption};

/// What can be configured, with its defaults applied.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DEFAULT_TTL_SECONDS`: how long a lease lives unless renewed.
    pub ttl_seconds: i32,
    /// `CLEANUP_INTERVAL_MS`: how long a lapsed lease may stay in storage.
    pub cleanup_interval_ms: i64,
    /// `SERVICE_VERSION`: what Health reports.
    pub version: String,
    /// `CORAL_STUN_SERVERS`: told to everyone who registers.
    pub stun_servers: Vec<String>,
    /// `CORAL_RELAYS`: none means that relays are not offered.
    pub relays: Vec<RelayOption>,
    /// `AGENT_TAKEOVER`: whether another key may take a live agent id over.
    pub agent_takeover: bool,
    /// `REGISTRY_SHARDS`: `None` gives each lease its own object.
    pub shards: Option<NonZeroU32>,
    /// `CENSUS_REFRESH_MS`: how old the number of colonies may be that Health reports.
    pub census_refresh_ms: i64,
}

/// RFD 001: leases live five minutes, renewed every minute.
const TTL_SECONDS: i32 = 300;
/// RFD 046: a sweep each minute.
const CLEANUP_INTERVAL_MS: i64 = 60_000;
/// What both predecessors told their clients.
const STUN_SERVER: &str = "stun.cloudflare.com:3478";
/// Colonies call Health before every renewal; half a minute keeps that free of objects.
const CENSUS_REFRESH_MS: i64 = 30_000;
/// A lease longer than a day is no lease: the owner would lock others out for that long.
const MAX_TTL_SECONDS: i32 = 86_400;

/// One entry of `CORAL_RELAYS`, a JSON list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Relay {
    id: String,
    host: String,
    port: u16,
    #[serde(default)]
    region: String,
}

impl Config {
    /// Reads the variables through `var`, which returns `None` for one that is not set. An empty
    /// one counts as not set.
    ///
    /// # Errors
    /// `internal`, with a cause that names the variable and what it must be.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let var = |name: &'static str| var(name).filter(|value| !value.trim().is_empty());
        let relays = var("CORAL_RELAYS").unwrap_or_else(|| "[]".to_owned());
        let relays: Vec<Relay> = serde_json::from_str(&relays)
            .map_err(|error| wrong("CORAL_RELAYS", format!("a JSON list of relays: {error}")))?;
        let is_complete =
            |relay: &Relay| !relay.id.is_empty() && !relay.host.is_empty() && relay.port > 0;
        if !relays.iter().all(is_complete) {
            return Err(wrong(
                "CORAL_RELAYS",
                "relays that have an id, a host and a port",
            ));
        }
        Ok(Self {
            ttl_seconds: number(var, "DEFAULT_TTL_SECONDS", TTL_SECONDS, 1, MAX_TTL_SECONDS)?,
            cleanup_interval_ms: number(
                var,
                "CLEANUP_INTERVAL_MS",
                CLEANUP_INTERVAL_MS,
                1,
                CLEANUP_INTERVAL_MS,
            )?,
            version: var("SERVICE_VERSION").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
            stun_servers: stun_servers(var("CORAL_STUN_SERVERS")),
            relays: relays.into_iter().map(RelayOption::from).collect(),
            agent_takeover: number(var, "AGENT_TAKEOVER", false, false, true)?,
            shards: NonZeroU32::new(number(var, "REGISTRY_SHARDS", 0, 0, 65_536)?),
            census_refresh_ms: number(var, "CENSUS_REFRESH_MS", CENSUS_REFRESH_MS, 0, 3_600_000)?,
        })
    }
}

impl From<Relay> for RelayOption {
    fn from(relay: Relay) -> Self {
        Self {
            endpoint: Some(Endpoint {
                ip: relay.host,
                port: relay.port.into(),
                protocol: "udp".to_owned(),
                via_relay: true,
            }),
            relay_id: relay.id,
            region: relay.region,
            load: 0,
        }
    }
}

fn stun_servers(list: Option<String>) -> Vec<String> {
    list.as_deref()
        .unwrap_or(STUN_SERVER)
        .split(',')
        .map(|server| server.trim().to_owned())
        .filter(|server| !server.is_empty())
        .collect()
}

fn number<T>(
    var: impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    default: T,
    least: T,
    most: T,
) -> Result<T, Error>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = var(name) else {
        return Ok(default);
    };
    text.trim()
        .parse()
        .ok()
        .filter(|value| (&least..=&most).contains(&value))
        .ok_or_else(|| wrong(name, format!("between {least} and {most}, not {text:?}")))
}

fn wrong(name: &str, must: impl std::fmt::Display) -> Error {
    Error::internal("the service is not configured correctly")
        .with_cause(format!("{name} must be {must}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, Error> {
        Config::from_vars(|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_configured_is_a_working_service() {
        let config = config(&[("SERVICE_VERSION", " ")]).unwrap();
        assert_eq!(config.ttl_seconds, 300);
        assert_eq!(config.cleanup_interval_ms, 60_000);
        assert_eq!(config.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(config.stun_servers, ["stun.cloudflare.com:3478"]);
        assert!(config.relays.is_empty());
        assert!(!config.agent_takeover);
        assert_eq!(config.shards, None);
    }

    #[test]
    fn variables_are_read() {
        let config = config(&[
            ("DEFAULT_TTL_SECONDS", "10"),
            ("CORAL_STUN_SERVERS", "a:1, b:2,"),
            ("AGENT_TAKEOVER", "true"),
            ("REGISTRY_SHARDS", "8"),
            (
                "CORAL_RELAYS",
                r#"[{"id":"r1","host":"relay.example.org","port":3478,"region":"eu"}]"#,
            ),
        ])
        .unwrap();
        assert_eq!(config.ttl_seconds, 10);
        assert_eq!(config.stun_servers, ["a:1", "b:2"]);
        assert!(config.agent_takeover);
        assert_eq!(config.shards, NonZeroU32::new(8));
        assert_eq!(config.relays[0].relay_id, "r1");
        assert!(config.relays[0].endpoint.as_ref().unwrap().via_relay);
    }

    #[test]
    fn a_wrong_variable_is_named_in_the_log_but_not_to_the_client() {
        for (name, value) in [
            ("DEFAULT_TTL_SECONDS", "0"),
            ("DEFAULT_TTL_SECONDS", "five"),
            ("CLEANUP_INTERVAL_MS", "60001"),
            ("REGISTRY_SHARDS", "-1"),
            ("AGENT_TAKEOVER", "yes"),
            ("CORAL_RELAYS", "relay.example.org"),
            ("CORAL_RELAYS", r#"[{"id":"r1"}]"#),
            ("CORAL_RELAYS", r#"[{"id":"r1","host":"","port":1}]"#),
        ] {
            let error = config(&[(name, value)]).unwrap_err();
            assert!(error.cause().unwrap().starts_with(name), "{name}={value}");
            assert!(!error.message().contains(name));
        }
    }
}
