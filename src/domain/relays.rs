//! The configured relays, and the choice of one for a mesh.
//!
//! A mesh stays with its relay as long as the list does, meshes are spread by weight, and a relay
//! near the caller comes before all others.

use http::uri::Authority;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::client::Location;
use crate::limits;
use crate::proto::discovery::{Endpoint, RelayOption};

/// A relay of `CORAL_RELAYS`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Its name, as clients see it.
    pub id: String,
    /// Its address: a host and a port.
    pub endpoint: String,
    /// Its region, as clients see it; any text.
    #[serde(default)]
    pub region: String,
    /// Its share of the meshes, in proportion to those of others.
    #[serde(default = "one")]
    pub weight: u32,
    /// The places whose callers get it first: countries as `CF-IPCountry` has them (`DE`), and data
    /// centres of Cloudflare as `CF-Ray` ends with them (`FRA`).
    #[serde(default)]
    pub near: Vec<String>,
}

fn one() -> u32 {
    1
}

/// Parses the list of relays.
///
/// # Errors
/// A description of what the list must be.
pub fn parse(json: &str) -> Result<Vec<Relay>, String> {
    let relays: Vec<Relay> =
        serde_json::from_str(json).map_err(|error| format!("a JSON list of relays: {error}"))?;
    for (index, relay) in relays.iter().enumerate() {
        let must = |what: &str| Err(format!("relays with {what}, unlike number {}", index + 1));
        if relay.id.is_empty() || relays.iter().take(index).any(|other| other.id == relay.id) {
            return must("an id of their own");
        }
        if host_and_port(&relay.endpoint).is_none() {
            return must("an endpoint, as host:port");
        }
        if relay.weight == 0 {
            return must("a weight of at least 1");
        }
        let is_place = |place: &String| {
            let is_known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            matches!(place.len(), 2 | 3) && place.bytes().all(is_known)
        };
        if !relay.near.iter().all(is_place) {
            return must("countries (DE) and data centres (FRA) to be near to");
        }
    }
    Ok(relays)
}

/// Parses `host:port`. An IPv6 address stands in brackets, which are removed.
#[must_use]
pub fn host_and_port(endpoint: &str) -> Option<(String, u16)> {
    let authority: Authority = endpoint.parse().ok()?;
    let port = authority.port_u16().filter(|port| *port > 0)?;
    // Nothing else is allowed, such as a user.
    let is_all = format!("{}:{port}", authority.host()) == endpoint;
    let host = authority.host();
    let is_host = is_all && !host.is_empty() && host.len() <= limits::HOST_BYTES;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    is_host.then(|| (host.to_owned(), port))
}

/// Returns the relays for a mesh, the best first.
#[must_use]
pub fn preferred<'r>(relays: &'r [Relay], mesh_id: &str, location: &Location) -> Vec<&'r Relay> {
    let is_near = |relay: &Relay| {
        let places = [&location.country, &location.colo];
        let mut places = places.into_iter().flatten();
        places.any(|place| relay.near.contains(place))
    };
    let mut ranked: Vec<_> = relays
        .iter()
        .map(|relay| (is_near(relay), score(relay, mesh_id), relay))
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    ranked.into_iter().map(|(_, _, relay)| relay).collect()
}

/// Scores a relay for a mesh by weighted rendezvous hashing: the highest score wins, each relay in
/// proportion to its weight, and a relay that comes or goes moves no mesh but its own.
fn score(relay: &Relay, mesh_id: &str) -> f64 {
    // Not CRC-32: the checksums of two relays differ by the same bits for every mesh.
    let digest = Sha256::digest(format!("{}\n{mesh_id}", relay.id));
    let hash = digest
        .iter()
        .take(4)
        .fold(0, |hash: u32, byte| hash << 8 | u32::from(*byte));
    // In the open interval (0, 1), as neither end has a useful logarithm.
    let uniform = (f64::from(hash) + 0.5) / (f64::from(u32::MAX) + 1.0);
    f64::from(relay.weight) / -uniform.ln()
}

