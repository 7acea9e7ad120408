//! x
/// Generated
pub mod protos { include!(concat!(env!("OUT_DIR"), "/protos.rs")); }
