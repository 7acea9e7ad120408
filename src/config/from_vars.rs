//! Reading of the variables, with their defaults and bounds.

use std::num::NonZeroU32;

use connect::Error;

use super::variables::{Variables, invalid_variable};
use super::*;

impl Config {
    /// Returns the configuration that applies where the variables are wrong.
    #[must_use]
    pub fn fallback(var: impl Fn(&str) -> Option<String>) -> Self {
        let runtime = Variables(var).one_of("RUNTIME", RuntimeKind::Cloudflare, &RUNTIMES);
        Self::on(runtime.unwrap_or(RuntimeKind::Cloudflare))
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
