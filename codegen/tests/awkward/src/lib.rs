//! Code generated for awkward names, to be compiled and tested.

include!(concat!(env!("OUT_DIR"), "/protos.rs"));
