//! Messages, services and clients, generated from `proto/`.

include!(concat!(env!("OUT_DIR"), "/protos.rs"));
