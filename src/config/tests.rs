//! Variables become a configuration, and wrong ones are named.

use connect::Error;

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
