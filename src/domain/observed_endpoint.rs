//! The choice of the observed endpoint that is registered for a colony or an agent.
//!
//! An address is public if it is an IPv4 address that is globally reachable by IANA's registry of
//! special addresses. Not public are, among others, 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10 (carrier
//! NAT), 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24 but for the anycast addresses
//! 192.0.0.9 and 192.0.0.10, 192.168.0.0/16, the documentation ranges 192.0.2.0/24,
//! 198.51.100.0/24 and 203.0.113.0/24, 198.18.0.0/15 (benchmarks), 224.0.0.0/4 (multicast),
//! 240.0.0.0/4 and 255.255.255.255. IPv6 is not observed: WireGuard peers punch holes over IPv4
//! only (RFD 023).

use std::net::{IpAddr, Ipv4Addr};

use ip_network::Ipv4Network;

use crate::proto::discovery::Endpoint;

/// Returns whether others can reach `address` over the internet.
#[must_use]
pub fn is_public(address: Ipv4Addr) -> bool {
    let network = Ipv4Network::from(address);
    // The library counts multicast as global; no peer punches a hole to it.
    network.is_global() && !network.is_multicast()
}

/// Chooses the endpoint to register: the client's own if it is public, else the caller's address
/// with the client's port, 0 if it sent none. `None` if neither address is public.
#[must_use]
pub fn choose(claimed: Option<&Endpoint>, caller: Option<IpAddr>) -> Option<Endpoint> {
    let claimed_address = claimed.and_then(|endpoint| endpoint.ip.parse().ok());
    let claimed_address = claimed_address.filter(|address| is_public(*address));
    let address = match (claimed_address, caller) {
        (Some(claimed), _) => claimed,
        (None, Some(IpAddr::V4(caller))) if is_public(caller) => caller,
        _ => return None,
    };
    Some(Endpoint {
        ip: address.to_string(),
        port: claimed.map_or(0, |endpoint| endpoint.port),
        protocol: "udp".to_owned(),
        // The caller was not seen at the relay that it claims.
        via_relay: claimed_address.is_some() && claimed.is_some_and(|endpoint| endpoint.via_relay),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(ip: &str, port: u32) -> Endpoint {
        Endpoint {
            ip: ip.to_owned(),
            port,
            protocol: "udp".to_owned(),
            via_relay: false,
        }
    }

    #[test]
    fn only_globally_reachable_ipv4_is_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.15.0.1",
            "223.255.255.254",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn public_endpoint_of_the_client_wins() {
        let chosen = choose(Some(&endpoint("9.9.9.9", 41)), "8.8.8.8".parse().ok());
        assert_eq!(chosen, Some(endpoint("9.9.9.9", 41)));
    }

    #[test]
    fn private_claim_gets_the_callers_address_and_keeps_its_port() {
        let chosen = choose(Some(&endpoint("10.0.0.2", 41)), "8.8.8.8".parse().ok());
        assert_eq!(chosen, Some(endpoint("8.8.8.8", 41)));
        let chosen = choose(None, "8.8.8.8".parse().ok());
        assert_eq!(chosen, Some(endpoint("8.8.8.8", 0)));
    }

    #[test]
    fn without_a_public_address_nothing_is_observed() {
        for caller in [
            None,
            "127.0.0.1".parse().ok(),
            "2606:4700::1111".parse().ok(),
        ] {
            assert_eq!(choose(None, caller), None);
            assert_eq!(choose(Some(&endpoint("2606:4700::1", 41)), caller), None);
            assert_eq!(choose(Some(&endpoint("not an address", 41)), caller), None);
        }
    }
}
