//! Unary calls of a server, as a client sees them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assertion ends a test"
)]

mod checks;
mod handlers;
mod responses;
mod support;
