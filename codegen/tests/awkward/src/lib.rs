//! Code generated for awkward names, to be compiled and tested.

// Generated code must compile under a user's own lints, the strictest included.
#![warn(clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/protos.rs"));
