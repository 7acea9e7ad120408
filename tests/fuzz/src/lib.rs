//! Fuzz targets: functions of bytes that panic if an invariant of the service is violated.
//!
//! `cargo xtask fuzz` runs them with libFuzzer, on nightly Rust. The test `replay` runs them with
//! the seeds in `seeds/`. Inputs that once found a fault are among the seeds.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic reports a violated invariant"
)]

mod calls;
mod codecs;

/// Function that checks an invariant with the given bytes, and panics if it is violated.
pub type Target = fn(&[u8]);

/// All targets by name. A target's folder of seeds and its program have the same name.
pub const TARGETS: [(&str, Target); 5] = [
    ("request", calls::request),
    ("get", calls::get),
    ("gzip", calls::gzip),
    ("json", codecs::json),
    ("binary", codecs::binary),
];

/// Runs the target of that name.
///
/// # Panics
/// If `data` violates the target's invariant, or if there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let named = TARGETS.iter().find(|(target, _)| *target == name);
    let (_, target) = named.expect("a target of that name");
    target(data);
}
