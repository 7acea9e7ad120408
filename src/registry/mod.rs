//! The registry: what a Durable Object does, with nothing of the platform in it.
//!
//! `lease` holds the rules and knows no storage; `store` says what the rules need stored;
//! `service` applies the rules to the store and counts in `heat` what is asked for often; `sweep` cleans up and feeds the `census`. `mailbox` keeps
//! messages and quotas as leases, `listing` shows an operator what there is. `client` says how others reach it, and `reports` what
//! they tell it later. `recall` remembers what the store has. A Durable Object puts it all on its storage,
//! elsewhere.

pub mod census;
pub mod client;
mod heat;
pub mod lease;
mod listing;
mod mailbox;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod metered;
mod quota;
pub mod recall;
pub mod reports;
pub mod service;
pub mod store;
pub mod sweep;
#[cfg(test)]
mod tests;
