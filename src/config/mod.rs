//! The configuration: variables, read once in the life of a host's state.

mod variables;

use std::num::NonZeroU32;
use std::time::Duration;

use connect::Error;
use coral_registry::census::DEBOUNCE;

use self::variables::{Variables, invalid_variable};
use crate::cache::CacheSettings;
use crate::domain::bootstrap_token::Signer;
use crate::domain::key_set::PublicKey;
use crate::domain::relays::{self, Relay};
use crate::migration::MigrationSettings;
use crate::telemetry::{LogFormat, LogLevel};

/// The configuration, with its defaults applied. `docs/configuration.md` has a line for each
/// variable.
#[derive(Clone, Debug)]
pub struct Config {
    /// `RUNTIME`: the runtime under the service. It decides over other defaults, too.
    pub runtime: RuntimeKind,
    /// `DEFAULT_TTL_SECONDS`: the lifetime of a lease unless renewed.
    pub ttl_seconds: i32,
    /// `CLEANUP_INTERVAL_MS`: the time for which an expired lease may stay in storage.
    pub cleanup_interval: Duration,
    /// `SERVICE_VERSION`: the version that Health reports.
    pub version: String,
    /// `ENVIRONMENT`: the environment in the log.
    pub environment: String,
    /// `LOG_LEVEL`: the level from which entries are logged.
    pub log_level: LogLevel,
    /// `LOG_FORMAT`: the format of the log.
    pub log_format: LogFormat,
    /// `CORAL_STUN_SERVERS`: the STUN servers in the responses to registrations.
    pub stun_servers: Vec<String>,
    /// `CORAL_RELAYS`: the relays; without any, relays are not offered.
    pub relays: Vec<Relay>,
    /// `AGENT_TAKEOVER`: whether another key may take a live agent id over.
    pub agent_takeover: bool,
    /// `DISCOVERY_SIGNING_KEY`: the key that signs bootstrap tokens; without it, none are issued.
    pub signer: Option<Signer>,
    /// `DISCOVERY_VERIFICATION_KEYS`: further keys that verify bootstrap tokens.
    pub verification_keys: Vec<PublicKey>,
    /// `TOKENS_PER_HOUR_PER_AGENT`: the bootstrap tokens of an agent in an hour; 0 for any number.
    pub tokens_per_agent: u32,
    /// `TOKENS_PER_HOUR_PER_CLIENT`: the bootstrap tokens of an address in an hour.
    pub tokens_per_client: u32,
    /// `TOKENS_PER_HOUR_PER_COLONY`: the bootstrap tokens of a colony in an hour.
    pub tokens_per_colony: u32,
    /// `DISCOVERY_ADMIN_KEY`: the SHA-256 of the admin key; without it, there is no admin service.
    pub admin_key_hash: Option<[u8; 32]>,
    /// `LEGACY_DISCOVERY_URL` and its companions: the migration from a legacy server.
    pub migration: Option<MigrationSettings>,
    /// `REGISTRY_SHARDS`: the number of objects that share all leases; `None` gives each lease its
    /// own object.
    pub shards: Option<NonZeroU32>,
    /// `COLONY_COUNT_MAX_AGE_MS`: the age of the colony count that Health reports.
    pub colony_count_max_age: Duration,
    /// `CACHE_HOT_LOOKUPS_PER_MINUTE`: the lookups a minute from which a lease is cached; `None`
    /// caches nothing.
    pub hot_lookups: Option<NonZeroU32>,
    /// `MEMORY_CACHE_TTL_MS` and `MEMORY_CACHE_MAX_ENTRIES`: the cache.
    pub cache: CacheSettings,
}

/// RFD 001: leases live five minutes, renewed every minute.
const TTL_SECONDS: i32 = 300;
/// A lease longer than a day would lock others out for that long.
const MAX_TTL_SECONDS: i32 = 86_400;
/// RFD 046: a sweep each minute.
const CLEANUP_INTERVAL_MS: u64 = 60_000;
/// The STUN server of both legacy servers.
const STUN_SERVER: &str = "stun.cloudflare.com:3478";
/// Colonies call Health before every renewal; half a minute keeps that free of objects.
const COLONY_COUNT_MAX_AGE_MS: u64 = 30_000;
/// A burst of registrations is spread over this many writers, and as many files are open at most.
const SHARDS_ON_WORKERD: u32 = 64;
/// Five lookups a second. Below, a request to the object costs less than KV (a KV read costs three
/// times an object request), and one object handles several hundred a second.
const HOT_LOOKUPS: u32 = 300;
/// Long enough for a burst of lookups of the same key, too short for clients to notice.
const MEMORY_CACHE_TTL_MS: u64 = 1_000;
/// With records of a few KB, some hundred KB of an isolate's 128 MB.
const MEMORY_CACHE_ENTRIES: usize = 256;
/// A full cache of the largest records is then a quarter of an isolate's memory.
const MAX_MEMORY_CACHE_ENTRIES: usize = 512;

