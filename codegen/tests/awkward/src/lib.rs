//! What is generated for awkward names compiles, and works.

include!(concat!(env!("OUT_DIR"), "/protos.rs"));
