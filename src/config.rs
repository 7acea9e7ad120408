//! The configuration: variables of `wrangler.toml`, read once in an isolate's life.

mod vars;

use std::num::NonZeroU32;

use connect::Error;
use serde::Serialize;

use self::vars::{Vars, wrong};
use crate::migration::Migration;
use crate::relays::{self, Relay};
use crate::tokens::{PublicKey, Signer};

/// What can be configured, with its defaults applied. The README has a line for each variable.
#[derive(Clone, Debug)]
pub struct Config {
    /// `RUNTIME`: what the Worker runs on. It decides over other defaults, too.
    pub platform: Platform,
    /// `DEFAULT_TTL_SECONDS`: how long a lease lives unless renewed.
    pub ttl_seconds: i32,
    /// `CLEANUP_INTERVAL_MS`: how long a lapsed lease may stay in storage.
    pub cleanup_interval_ms: i64,
    /// `SERVICE_VERSION`: what Health reports.
    pub version: String,
    /// `ENVIRONMENT`: stands in the log.
    pub environment: String,
    /// `LOG_LEVEL`: what is logged.
    pub log_level: LogLevel,
    /// `LOG_FORMAT`: how.
    pub log_format: LogFormat,
    /// `CORAL_STUN_SERVERS`: told to everyone who registers.
    pub stun_servers: Vec<String>,
    /// `CORAL_RELAYS`: none means that relays are not offered.
    pub relays: Vec<Relay>,
    /// `AGENT_TAKEOVER`: whether another key may take a live agent id over.
    pub agent_takeover: bool,
    /// `DISCOVERY_SIGNING_KEY`: what signs tickets; without, none are issued.
    pub signer: Option<Signer>,
    /// `DISCOVERY_VERIFICATION_KEYS`: public keys of tickets that may still be under way.
    pub previous_keys: Vec<PublicKey>,
    /// `TOKENS_PER_HOUR_PER_AGENT`, `TOKENS_PER_HOUR_PER_CLIENT` and `TOKENS_PER_HOUR_PER_COLONY`: how many tickets are issued in an hour; 0 for any number.
    pub tokens_by_agent: u32,
    /// See `tokens_by_agent`.
    pub tokens_by_client: u32,
    /// See `tokens_by_agent`.
    pub tokens_by_colony: u32,
    /// `DISCOVERY_ADMIN_KEY`: the SHA-256 of the secret of operators; without, there is nothing for them.
    pub admin_key_hash: Option<[u8; 32]>,
    /// `LEGACY_DISCOVERY_URL` and what belongs to it: the old server that clients move from.
    pub migration: Option<Migration>,
    /// `REGISTRY_SHARDS`: `None` gives each lease its own object.
    pub shards: Option<NonZeroU32>,
    /// `COLONY_COUNT_MAX_AGE_MS`: how old the number of colonies may be that Health reports.
    pub census_refresh_ms: i64,
    /// `CACHE_HOT_LOOKUPS_PER_MINUTE`: from how many lookups a minute a lease is cached; `None`: never.
    pub hot_lookups: Option<NonZeroU32>,
    /// `MEMORY_CACHE_TTL_MS`: for how long an isolate answers from its own memory.
    pub memo_ms: i64,
    /// `MEMORY_CACHE_MAX_ENTRIES`: how many hot leases an isolate remembers.
    pub memo_entries: usize,
}

/// What is logged: lines of this level and those above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Sweeps too.
    Debug,
    /// Every request.
    Info,
    /// What an operator may want to look into.
    Warn,
    /// What failed by the service's own fault.
    Error,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// As objects, which Workers Logs indexes by their keys.
    Object,
    /// As lines of JSON, for a runtime that prints objects for people.
    Line,
}

