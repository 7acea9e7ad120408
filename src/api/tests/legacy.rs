//! Handlers beside a legacy server.

use super::*;

#[test]
fn legacy_server_that_is_down_fails_no_call_that_the_registry_can_serve() {
    // Three failures open the circuit, that of a synchronous write among them.
    for (synchronous, calls_at_once, lookups_sent) in [("false", 0, 3), ("true", 2, 2)] {
        let service = Service::with(&[LEGACY_URL, ("LEGACY_SYNC_WRITES", synchronous)]);
        let legacy = &service.host.legacy;
        let client = client!(service);
        block_on(client.register_colony(&colony("m"), options())).unwrap();
        // The mirroring task sends too, and waits for its retry.
        let calls = || legacy.calls.borrow().len();
        assert_eq!(calls(), calls_at_once + 1, "before and after granting it");
        let lookup =
            |mesh_id: &str| block_on(client.lookup_colony(&lookup_request(mesh_id), options()));
        lookup("m").unwrap();
        for _ in 0..5 {
            let error = lookup("unknown").unwrap_err();
            assert_eq!(error.code(), Code::Unavailable);
            assert!(error.message().contains("not found"), "{error}");
        }
        let lookups = legacy.calls_of("LookupColony");
        assert_eq!(lookups, lookups_sent, "the circuit is open");
        assert_eq!(service.warnings("is not responding"), 1);
        service.advance(Duration::from_secs(5));
        assert!(lookup("unknown").is_err() && lookup("unknown").is_err());
        let probes = legacy.calls_of("LookupColony") - lookups;
        assert_eq!(probes, 1, "one call probes whether it is back");
    }
}

#[test]
fn registration_is_mirrored_to_the_legacy_server_after_the_response() {
    let service = Service::with(&[LEGACY_URL, ("LOG_LEVEL", "debug")]);
    let legacy = &service.host.legacy;
    legacy.accepts_registrations.set(true);
    let client = client!(service);
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    assert_eq!(legacy.calls_of("RegisterColony"), 1);
    assert_eq!(service.warnings(r#""event":"legacy_write""#), 1);
    assert_eq!(service.sink.points(), ["LegacyWrite"]);
}

#[test]
fn mirrored_registration_is_retried_once() {
    let service = Service::with(&[LEGACY_URL]);
    let client = client!(service);
    service.host.objects.runtime.fire_timers(true);
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    assert_eq!(service.host.legacy.calls_of("RegisterColony"), 2);
}

#[test]
fn forwarded_call_is_not_forwarded_again() {
    let mut service = Service::with(&[LEGACY_URL]);
    service.is_forwarded = true;
    let client = client!(service);
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    let error = block_on(client.lookup_colony(&lookup_request("unknown"), options()));
    assert_eq!(error.unwrap_err().code(), Code::NotFound);
    assert!(service.host.legacy.calls.borrow().is_empty());
}
