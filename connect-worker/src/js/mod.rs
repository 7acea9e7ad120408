//! Access to JavaScript: imported functions, promises as futures and futures as promises.

pub(crate) mod bindings;
mod executor;
mod promise;

pub use executor::run_future;
pub use promise::PromiseFuture;
pub(crate) use promise::Sleep;