/// RFD 001: leases live five minutes, renewed every minute.
const TTL_SECONDS: i32 = 300;
/// RFD 046: a sweep each minute.
const CLEANUP_INTERVAL_MS: i64 = 60_000;
/// What both predecessors told their clients.
const STUN_SERVER: &str = "stun.cloudflare.com:3478";
/// Colonies call Health before every renewal; half a minute keeps that free of objects.
const COLONY_COUNT_MAX_AGE_MS: i64 = 30_000;
/// A burst of registrations is spread over this many writers, and as many files are open at the most.
const SHARDS_ON_WORKERD: u32 = 64;
/// A lease longer than a day is no lease: the owner would lock others out for that long.
const MAX_TTL_SECONDS: i32 = 86_400;
/// Five lookups a second. Below, asking the object costs less than KV (reading KV costs three times
/// an object request), and one object answers several hundred a second.
const HOT_LOOKUPS: u32 = 300;
/// Long enough for a herd that asks at once, too short for anybody to notice.
const MEMO_MS: i64 = 1_000;
/// With records of a few KB, some hundred KB of an isolate's 128 MB.
const MEMO_ENTRIES: usize = 256;
/// A full memo of the largest records is then a quarter of an isolate's memory.
const MAX_MEMO_ENTRIES: usize = 512;

/// RFD 086, as are the next two: how many tickets an agent gets in an hour.
const TOKENS_PER_HOUR_PER_AGENT: u32 = 10;
/// How many tickets an address gets in an hour.
const TOKENS_PER_HOUR_PER_CLIENT: u32 = 100;
/// How many tickets are issued for a colony in an hour.
const TOKENS_PER_HOUR_PER_COLONY: u32 = 1_000;

impl Default for Config {
    /// What applies where nothing is configured.
    fn default() -> Self {
        Self {
            platform: Platform::Cloudflare,
            ttl_seconds: TTL_SECONDS,
            cleanup_interval_ms: CLEANUP_INTERVAL_MS,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: "development".to_owned(),
            log_level: LogLevel::Info,
            log_format: LogFormat::Object,
            stun_servers: vec![STUN_SERVER.to_owned()],
            relays: Vec::new(),
            agent_takeover: false,
            signer: None,
            previous_keys: Vec::new(),
            tokens_by_agent: TOKENS_PER_HOUR_PER_AGENT,
            tokens_by_client: TOKENS_PER_HOUR_PER_CLIENT,
            tokens_by_colony: TOKENS_PER_HOUR_PER_COLONY,
            admin_key_hash: None,
            migration: None,
            shards: None,
            census_refresh_ms: COLONY_COUNT_MAX_AGE_MS,
            hot_lookups: NonZeroU32::new(HOT_LOOKUPS),
            memo_ms: MEMO_MS,
            memo_entries: MEMO_ENTRIES,
        }
    }
}

impl Config {
    /// What applies where the configuration is wrong.
    #[must_use]
    pub fn fallback(var: impl Fn(&str) -> Option<String>) -> Self {
        let platform = Vars(var).one_of("RUNTIME", Platform::Cloudflare, &PLATFORMS);
        Self::of_platform(platform.unwrap_or(Platform::Cloudflare))
    }

    fn of_platform(platform: Platform) -> Self {
        match platform {
            Platform::Cloudflare => Self::default(),
            Platform::Workerd => Self::on_workerd(),
        }
    }

    /// What applies on a machine of one's own. There workerd keeps a file for every object that was
    /// ever asked, so that made-up ids would fill the disk, and it prints logged objects for people.
    fn on_workerd() -> Self {
        Self {
            platform: Platform::Workerd,
            shards: NonZeroU32::new(SHARDS_ON_WORKERD),
            log_format: LogFormat::Line,
            ..Self::default()
        }
    }

    /// Whether answers may be compressed here. On Cloudflare not: a Worker is told `Accept-Encoding:
    /// br, gzip` whatever the client accepts, and the edge compresses JSON by itself.
    #[must_use]
    pub fn compresses(&self) -> bool {
        self.platform == Platform::Workerd
    }

    /// Whether answers tell the id of their request (`CF-Ray`), so that a report can be traced. On Cloudflare the edge does, and a
    /// header that differs in each answer would cost a few microseconds.
    #[must_use]
    pub fn tells_ray(&self) -> bool {
        self.platform == Platform::Workerd
    }

