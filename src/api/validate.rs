//! Validation of requests. Every error names the field.

use std::collections::BTreeMap;

use connect::Error;

use crate::limits;
use crate::proto::discovery::{
    Endpoint, PublicEndpointInfo, PublishBootstrapRendezvousRequest, RegisterAgentRequest,
    RegisterColonyRequest,
};

/// Validates a colony's registration, required fields first and in the order of the Go server.
pub(super) fn colony(request: &RegisterColonyRequest) -> Result<(), Error> {
    required("mesh_id", &request.mesh_id)?;
    required("pubkey", &request.pubkey)?;
    if request.endpoints.is_empty() {
        return Err(Error::invalid_argument("at least one endpoint is required"));
    }
    id("mesh_id", &request.mesh_id)?;
    at_most("pubkey", request.pubkey.len(), limits::KEY_BYTES)?;
    endpoints(&request.endpoints)?;
    at_most("mesh_ipv4", request.mesh_ipv4.len(), limits::ADDRESS_BYTES)?;
    at_most("mesh_ipv6", request.mesh_ipv6.len(), limits::ADDRESS_BYTES)?;
    port("connect_port", request.connect_port)?;
    port("public_port", request.public_port)?;
    metadata(&request.metadata)?;
    observed_endpoint(request.observed_endpoint.as_ref())?;
    public_endpoint(request.public_endpoint.as_ref())
}

/// Validates an agent's registration, except that it can be reached at all.
pub(super) fn agent(request: &RegisterAgentRequest) -> Result<(), Error> {
    required("agent_id", &request.agent_id)?;
    required("mesh_id", &request.mesh_id)?;
    required("pubkey", &request.pubkey)?;
    id("agent_id", &request.agent_id)?;
    id("mesh_id", &request.mesh_id)?;
    at_most("pubkey", request.pubkey.len(), limits::KEY_BYTES)?;
    endpoints(&request.endpoints)?;
    metadata(&request.metadata)?;
    observed_endpoint(request.observed_endpoint.as_ref())
}

/// Validates a rendezvous record.
pub(super) fn rendezvous_record(request: &PublishBootstrapRendezvousRequest) -> Result<(), Error> {
    required("mesh_id", &request.mesh_id)?;
    id("mesh_id", &request.mesh_id)?;
    id("record_id", &request.record_id)?;
    if request.ciphertext.is_empty() {
        return Err(Error::invalid_argument("ciphertext is required"));
    }
    let ciphertext = request.ciphertext.len();
    at_most(
        "ciphertext",
        ciphertext,
        limits::RENDEZVOUS_CIPHERTEXT_BYTES,
    )?;
    exactly(
        "gcm_nonce",
        request.gcm_nonce.len(),
        limits::RENDEZVOUS_NONCE_BYTES,
    )?;
    exactly(
        "write_token",
        request.write_token.len(),
        limits::RENDEZVOUS_TOKEN_BYTES,
    )?;
    let probe_endpoint = request.probe_endpoint.len();
    at_most("probe_endpoint", probe_endpoint, limits::ENDPOINT_BYTES)?;
    if request.ttl_seconds < 0 {
        return Err(Error::invalid_argument("ttl_seconds must not be negative"));
    }
    Ok(())
}

/// Checks a field that must not be empty.
pub(super) fn required(field: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::invalid_argument(format!("{field} is required")));
    }
    Ok(())
}

/// Checks an id: short, and fit to stand in an error text or a log.
pub(super) fn id(field: &str, value: &str) -> Result<(), Error> {
    at_most(field, value.len(), limits::ID_BYTES)?;
    if value.chars().any(char::is_control) {
        return Err(Error::invalid_argument(format!(
            "{field} must not contain control characters"
        )));
    }
    Ok(())
}

/// Checks the length of a public key.
pub(super) fn key(field: &str, value: &str) -> Result<(), Error> {
    at_most(field, value.len(), limits::KEY_BYTES)
}

fn at_most(field: &str, bytes: usize, limit: usize) -> Result<(), Error> {
    if bytes > limit {
        return Err(Error::invalid_argument(format!(
            "{field} must have at most {limit} bytes, not {bytes}"
        )));
    }
    Ok(())
}

fn exactly(field: &str, bytes: usize, expected: usize) -> Result<(), Error> {
    if bytes != expected {
        return Err(Error::invalid_argument(format!(
            "{field} must have {expected} bytes, not {bytes}"
        )));
    }
    Ok(())
}

fn no_more_than(field: &str, entries: usize, limit: usize) -> Result<(), Error> {
    if entries > limit {
        return Err(Error::invalid_argument(format!(
            "{field} must have at most {limit} entries, not {entries}"
        )));
    }
    Ok(())
}

fn endpoints(endpoints: &[String]) -> Result<(), Error> {
    no_more_than("endpoints", endpoints.len(), limits::ENDPOINTS)?;
    for (index, endpoint) in endpoints.iter().enumerate() {
        let field = format!("endpoints[{index}]");
        required(&field, endpoint)?;
        at_most(&field, endpoint.len(), limits::ENDPOINT_BYTES)?;
    }
    Ok(())
}

fn metadata(metadata: &BTreeMap<String, String>) -> Result<(), Error> {
    no_more_than("metadata", metadata.len(), limits::METADATA_ENTRIES)?;
    for (key, value) in metadata {
        at_most("metadata key", key.len(), limits::METADATA_KEY_BYTES)?;
        let field = format!("metadata[{key:?}]");
        at_most(&field, value.len(), limits::METADATA_VALUE_BYTES)?;
    }
    Ok(())
}

fn port(field: &str, port: u32) -> Result<(), Error> {
    if port > limits::PORT {
        return Err(Error::invalid_argument(format!(
            "{field} must be at most {}, not {port}",
            limits::PORT
        )));
    }
    Ok(())
}

fn observed_endpoint(endpoint: Option<&Endpoint>) -> Result<(), Error> {
    let Some(endpoint) = endpoint else {
        return Ok(());
    };
    at_most(
        "observed_endpoint.ip",
        endpoint.ip.len(),
        limits::ADDRESS_BYTES,
    )?;
    port("observed_endpoint.port", endpoint.port)
}

fn public_endpoint(endpoint: Option<&PublicEndpointInfo>) -> Result<(), Error> {
    let Some(endpoint) = endpoint else {
        return Ok(());
    };
    at_most("public_endpoint.url", endpoint.url.len(), limits::URL_BYTES)?;
    let ca_cert = endpoint.ca_cert.len();
    at_most(
        "public_endpoint.ca_cert",
        ca_cert,
        limits::CERTIFICATE_BYTES,
    )?;
    if endpoint.updated_at.is_some_and(|at| !at.is_valid()) {
        // Such a time has no JSON form: lookups of the colony would fail.
        return Err(Error::invalid_argument(
            "public_endpoint.updated_at must be from year 1 to 9999",
        ));
    }
    let fingerprint = endpoint.ca_fingerprint.as_ref();
    at_most(
        "public_endpoint.ca_fingerprint.value",
        fingerprint.map_or(0, |fingerprint| fingerprint.value.len()),
        limits::FINGERPRINT_BYTES,
    )
}
