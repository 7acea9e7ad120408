//! The registry in memory, for tests of everything above storage: feature `testing`.

mod memory_store;
mod test_objects;

pub use memory_store::MemoryStore;
pub use test_objects::{TestObject, TestObjects, TestTransport};
