//! The limits of what a caller may send. Each is declared once, with its unit and its reason.

use std::time::Duration;

use connect::Limits;

/// Returns the limits of a call to the public and the admin service. `compresses` is true
/// where responses may be compressed.
#[must_use]
pub const fn server(compresses: bool) -> Limits {
    Limits {
        max_message_bytes: MESSAGE_BYTES,
        max_timeout: DEADLINE,
        gzip_from_bytes: if compresses {
            Some(GZIP_FROM_BYTES)
        } else {
            None
        },
    }
}

/// Bytes of a request's message. The largest record in the field carries a certificate chain of a
/// few KB; this leaves room for ten of them and still bounds what an isolate must hold.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// Bytes of the legacy server's response, inflated: what a caller may register here, with room for
/// what that server adds.
pub const LEGACY_RESPONSE_BYTES: usize = 2 * MESSAGE_BYTES;

/// The longest deadline that a caller gets: RFD 046's clients give up after 10 seconds.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of an id. Ids name Durable Objects, whose names may have 1,024 bytes, and appear in error
/// texts; the longest in use has 63.
pub const ID_BYTES: usize = 255;

/// Bytes of a public key. A WireGuard key in base64 has 44; a PEM key of any kind fits.
pub const KEY_BYTES: usize = 1_024;

/// Endpoints of one colony or agent: several interfaces with two address families each.
pub const ENDPOINTS: usize = 32;

/// Bytes of a host name (RFC 1035).
pub const HOST_BYTES: usize = 253;

/// Bytes of an endpoint: the longest host name (253), a colon and a port.
pub const ENDPOINT_BYTES: usize = 259;

/// Bytes of an IP address in text: the longest form of IPv6 with a zone.
pub const ADDRESS_BYTES: usize = 64;

/// Entries of the metadata; clients send fewer than ten.
pub const METADATA_ENTRIES: usize = 64;

/// Bytes of a metadata key.
pub const METADATA_KEY_BYTES: usize = 128;

/// Bytes of a metadata value.
pub const METADATA_VALUE_BYTES: usize = 1_024;

/// Bytes of a URL: the length that browsers and proxies agree on.
pub const URL_BYTES: usize = 2_048;

/// Bytes of a CA certificate: a PEM chain of several certificates in base64.
pub const CERTIFICATE_BYTES: usize = 32 * 1024;

/// Bytes of a fingerprint: SHA-512, longer than any in use.
pub const FINGERPRINT_BYTES: usize = 64;

/// Bytes of a rendezvous record's ciphertext: RFD 108's have some 350, of a small JSON with two
/// keys and an address.
pub const RENDEZVOUS_CIPHERTEXT_BYTES: usize = 4 * 1024;

/// Bytes of the nonce of a rendezvous record: AES-GCM's.
pub const RENDEZVOUS_NONCE_BYTES: usize = 12;

/// Bytes of the write token of a rendezvous record (RFD 108).
pub const RENDEZVOUS_TOKEN_BYTES: usize = 32;

/// Seconds that a rendezvous record may live, and does by default (RFD 108).
pub const RENDEZVOUS_TTL_SECONDS: i32 = 90;

/// Rendezvous records that a mesh gets at once; then one more each interval: RFD 108's five a
/// minute.
pub const RENDEZVOUS_BURST: u32 = 10;

/// The time until a mesh gets one more rendezvous record; see [`RENDEZVOUS_BURST`].
pub const RENDEZVOUS_INTERVAL: Duration = Duration::from_secs(12);

/// The longest wait of a poll for rendezvous records (RFD 108). Clients' own deadlines are at 35
/// seconds.
pub const POLL_WAIT: Duration = Duration::from_secs(25);

/// Minimum length of the admin key in bytes: 24 random bytes in base64, which nobody can guess.
pub const ADMIN_KEY_BYTES: usize = 32;

/// Agents of a mesh that an admin sees at once: each costs a request to its object.
pub const LISTED_AGENTS: u32 = 500;

/// The largest port.
pub const PORT: u32 = 65_535;

/// Bytes from which compressing a response pays: below, gzip's own overhead and the time it takes
/// outweigh what a packet saves.
pub const GZIP_FROM_BYTES: usize = 1_024;
