//! The client of a request, as far as the host knows it.

use std::net::IpAddr;

/// The facts about a client that the rules and the log use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The address that a trusted party observed; `None` if it is unknown.
    pub address: Option<IpAddr>,
    /// The place of the client.
    pub location: Location,
    /// Cloudflare's id of the request (`CF-Ray`); empty elsewhere.
    pub ray: String,
    /// The announced bytes of the body; 0 if unknown.
    pub content_length: u64,
    /// True if another discovery server forwarded the request: it must not be forwarded again.
    pub is_forwarded: bool,
}

/// The place of a client. A hint: outside Cloudflare, clients can forge it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The country, as `CF-IPCountry` has it.
    pub country: Option<String>,
    /// Cloudflare's data centre, as `CF-Ray` ends with it.
    pub colo: Option<String>,
}