    /// Reads the variables through `var`, which returns `None` for one that is not set. An empty
    /// one counts as not set.
    ///
    /// # Errors
    /// `failed_precondition`, which names the variable and what it must be, with a cause that tells
    /// its value.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars(|name: &str| var(name).filter(|value| !value.trim().is_empty()));
        let default =
            Self::of_platform(vars.one_of("RUNTIME", Platform::Cloudflare, &PLATFORMS)?);
        let stun_servers = vars.text("CORAL_STUN_SERVERS", STUN_SERVER.to_owned());
        let relays = vars.text("CORAL_RELAYS", "[]".to_owned());
        let shards = default.shards.map_or(0, NonZeroU32::get);
        let hot_lookups = default.hot_lookups.map_or(0, NonZeroU32::get);
        let (signer, previous_keys) = vars.keys()?;
        Ok(Self {
            platform: default.platform,
            ttl_seconds: vars.number("DEFAULT_TTL_SECONDS", TTL_SECONDS, 1, MAX_TTL_SECONDS)?,
            cleanup_interval_ms: vars.number(
                "CLEANUP_INTERVAL_MS",
                CLEANUP_INTERVAL_MS,
                1,
                CLEANUP_INTERVAL_MS,
            )?,
            version: vars.text("SERVICE_VERSION", default.version),
            environment: vars.text("ENVIRONMENT", default.environment),
            log_level: vars.one_of("LOG_LEVEL", default.log_level, &LOG_LEVELS)?,
            log_format: vars.one_of("LOG_FORMAT", default.log_format, &LOG_FORMATS)?,
            stun_servers: servers(&stun_servers).ok_or_else(|| {
                let must = "hosts with ports, separated by commas";
                wrong("CORAL_STUN_SERVERS", must).with_cause(&stun_servers)
            })?,
            relays: relays::parse(&relays)
                .map_err(|must| wrong("CORAL_RELAYS", must).with_cause(&relays))?,
            agent_takeover: vars.number("AGENT_TAKEOVER", false, false, true)?,
            signer,
            previous_keys,
            tokens_by_agent: vars.number(
                "TOKENS_PER_HOUR_PER_AGENT",
                TOKENS_PER_HOUR_PER_AGENT,
                0,
                1_000_000,
            )?,
            tokens_by_client: vars.number(
                "TOKENS_PER_HOUR_PER_CLIENT",
                TOKENS_PER_HOUR_PER_CLIENT,
                0,
                1_000_000,
            )?,
            tokens_by_colony: vars.number(
                "TOKENS_PER_HOUR_PER_COLONY",
                TOKENS_PER_HOUR_PER_COLONY,
                0,
                1_000_000,
            )?,
            admin_key_hash: vars.admin_key_hash()?,
            migration: vars.migration()?,
            shards: NonZeroU32::new(vars.number("REGISTRY_SHARDS", shards, 0, 65_536)?),
            census_refresh_ms: vars.number(
                "COLONY_COUNT_MAX_AGE_MS",
                COLONY_COUNT_MAX_AGE_MS,
                0,
                3_600_000,
            )?,
            hot_lookups: NonZeroU32::new(vars.number(
                "CACHE_HOT_LOOKUPS_PER_MINUTE",
                hot_lookups,
                0,
                1_000_000,
            )?),
            memo_ms: vars.number("MEMORY_CACHE_TTL_MS", MEMO_MS, 0, 30_000)?,
            memo_entries: vars.number(
                "MEMORY_CACHE_MAX_ENTRIES",
                MEMO_ENTRIES,
                0,
                MAX_MEMO_ENTRIES,
            )?,
        })
    }
}

/// What the Worker runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Cloudflare, whose edge compresses answers and hides what the client accepts.
    Cloudflare,
    /// workerd on a machine of one's own.
    Workerd,
}

const PLATFORMS: [(&str, Platform); 2] = [
    ("cloudflare", Platform::Cloudflare),
    ("workerd", Platform::Workerd),
];

const LOG_LEVELS: [(&str, LogLevel); 4] = [
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
];

const LOG_FORMATS: [(&str, LogFormat); 2] =
    [("object", LogFormat::Object), ("line", LogFormat::Line)];

