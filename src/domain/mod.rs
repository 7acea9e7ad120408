//! Pure decisions: what a value means, which of several is chosen, what a caller counts as. Nothing
//! here knows storage, HTTP or a host.

pub mod bootstrap_token;
pub mod client;
pub mod key_set;
pub mod lease_key;
pub mod observed_endpoint;
pub mod rate_limit;
pub mod relays;
