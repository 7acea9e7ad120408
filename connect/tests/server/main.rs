//! What a client sees of a unary call.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

mod acceptance;
mod answers;
mod handling;
mod support;
