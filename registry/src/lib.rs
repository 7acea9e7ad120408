//! One object of the registry: leases, quotas, mailboxes and the colony count, on any store.
//!
//! An object is the single writer of what it keeps. [`RegistryObject`] applies the rules of
//! [`lease`] and [`quota`] to a [`storage::Store`] and implements the generated
//! [`proto::RegistryService`]; [`call`] unpacks the envelope in which a call arrives. A host
//! provides the store, the clock and the alarm; [`object_names`] says which object handles what.

pub mod call;
pub mod census;
pub mod hot_keys;
pub mod lease;
pub mod object_names;
pub mod proto;
pub mod quota;
pub mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod admin;
mod alarm;
mod leases;
mod mailbox;
mod members;
mod object;
mod quotas;
mod service;
mod sweep;
#[cfg(test)]
mod tests;

pub use object::{RegistryObject, Settings};
