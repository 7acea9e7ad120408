//! The generated messages and the generated internal service of `coral.registry.v1`.

mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

pub use generated::coral::registry::v1::*;