/// RFD 086, as the next two: the bootstrap tokens that an agent gets in an hour.
const TOKENS_PER_AGENT: u32 = 10;
/// The bootstrap tokens that an address gets in an hour.
const TOKENS_PER_CLIENT: u32 = 100;
/// The bootstrap tokens that are issued for a colony in an hour.
const TOKENS_PER_COLONY: u32 = 1_000;
/// The largest number of bootstrap tokens in an hour that can be configured.
const MAX_TOKENS: u32 = 1_000_000;

impl Default for Config {
    /// Returns the configuration of a service without variables.
    fn default() -> Self {
        Self {
            runtime: RuntimeKind::Cloudflare,
            ttl_seconds: TTL_SECONDS,
            cleanup_interval: Duration::from_millis(CLEANUP_INTERVAL_MS),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: "development".to_owned(),
            log_level: LogLevel::Info,
            log_format: LogFormat::Object,
            stun_servers: vec![STUN_SERVER.to_owned()],
            relays: Vec::new(),
            agent_takeover: false,
            signer: None,
            verification_keys: Vec::new(),
            tokens_per_agent: TOKENS_PER_AGENT,
            tokens_per_client: TOKENS_PER_CLIENT,
            tokens_per_colony: TOKENS_PER_COLONY,
            admin_key_hash: None,
            migration: None,
            shards: None,
            colony_count_max_age: Duration::from_millis(COLONY_COUNT_MAX_AGE_MS),
            hot_lookups: NonZeroU32::new(HOT_LOOKUPS),
            cache: CacheSettings {
                is_enabled: true,
                memory_ttl: Duration::from_millis(MEMORY_CACHE_TTL_MS),
                memory_entries: MEMORY_CACHE_ENTRIES,
            },
        }
    }
}

impl Config {
    /// Returns the configuration that applies where the variables are wrong.
    #[must_use]
    pub fn fallback(var: impl Fn(&str) -> Option<String>) -> Self {
        let runtime = Variables(var).one_of("RUNTIME", RuntimeKind::Cloudflare, &RUNTIMES);
        Self::on(runtime.unwrap_or(RuntimeKind::Cloudflare))
    }

    /// Returns the defaults on a runtime. A self-hosted workerd keeps a file for every object that
    /// was ever addressed, so that made-up ids would fill the disk, and prints logged objects for
    /// people.
    fn on(runtime: RuntimeKind) -> Self {
        match runtime {
            RuntimeKind::Cloudflare => Self::default(),
            RuntimeKind::Workerd => Self {
                runtime,
                shards: NonZeroU32::new(SHARDS_ON_WORKERD),
                log_format: LogFormat::Line,
                ..Self::default()
            },
        }
    }

    /// Returns whether responses may be compressed. Not on Cloudflare: a Worker sees
    /// `Accept-Encoding: br, gzip` whatever the client accepts, and the edge compresses JSON.
    #[must_use]
    pub fn compresses(&self) -> bool {
        self.runtime == RuntimeKind::Workerd
    }

    /// Returns whether responses carry the id of their request (`CF-Ray`), so that a report can be
    /// traced. On Cloudflare the edge adds it, and a header that differs in each response would
    /// cost a few microseconds.
    #[must_use]
    pub fn sends_ray(&self) -> bool {
        self.runtime == RuntimeKind::Workerd
    }

    /// Returns the lifetime of a lease, in milliseconds.
    #[must_use]
    pub fn ttl_ms(&self) -> i64 {
        i64::from(self.ttl_seconds).saturating_mul(1_000)
    }

    /// Returns the time for which notifications are batched, at most as long as in the census.
    #[must_use]
    pub fn notification_delay(&self) -> Duration {
        DEBOUNCE.min(self.colony_count_max_age)
    }

