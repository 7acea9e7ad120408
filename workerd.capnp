# The Worker on plain workerd, without Cloudflare: docs/self-hosting.md. `cargo xtask serve` starts
# it with this file, or, after `cargo xtask build`,
#
#   workerd serve workerd.capnp --socket-addr http=127.0.0.1:8080 \
#     --directory-path objects=/var/lib/coral
#
# Variables come from the environment; docs/configuration.md lists them. There is no KV and no rate
# limit here: put a proxy in front that limits.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    # Set by --directory-path: a folder that no other process writes to.
    (name = "objects", disk = (path = "objects", writable = true)),
    # For calls to LEGACY_DISCOVERY_URL, the only ones that the Worker makes: the Internet, and
    # private networks.
    (
      name = "internet",
      network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))
    ),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  # The same as in wrangler.toml.
  compatibilityDate = "2026-03-01",
  compatibilityFlags = ["enable_request_signal"],
  modules = [
    (name = "index.js", esModule = embed "build/index.js"),
    (name = "index_bg.wasm", wasm = embed "build/index_bg.wasm"),
  ],
  bindings = [
    (name = "REGISTRY", durableObjectNamespace = "RegistryDurableObject"),
    # A fixed number of objects holds all leases, and the log is lines of JSON.
    (name = "RUNTIME", text = "workerd"),
    (name = "AGENT_TAKEOVER", fromEnvironment = "AGENT_TAKEOVER"),
    (name = "CACHE_HOT_LOOKUPS_PER_MINUTE", fromEnvironment = "CACHE_HOT_LOOKUPS_PER_MINUTE"),
    (name = "MEMORY_CACHE_MAX_ENTRIES", fromEnvironment = "MEMORY_CACHE_MAX_ENTRIES"),
    (name = "MEMORY_CACHE_TTL_MS", fromEnvironment = "MEMORY_CACHE_TTL_MS"),
    (name = "COLONY_COUNT_MAX_AGE_MS", fromEnvironment = "COLONY_COUNT_MAX_AGE_MS"),
    (name = "CLEANUP_INTERVAL_MS", fromEnvironment = "CLEANUP_INTERVAL_MS"),
    (name = "CORAL_RELAYS", fromEnvironment = "CORAL_RELAYS"),
    (name = "CORAL_STUN_SERVERS", fromEnvironment = "CORAL_STUN_SERVERS"),
    (name = "DEFAULT_TTL_SECONDS", fromEnvironment = "DEFAULT_TTL_SECONDS"),
    (name = "DISCOVERY_ADMIN_KEY", fromEnvironment = "DISCOVERY_ADMIN_KEY"),
    (name = "DISCOVERY_VERIFICATION_KEYS", fromEnvironment = "DISCOVERY_VERIFICATION_KEYS"),
    (name = "DISCOVERY_SIGNING_KEY", fromEnvironment = "DISCOVERY_SIGNING_KEY"),
    (name = "ENVIRONMENT", fromEnvironment = "ENVIRONMENT"),
    (name = "LEGACY_SYNC_WRITES", fromEnvironment = "LEGACY_SYNC_WRITES"),
    (name = "LEGACY_CODEC", fromEnvironment = "LEGACY_CODEC"),
    (name = "LEGACY_DISCOVERY_URL", fromEnvironment = "LEGACY_DISCOVERY_URL"),
    (name = "LEGACY_TIMEOUT_MS", fromEnvironment = "LEGACY_TIMEOUT_MS"),
    (name = "LOG_FORMAT", fromEnvironment = "LOG_FORMAT"),
    (name = "LOG_LEVEL", fromEnvironment = "LOG_LEVEL"),
    (name = "REGISTRY_SHARDS", fromEnvironment = "REGISTRY_SHARDS"),
    (name = "SERVICE_VERSION", fromEnvironment = "SERVICE_VERSION"),
    (name = "TOKENS_PER_HOUR_PER_AGENT", fromEnvironment = "TOKENS_PER_HOUR_PER_AGENT"),
    (name = "TOKENS_PER_HOUR_PER_CLIENT", fromEnvironment = "TOKENS_PER_HOUR_PER_CLIENT"),
    (name = "TOKENS_PER_HOUR_PER_COLONY", fromEnvironment = "TOKENS_PER_HOUR_PER_COLONY"),
  ],
  durableObjectNamespaces = [
    (className = "RegistryDurableObject", uniqueKey = "coral-discovery", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "objects"),
);
