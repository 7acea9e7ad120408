//! The registry: what a Durable Object does.
//!
//! `lease` holds the rules and knows no storage; `store` says what the rules need stored;
//! `service` applies the rules to the store; `sweep` cleans up and feeds the `census`; `sql` and
//! `object` put it all into a Durable Object. `client` says how others reach it.

pub mod census;
pub mod client;
pub mod lease;
#[cfg(test)]
pub mod memory;
pub mod object;
pub mod service;
pub mod sql;
pub mod store;
pub mod sweep;
#[cfg(test)]
mod tests;