    /// Reads the variables through `var`, which returns `None` for one that is not set. An empty
    /// one counts as not set.
    ///
    /// # Errors
    /// `failed_precondition`, which names the variable and what it must be, with its value as the
    /// cause unless it is a secret.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Variables(|name: &str| var(name).filter(|value| !value.trim().is_empty()));
        let default = Self::on(vars.one_of("RUNTIME", RuntimeKind::Cloudflare, &RUNTIMES)?);
        let stun_servers = vars.text("CORAL_STUN_SERVERS", STUN_SERVER.to_owned());
        let relays = vars.text("CORAL_RELAYS", "[]".to_owned());
        let shards = default.shards.map_or(0, NonZeroU32::get);
        let hot_lookups = default.hot_lookups.map_or(0, NonZeroU32::get);
        let hot_lookups = NonZeroU32::new(vars.number(
            "CACHE_HOT_LOOKUPS_PER_MINUTE",
            hot_lookups,
            0,
            1_000_000,
        )?);
        let tokens = |name, default| vars.number(name, default, 0, MAX_TOKENS);
        let (signer, verification_keys) = vars.keys()?;
        Ok(Self {
            runtime: default.runtime,
            ttl_seconds: vars.number("DEFAULT_TTL_SECONDS", TTL_SECONDS, 1, MAX_TTL_SECONDS)?,
            cleanup_interval: vars.duration_ms(
                "CLEANUP_INTERVAL_MS",
                CLEANUP_INTERVAL_MS,
                1,
                CLEANUP_INTERVAL_MS,
            )?,
            version: vars.text("SERVICE_VERSION", default.version),
            environment: vars.text("ENVIRONMENT", default.environment),
            log_level: vars.one_of("LOG_LEVEL", default.log_level, &LOG_LEVELS)?,
            log_format: vars.one_of("LOG_FORMAT", default.log_format, &LOG_FORMATS)?,
            stun_servers: parse_servers(&stun_servers).ok_or_else(|| {
                let must = "hosts with ports, separated by commas";
                invalid_variable("CORAL_STUN_SERVERS", must).with_cause(&stun_servers)
            })?,
            relays: relays::parse(&relays)
                .map_err(|must| invalid_variable("CORAL_RELAYS", must).with_cause(&relays))?,
            agent_takeover: vars.number("AGENT_TAKEOVER", false, false, true)?,
            signer,
            verification_keys,
            tokens_per_agent: tokens("TOKENS_PER_HOUR_PER_AGENT", TOKENS_PER_AGENT)?,
            tokens_per_client: tokens("TOKENS_PER_HOUR_PER_CLIENT", TOKENS_PER_CLIENT)?,
            tokens_per_colony: tokens("TOKENS_PER_HOUR_PER_COLONY", TOKENS_PER_COLONY)?,
            admin_key_hash: vars.admin_key_hash()?,
            migration: vars.migration()?,
            shards: NonZeroU32::new(vars.number("REGISTRY_SHARDS", shards, 0, 65_536)?),
            colony_count_max_age: vars.duration_ms(
                "COLONY_COUNT_MAX_AGE_MS",
                COLONY_COUNT_MAX_AGE_MS,
                0,
                3_600_000,
            )?,
            hot_lookups,
            cache: CacheSettings {
                is_enabled: hot_lookups.is_some(),
                memory_ttl: vars.duration_ms(
                    "MEMORY_CACHE_TTL_MS",
                    MEMORY_CACHE_TTL_MS,
                    0,
                    30_000,
                )?,
                memory_entries: vars.number(
                    "MEMORY_CACHE_MAX_ENTRIES",
                    MEMORY_CACHE_ENTRIES,
                    0,
                    MAX_MEMORY_CACHE_ENTRIES,
                )?,
            },
        })
    }
}

/// The runtime under the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeKind {
    /// Cloudflare, whose edge compresses responses and hides what the client accepts.
    Cloudflare,
    /// A self-hosted workerd.
    Workerd,
}

const RUNTIMES: [(&str, RuntimeKind); 2] = [
    ("cloudflare", RuntimeKind::Cloudflare),
    ("workerd", RuntimeKind::Workerd),
];

const LOG_LEVELS: [(&str, LogLevel); 4] = [
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
];

const LOG_FORMATS: [(&str, LogFormat); 2] =
    [("object", LogFormat::Object), ("line", LogFormat::Line)];

/// Parses `host:port, host:port`. `None` if one is anything else.
fn parse_servers(list: &str) -> Option<Vec<String>> {
    list.split(',')
        .map(str::trim)
        .map(|server| relays::host_and_port(server).map(|_| server.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::variables::{ADMIN_KEY, LEGACY_URL, SIGNING_KEY, VERIFICATION_KEYS};
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, Error> {
        Config::from_vars(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn no_variables_configure_a_working_service() {
        let nothing = config(&[("SERVICE_VERSION", " ")]).unwrap();
        assert_eq!(format!("{nothing:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn self_hosted_workerd_has_other_defaults() {
        let workerd = config(&[("RUNTIME", "workerd")]).unwrap();
        assert_eq!(workerd.shards, NonZeroU32::new(64));
        assert_eq!(workerd.log_format, LogFormat::Line);
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
            ("MEMORY_CACHE_TTL_MS", "2000"),
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
        assert!(!config.cache.is_enabled);
        assert_eq!(config.cache.memory_ttl, Duration::from_secs(2));
        assert_eq!(config.relays[0].id, "r1");
    }

    /// Secret and variable are set one after the other while keys are rotated.
    #[test]
    fn current_key_may_be_among_the_verification_keys() {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let secret = format!(r#"{{"id":"K","privateKey":"{}"}}"#, encode(&[1; 32]));
        let with_key = |public: &[u8]| {
            let list = format!(r#"[{{"id":"K","publicKey":"{}"}}]"#, encode(public));
            config(&[(SIGNING_KEY, &secret), (VERIFICATION_KEYS, &list)])
        };
        let same = with_key(key.verifying_key().as_bytes()).unwrap();
        assert!(same.signer.is_some() && same.verification_keys.is_empty());
        let other = ed25519_dalek::SigningKey::from_bytes(&[2; 32]);
        let error = with_key(other.verifying_key().as_bytes()).unwrap_err();
        assert!(error.message().contains(VERIFICATION_KEYS), "{error}");
    }

    #[test]
    fn wrong_variable_is_named_and_its_value_is_for_the_log() {
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
            // A rejected URL may contain a password.
            let is_secret = matches!(name, SIGNING_KEY | ADMIN_KEY | LEGACY_URL);
            assert_eq!(error.cause().is_none(), is_secret, "{name}");
        }
    }
}
