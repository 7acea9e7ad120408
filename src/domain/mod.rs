//! Pure decisions, without storage, HTTP or a host: the meaning of values, the choice between
//! several, and the keys by which calls are counted.

pub mod bootstrap_token;
pub mod client;
pub mod key_set;
pub mod lease_key;
pub mod observed_endpoint;
pub mod rate_limit;
pub mod relays;