/// Reads `host:port, host:port`. `None` if one is something else.
fn servers(list: &str) -> Option<Vec<String>> {
    list.split(',')
        .map(str::trim)
        .map(|server| relays::host_and_port(server).map(|_| server.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::vars::{ADMIN_KEY, LEGACY_URL, PREVIOUS_KEYS, SIGNING_KEY};
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, Error> {
        Config::from_vars(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_configured_is_a_working_service() {
        let nothing = config(&[("SERVICE_VERSION", " ")]).unwrap();
        assert_eq!(format!("{nothing:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn a_machine_of_ones_own_has_other_defaults() {
        let own = config(&[("RUNTIME", "workerd")]).unwrap();
        assert_eq!(own.shards, NonZeroU32::new(64));
        assert_eq!(own.log_format, LogFormat::Line);
        let changed = config(&[("RUNTIME", "workerd"), ("REGISTRY_SHARDS", "0")]).unwrap();
        assert_eq!(changed.shards, None);
    }

    #[test]
    fn variables_are_read() {
        let config = config(&[
            ("DEFAULT_TTL_SECONDS", "10"),
            ("CORAL_STUN_SERVERS", "a:1, b:2"),
            ("AGENT_TAKEOVER", "true"),
            ("REGISTRY_SHARDS", "8"),
            ("LOG_LEVEL", "warn"),
            ("LOG_FORMAT", "line"),
            ("CACHE_HOT_LOOKUPS_PER_MINUTE", "0"),
            (
                "CORAL_RELAYS",
                r#"[{"id":"r1","endpoint":"relay.example.org:3478"}]"#,
            ),
        ])
        .unwrap();
        assert_eq!(config.ttl_seconds, 10);
        assert_eq!(config.stun_servers, ["a:1", "b:2"]);
        assert!(config.agent_takeover);
        assert_eq!(config.shards, NonZeroU32::new(8));
        assert_eq!(config.log_level, LogLevel::Warn);
        assert_eq!(config.log_format, LogFormat::Line);
        assert_eq!(config.hot_lookups, None);
        assert_eq!(config.relays[0].id, "r1");
    }

    /// Secret and variable are set one after the other while keys are changed.
    #[test]
    fn the_current_key_may_be_among_the_previous_ones() {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let secret = format!(r#"{{"id":"K","privateKey":"{}"}}"#, encode(&[1; 32]));
        let with_previous = |public: &[u8]| {
            let list = format!(r#"[{{"id":"K","publicKey":"{}"}}]"#, encode(public));
            config(&[(SIGNING_KEY, &secret), (PREVIOUS_KEYS, &list)])
        };
        let same = with_previous(key.verifying_key().as_bytes()).unwrap();
        assert!(same.signer.is_some() && same.previous_keys.is_empty());
        let other = ed25519_dalek::SigningKey::from_bytes(&[2; 32]);
        let error = with_previous(other.verifying_key().as_bytes()).unwrap_err();
        assert!(error.message().contains(PREVIOUS_KEYS), "{error}");
    }

    #[test]
    fn a_wrong_variable_is_named_and_its_value_is_for_the_log() {
        for (name, value) in [
            ("DEFAULT_TTL_SECONDS", "0"),
            ("DEFAULT_TTL_SECONDS", "five"),
            ("CLEANUP_INTERVAL_MS", "60001"),
            ("REGISTRY_SHARDS", "-1"),
            ("AGENT_TAKEOVER", "yes"),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
            ("MEMORY_CACHE_MAX_ENTRIES", "513"),
            ("CORAL_RELAYS", "relay.example.org"),
            ("CORAL_STUN_SERVERS", r#"["a:1"]"#),
            ("CORAL_STUN_SERVERS", "stun.example.org"),
            ("CORAL_STUN_SERVERS", ","),
            ("RUNTIME", "foo"),
            ("TOKENS_PER_HOUR_PER_AGENT", "-1"),
            ("DISCOVERY_SIGNING_KEY", "c2VjcmV0"),
            ("DISCOVERY_VERIFICATION_KEYS", "c2VjcmV0"),
            ("DISCOVERY_ADMIN_KEY", "c2VjcmV0"),
            ("LEGACY_DISCOVERY_URL", "discovery.example.org"),
            ("LEGACY_CODEC", "xml"),
            ("LEGACY_TIMEOUT_MS", "5001"),
        ] {
            let error = config(&[(name, value)]).unwrap_err();
            assert_eq!(error.code(), connect::Code::FailedPrecondition);
            assert!(error.message().contains(name), "{name}={value}");
            assert!(!error.message().contains(&format!("{value:?}")));
            // A URL that is refused may have a password in it.
            let is_secret = matches!(name, SIGNING_KEY | ADMIN_KEY | LEGACY_URL);
            assert_eq!(error.cause().is_none(), is_secret, "{name}");
        }
    }
}