impl Relay {
    /// Returns the relay as lookups list it.
    #[must_use]
    pub fn option(&self) -> RelayOption {
        RelayOption {
            endpoint: Some(self.endpoint()),
            relay_id: self.id.clone(),
            region: self.region.clone(),
            load: 0,
        }
    }

    /// Returns the endpoint at which clients reach the relay.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let (host, port) = host_and_port(&self.endpoint).unwrap_or_default();
        Endpoint {
            ip: host,
            port: port.into(),
            protocol: "udp".to_owned(),
            via_relay: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<Relay> {
        parse(
            r#"[
                {"id": "light", "endpoint": "a.example.org:1"},
                {"id": "heavy", "endpoint": "b.example.org:2", "weight": 3},
                {"id": "near", "endpoint": "[2001:db8::1]:3", "near": ["DE", "FRA"]}
            ]"#,
        )
        .unwrap()
    }

    fn first<'r>(relays: &'r [Relay], mesh_id: &str, location: &Location) -> &'r str {
        &preferred(relays, mesh_id, location)[0].id
    }

    #[test]
    fn meshes_are_spread_by_weight() {
        let relays = three();
        let elsewhere = Location::default();
        let meshes: Vec<_> = (0..5_000).map(|mesh| format!("mesh-{mesh}")).collect();
        for (id, share) in [("light", 1_000), ("heavy", 3_000), ("near", 1_000)] {
            let got = meshes
                .iter()
                .filter(|mesh| first(&relays, mesh, &elsewhere) == id)
                .count();
            assert!(
                (share * 9 / 10..share * 11 / 10).contains(&got),
                "{id}: {got}"
            );
        }
    }

    #[test]
    fn mesh_keeps_its_relay_when_another_is_removed() {
        let relays = three();
        let without_light = &relays[1..];
        for mesh in 0..1_000 {
            let mesh = format!("mesh-{mesh}");
            let before = first(&relays, &mesh, &Location::default());
            if before != "light" {
                assert_eq!(first(without_light, &mesh, &Location::default()), before);
            }
        }
    }

    #[test]
    fn relay_near_the_caller_comes_first() {
        let relays = three();
        let in_country = Location {
            country: Some("DE".to_owned()),
            colo: None,
        };
        let at_colo = Location {
            country: Some("AT".to_owned()),
            colo: Some("FRA".to_owned()),
        };
        for location in [in_country, at_colo] {
            for mesh in 0..100 {
                let all = preferred(&relays, &mesh.to_string(), &location);
                assert_eq!((all[0].id.as_str(), all.len()), ("near", 3));
            }
        }
    }

    #[test]
    fn endpoint_has_host_and_port() {
        let endpoint = three()[2].endpoint();
        assert_eq!((endpoint.ip.as_str(), endpoint.port), ("2001:db8::1", 3));
        assert!(endpoint.via_relay);
    }

    #[test]
    fn error_names_what_is_wrong_with_a_relay() {
        for (json, text) in [
            ("{}", "a JSON list of relays"),
            (r#"[{"id":"a"}]"#, "missing field `endpoint`"),
            (
                r#"[{"id":"a","endpoint":"h:1","wait":1}]"#,
                "unknown field `wait`",
            ),
            (
                r#"[{"id":"","endpoint":"h:1"}]"#,
                "an id of their own, unlike number 1",
            ),
            (
                r#"[{"id":"a","endpoint":"h:1"},{"id":"a","endpoint":"h:2"}]"#,
                "an id of their own, unlike number 2",
            ),
            (r#"[{"id":"a","endpoint":"h"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":":1"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":"h:0"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":"http://h/ p:80"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":"u@h:80"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":"2001:db8::1:3"}]"#, "host:port"),
            (r#"[{"id":"a","endpoint":"h:1","weight":0}]"#, "at least 1"),
            (
                r#"[{"id":"a","endpoint":"h:1","near":["Germany"]}]"#,
                "countries (DE)",
            ),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(text), "{json}: {error}");
        }
    }
}
