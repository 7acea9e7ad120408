//! Traps on purpose, in a build for tests that must show what becomes of others: feature `broken`.

/// Traps where somebody asks for the id that names the place. Nothing otherwise.
pub fn at(place: &str, id: &str) {
    #[cfg(all(feature = "broken", target_arch = "wasm32"))]
    if place == id {
        core::arch::wasm32::unreachable();
    }
    #[cfg(not(all(feature = "broken", target_arch = "wasm32")))]
    let _ = (place, id);
}
