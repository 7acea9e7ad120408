//! Fuzz targets: functions of bytes that panic when a promise of the service is broken.
//!
//! `cargo xtask fuzz` lets a fuzzer choose the bytes, on nightly Rust. The tests replay its seeds,
//! in `seeds/`, among them the inputs that it once found.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken promise ends the run"
)]

mod calls;
mod codecs;

/// Checks a promise on bytes, and panics if it does not hold.
pub type Promise = fn(&[u8]);

/// All targets by name. The folder of a target's seeds and its program have the same name.
pub const TARGETS: [(&str, Promise); 5] = [
    ("request", calls::request),
    ("get", calls::get),
    ("gzip", calls::gzip),
    ("json", codecs::json),
    ("binary", codecs::binary),
];

/// Runs the target of that name.
///
/// # Panics
/// When the target's promise does not hold for `data`, and when there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    let (_, promise) = target.expect("a target of that name");
    promise(data);
}
