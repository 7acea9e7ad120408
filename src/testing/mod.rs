//! A host in memory, for tests of everything above it: feature `testing`.

mod test_host;
mod test_key_value;
mod test_legacy;
mod test_runtime;

pub use test_host::{TestChannel, TestHost, TestRateLimiter, TestRegistry, TestSink};
pub use test_key_value::TestKeyValue;
pub use test_legacy::TestLegacy;
pub use test_runtime::TestHostRuntime;
