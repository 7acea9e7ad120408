//! The configuration: variables, read once in the life of a host's state.

mod from_vars;
#[cfg(test)]
mod tests;
mod variables;

use std::num::NonZeroU32;
use std::time::Duration;

use coral_registry::census::DEBOUNCE;

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
}

/// The runtime under the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeKind {
    /// Cloudflare, whose edge compresses responses and hides what the client accepts.
    Cloudflare,
    /// A self-hosted workerd.
    Workerd,
}
