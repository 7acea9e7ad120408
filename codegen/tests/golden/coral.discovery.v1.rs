// Generated from a proto file at build time. Do not edit.

/// What a colony tells about itself.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RegisterColonyRequest {
    /// The id of its mesh, which is its own id too. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// Its WireGuard public key. Required; it owns the mesh id while the lease lives.
    #[prost(string, tag = "2")]
    pub pubkey: ::prost::alloc::string::String,
    /// Where its WireGuard can be reached, each as host:port. At least one.
    #[prost(string, repeated, tag = "3")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Its IPv4 address inside the mesh.
    #[prost(string, tag = "4")]
    pub mesh_ipv4: ::prost::alloc::string::String,
    /// Its IPv6 address inside the mesh.
    #[prost(string, tag = "5")]
    pub mesh_ipv6: ::prost::alloc::string::String,
    /// The port of its Connect service inside the mesh.
    #[prost(uint32, tag = "6")]
    pub connect_port: u32,
    /// Anything else that those who look it up should know.
    #[prost(btree_map = "string, string", tag = "7")]
    pub metadata: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        ::prost::alloc::string::String,
    >,
    /// Its public address as a STUN server saw it.
    #[prost(message, optional, tag = "8")]
    pub observed_endpoint: ::core::option::Option<Endpoint>,
    /// The port of its public HTTPS endpoint.
    #[prost(uint32, tag = "9")]
    pub public_port: u32,
    /// Its public HTTPS endpoint, if it has one.
    #[prost(message, optional, tag = "10")]
    pub public_endpoint: ::core::option::Option<PublicEndpointInfo>,
}
/// The lease that a colony was given.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RegisterColonyResponse {
    /// Always true: a refusal is an error.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// For how long the lease lives, in seconds.
    #[prost(int32, tag = "2")]
    pub ttl: i32,
    /// When it lapses unless renewed.
    #[prost(message, optional, tag = "3")]
    pub expires_at: ::core::option::Option<::connect::wkt::Timestamp>,
    /// The public address that was registered, if there is one.
    #[prost(message, optional, tag = "4")]
    pub observed_endpoint: ::core::option::Option<Endpoint>,
    /// STUN servers, each as host:port, to learn one's public address from.
    #[prost(string, repeated, tag = "5")]
    pub stun_servers: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// Which colony to find.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct LookupColonyRequest {
    /// The id of its mesh. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
}
/// A colony as it registered.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LookupColonyResponse {
    /// The id of its mesh.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// Its WireGuard public key.
    #[prost(string, tag = "2")]
    pub pubkey: ::prost::alloc::string::String,
    /// Where its WireGuard can be reached, each as host:port.
    #[prost(string, repeated, tag = "3")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Its IPv4 address inside the mesh.
    #[prost(string, tag = "4")]
    pub mesh_ipv4: ::prost::alloc::string::String,
    /// Its IPv6 address inside the mesh.
    #[prost(string, tag = "5")]
    pub mesh_ipv6: ::prost::alloc::string::String,
    /// The port of its Connect service inside the mesh.
    #[prost(uint32, tag = "6")]
    pub connect_port: u32,
    /// Anything else that it told.
    #[prost(btree_map = "string, string", tag = "7")]
    pub metadata: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        ::prost::alloc::string::String,
    >,
    /// When it registered last.
    #[prost(message, optional, tag = "8")]
    pub last_seen: ::core::option::Option<::connect::wkt::Timestamp>,
    /// Its public addresses, for hole punching: none or one.
    #[prost(message, repeated, tag = "9")]
    pub observed_endpoints: ::prost::alloc::vec::Vec<Endpoint>,
    /// What kind of NAT it is thought to be behind.
    #[prost(enumeration = "NatHint", tag = "10")]
    pub nat: i32,
    /// Relays that lead to it; empty where none is configured.
    #[prost(message, repeated, tag = "11")]
    pub relays: ::prost::alloc::vec::Vec<RelayOption>,
    /// The port of its public HTTPS endpoint.
    #[prost(uint32, tag = "12")]
    pub public_port: u32,
    /// Its public HTTPS endpoint, if it has one.
    #[prost(message, optional, tag = "13")]
    pub public_endpoint: ::core::option::Option<PublicEndpointInfo>,
}
/// What an agent tells about itself.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RegisterAgentRequest {
    /// Its id, unique in its mesh. Required.
    #[prost(string, tag = "1")]
    pub agent_id: ::prost::alloc::string::String,
    /// The id of its mesh. Required.
    #[prost(string, tag = "2")]
    pub mesh_id: ::prost::alloc::string::String,
    /// Its WireGuard public key. Required; it owns the agent id while the lease lives.
    #[prost(string, tag = "3")]
    pub pubkey: ::prost::alloc::string::String,
    /// Where its WireGuard can be reached, each as host:port. May be empty if it has an observed
    /// endpoint.
    #[prost(string, repeated, tag = "4")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Its public address as a STUN server saw it.
    #[prost(message, optional, tag = "5")]
    pub observed_endpoint: ::core::option::Option<Endpoint>,
    /// Anything else that those who look it up should know.
    #[prost(btree_map = "string, string", tag = "6")]
    pub metadata: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        ::prost::alloc::string::String,
    >,
}
/// The lease that an agent was given.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RegisterAgentResponse {
    /// Always true: a refusal is an error.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// For how long the lease lives, in seconds.
    #[prost(int32, tag = "2")]
    pub ttl: i32,
    /// When it lapses unless renewed.
    #[prost(message, optional, tag = "3")]
    pub expires_at: ::core::option::Option<::connect::wkt::Timestamp>,
    /// The public address that was registered, if there is one.
    #[prost(message, optional, tag = "4")]
    pub observed_endpoint: ::core::option::Option<Endpoint>,
    /// STUN servers, each as host:port, to learn one's public address from.
    #[prost(string, repeated, tag = "5")]
    pub stun_servers: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// Which agent to find.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct LookupAgentRequest {
    /// Its id. Required.
    #[prost(string, tag = "1")]
    pub agent_id: ::prost::alloc::string::String,
    /// The id of its mesh. Without it, as clients older than this field ask, the agent of that id
    /// that registered last is found, in whichever mesh.
    #[prost(string, tag = "2")]
    pub mesh_id: ::prost::alloc::string::String,
}
/// An agent as it registered.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LookupAgentResponse {
    /// Its id.
    #[prost(string, tag = "1")]
    pub agent_id: ::prost::alloc::string::String,
    /// The id of its mesh.
    #[prost(string, tag = "2")]
    pub mesh_id: ::prost::alloc::string::String,
    /// Its WireGuard public key.
    #[prost(string, tag = "3")]
    pub pubkey: ::prost::alloc::string::String,
    /// Where its WireGuard can be reached, each as host:port.
    #[prost(string, repeated, tag = "4")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Its public addresses, for hole punching: none or one.
    #[prost(message, repeated, tag = "5")]
    pub observed_endpoints: ::prost::alloc::vec::Vec<Endpoint>,
    /// What kind of NAT it is thought to be behind.
    #[prost(enumeration = "NatHint", tag = "6")]
    pub nat: i32,
    /// Anything else that it told.
    #[prost(btree_map = "string, string", tag = "7")]
    pub metadata: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        ::prost::alloc::string::String,
    >,
    /// When it registered last.
    #[prost(message, optional, tag = "8")]
    pub last_seen: ::core::option::Option<::connect::wkt::Timestamp>,
}
/// Who wants a relay to whom.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RequestRelayRequest {
    /// The id of the mesh. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// The agent's WireGuard public key. Required.
    #[prost(string, tag = "2")]
    pub agent_pubkey: ::prost::alloc::string::String,
    /// The colony's WireGuard public key. Required.
    #[prost(string, tag = "3")]
    pub colony_pubkey: ::prost::alloc::string::String,
}
/// A relay that was reserved.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RequestRelayResponse {
    /// Where the relay can be reached.
    #[prost(message, optional, tag = "1")]
    pub relay_endpoint: ::core::option::Option<Endpoint>,
    /// What to give to ReleaseRelay.
    #[prost(string, tag = "2")]
    pub session_id: ::prost::alloc::string::String,
    /// When the session ends by itself.
    #[prost(message, optional, tag = "3")]
    pub expires_at: ::core::option::Option<::connect::wkt::Timestamp>,
    /// Which relay it is.
    #[prost(string, tag = "4")]
    pub relay_id: ::prost::alloc::string::String,
}
/// Which relay to give back.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReleaseRelayRequest {
    /// What RequestRelay returned. Required.
    #[prost(string, tag = "1")]
    pub session_id: ::prost::alloc::string::String,
    /// The id of the mesh. Not looked at: the session id is enough.
    #[prost(string, tag = "2")]
    pub mesh_id: ::prost::alloc::string::String,
}
/// The relay was given back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReleaseRelayResponse {
    /// Always true: a refusal is an error.
    #[prost(bool, tag = "1")]
    pub success: bool,
}
/// Nothing needs to be said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct HealthRequest {}
/// How the service fares.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct HealthResponse {
    /// "ok"
    #[prost(string, tag = "1")]
    pub status: ::prost::alloc::string::String,
    /// The version that answers.
    #[prost(string, tag = "2")]
    pub version: ::prost::alloc::string::String,
    /// For how long the process or isolate that answers has been up.
    #[prost(int64, tag = "3")]
    pub uptime_seconds: i64,
    /// How many colonies hold a live lease; may lag behind by some seconds.
    #[prost(int32, tag = "4")]
    pub registered_colonies: i32,
}
/// An address of UDP.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Endpoint {
    /// An IPv4 address; a host name for relays.
    #[prost(string, tag = "1")]
    pub ip: ::prost::alloc::string::String,
    /// The port; 0 where only the address is known.
    #[prost(uint32, tag = "2")]
    pub port: u32,
    /// "udp"
    #[prost(string, tag = "3")]
    pub protocol: ::prost::alloc::string::String,
    /// Whether a relay stands there rather than the peer itself.
    #[prost(bool, tag = "4")]
    pub via_relay: bool,
}
/// A relay that could be used.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RelayOption {
    /// Where it can be reached.
    #[prost(message, optional, tag = "1")]
    pub endpoint: ::core::option::Option<Endpoint>,
    /// Which relay it is.
    #[prost(string, tag = "2")]
    pub relay_id: ::prost::alloc::string::String,
    /// Where it stands.
    #[prost(string, tag = "3")]
    pub region: ::prost::alloc::string::String,
    /// How busy it is, from 0 to 100.
    #[prost(uint32, tag = "4")]
    pub load: u32,
}
/// A colony's public HTTPS endpoint. It is passed on as registered: trust comes from the
/// fingerprint, which is to be compared with one learned elsewhere.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct PublicEndpointInfo {
    /// Whether the endpoint is open.
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    /// Its URL.
    #[prost(string, tag = "2")]
    pub url: ::prost::alloc::string::String,
    /// The certificate of its CA: PEM in base64.
    #[prost(string, tag = "3")]
    pub ca_cert: ::prost::alloc::string::String,
    /// The fingerprint of that certificate.
    #[prost(message, optional, tag = "4")]
    pub ca_fingerprint: ::core::option::Option<CertificateFingerprint>,
    /// When the colony changed this last.
    #[prost(message, optional, tag = "5")]
    pub updated_at: ::core::option::Option<::connect::wkt::Timestamp>,
}
/// A digest of a certificate.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CertificateFingerprint {
    /// How it was made.
    #[prost(enumeration = "FingerprintAlgorithm", tag = "1")]
    pub algorithm: i32,
    /// The digest itself: 32 bytes for SHA-256.
    #[prost(bytes = "vec", tag = "2")]
    pub value: ::prost::alloc::vec::Vec<u8>,
}
/// Asks for a ticket.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CreateBootstrapTokenRequest {
    /// The Reef that the colony belongs to, if any.
    #[prost(string, tag = "1")]
    pub reef_id: ::prost::alloc::string::String,
    /// The colony that shall accept the ticket: its mesh id. Required.
    #[prost(string, tag = "2")]
    pub colony_id: ::prost::alloc::string::String,
    /// The agent that shall use it. Required.
    #[prost(string, tag = "3")]
    pub agent_id: ::prost::alloc::string::String,
    /// What for: `register`, which empty means too.
    #[prost(string, tag = "4")]
    pub intent: ::prost::alloc::string::String,
}
/// A ticket.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CreateBootstrapTokenResponse {
    /// The ticket, a JSON Web Token.
    #[prost(string, tag = "1")]
    pub jwt: ::prost::alloc::string::String,
    /// When it lapses, in seconds since the Unix epoch.
    #[prost(int64, tag = "2")]
    pub expires_at: i64,
}
/// What an agent leaves for a colony.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct PublishBootstrapRendezvousRequest {
    /// The mesh of the colony. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// The message, which only the colony can read. Required.
    #[prost(bytes = "vec", tag = "2")]
    pub ciphertext: ::prost::alloc::vec::Vec<u8>,
    /// The nonce that it was encrypted with: 12 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub gcm_nonce: ::prost::alloc::vec::Vec<u8>,
    /// For how long it shall be there, in seconds: at most 90, which 0 means too.
    #[prost(int32, tag = "4")]
    pub ttl_seconds: i32,
    /// Where the agent says it can be reached, as host:port.
    #[prost(string, tag = "5")]
    pub probe_endpoint: ::prost::alloc::string::String,
    /// The message to replace; empty to leave a new one.
    #[prost(string, tag = "6")]
    pub record_id: ::prost::alloc::string::String,
    /// What proves that a message is the caller's: 32 random bytes, chosen for the first and repeated for the others.
    #[prost(bytes = "vec", tag = "7")]
    pub write_token: ::prost::alloc::vec::Vec<u8>,
    /// Whether the service shall try to connect to probe_endpoint first.
    #[prost(bool, tag = "8")]
    pub verify_reachability: bool,
}
/// What became of it.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct PublishBootstrapRendezvousResponse {
    /// Whether the message is there. It is not if the one to replace is gone.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// When it will be removed.
    #[prost(message, optional, tag = "2")]
    pub expires_at: ::core::option::Option<::connect::wkt::Timestamp>,
    /// Whether the service could not connect to the endpoint.
    #[prost(bool, tag = "3")]
    pub probe_failed: bool,
    /// The message's id.
    #[prost(string, tag = "4")]
    pub record_id: ::prost::alloc::string::String,
}
/// Asks for messages.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct PollBootstrapRendezvousRequest {
    /// The colony's mesh. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// For how long to wait for one, in seconds: at most 25.
    #[prost(int32, tag = "2")]
    pub wait_seconds: i32,
}
/// The messages that are there.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PollBootstrapRendezvousResponse {
    /// All of them, the oldest first.
    #[prost(message, repeated, tag = "1")]
    pub records: ::prost::alloc::vec::Vec<BootstrapRendezvousRecord>,
    /// Whether none came in time.
    #[prost(bool, tag = "2")]
    pub timed_out: bool,
}
/// A message for a colony.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct BootstrapRendezvousRecord {
    /// Its id, a ULID.
    #[prost(string, tag = "1")]
    pub record_id: ::prost::alloc::string::String,
    /// The message.
    #[prost(bytes = "vec", tag = "2")]
    pub ciphertext: ::prost::alloc::vec::Vec<u8>,
    /// The nonce that it was encrypted with.
    #[prost(bytes = "vec", tag = "3")]
    pub gcm_nonce: ::prost::alloc::vec::Vec<u8>,
    /// When it was left or replaced last.
    #[prost(message, optional, tag = "4")]
    pub published_at: ::core::option::Option<::connect::wkt::Timestamp>,
}
/// Says that a message was dealt with.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct AckBootstrapRendezvousRequest {
    /// The mesh. Required.
    #[prost(string, tag = "1")]
    pub mesh_id: ::prost::alloc::string::String,
    /// The message. Required.
    #[prost(string, tag = "2")]
    pub record_id: ::prost::alloc::string::String,
    /// What it was left with.
    #[prost(bytes = "vec", tag = "3")]
    pub write_token: ::prost::alloc::vec::Vec<u8>,
}
/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct AckBootstrapRendezvousResponse {
    /// Whether the message is gone: also if it was before.
    #[prost(bool, tag = "1")]
    pub success: bool,
}
/// What kind of NAT a peer is thought to be behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum NatHint {
    /// Nothing is known.
    NatUnknown = 0,
    /// The public address stays the same for all peers: hole punching works.
    NatCone = 1,
    /// The public address stays the same, but only known peers get through.
    NatRestricted = 2,
    /// The public address differs for each peer: only a relay helps.
    NatSymmetric = 3,
}
impl NatHint {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::NatUnknown => "NAT_UNKNOWN",
            Self::NatCone => "NAT_CONE",
            Self::NatRestricted => "NAT_RESTRICTED",
            Self::NatSymmetric => "NAT_SYMMETRIC",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "NAT_UNKNOWN" => Some(Self::NatUnknown),
            "NAT_CONE" => Some(Self::NatCone),
            "NAT_RESTRICTED" => Some(Self::NatRestricted),
            "NAT_SYMMETRIC" => Some(Self::NatSymmetric),
            _ => None,
        }
    }
}
/// How a fingerprint was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum FingerprintAlgorithm {
    /// Not said.
    Unspecified = 0,
    /// SHA-256.
    Sha256 = 1,
}
impl FingerprintAlgorithm {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "FINGERPRINT_ALGORITHM_UNSPECIFIED",
            Self::Sha256 => "FINGERPRINT_ALGORITHM_SHA256",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "FINGERPRINT_ALGORITHM_UNSPECIFIED" => Some(Self::Unspecified),
            "FINGERPRINT_ALGORITHM_SHA256" => Some(Self::Sha256),
            _ => None,
        }
    }
}
