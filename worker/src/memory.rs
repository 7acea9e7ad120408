//! A warning when the memory of the WebAssembly instance grows. An isolate may have 128 MB of it.

use std::cell::Cell;

use coral_discovery::telemetry::{Log, LogLevel};

/// The growth from one warning to the next.
const STEP_BYTES: usize = 16 * 1024 * 1024;

/// Logs a warning each time that the memory has reached another step.
pub(crate) fn warn_if_grown(log: &Log) {
    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }
    let steps = memory_bytes() / STEP_BYTES;
    if steps > STEPS.get() {
        STEPS.set(steps);
        let size = format!("{} MiB", memory_bytes() / 1024 / 1024);
        log.warning(LogLevel::Warn, "the module's memory has grown", &size);
    }
}

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize {
    const PAGE_BYTES: usize = 64 * 1024;
    core::arch::wasm32::memory_size::<0>() * PAGE_BYTES
}

#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize {
    0
}
