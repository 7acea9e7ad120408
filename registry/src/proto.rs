//! The generated messages and the generated internal service of `coral.registry.v1`.

#[allow(
    unreachable_pub,
    reason = "generated modules are public, and re-exported below under shorter paths"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

pub use generated::coral::registry::v1::*;
