//! Formats, lints, protos and generated Go clients.

use crate::command::{cargo, run};
use crate::conformance::with_proto;
use crate::go_tools::{self, go};
use crate::summary::Summary;
use crate::{buf, layers, tools};

/// Crates that are compiled to wasm32.
const WASM_PACKAGES: [&str; 5] = [
    "--package=coral-discovery-worker",
    "--package=coral-discovery",
    "--package=coral-registry",
    "--package=connect-worker",
    "--package=greeter",
];

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// Runs all lints.
pub(crate) fn run_all(summary: &mut Summary) {
    summary.check_command("format", cargo(&["fmt", "--all", "--check"]));
    summary.check("lint for the host", || {
        run(with_proto(cargo(&["clippy", "--workspace", "--all-targets"])?)?.args(DENY_WARNINGS))
    });
    summary.check("lint for wasm32", || {
        run(cargo(&["clippy", "--target", tools::WASM_TARGET])?
            .args(WASM_PACKAGES)
            .args(DENY_WARNINGS))
    });
    summary.check(
        "the service has no platform crate",
        layers::check_dependencies,
    );
    summary.check("proto style", buf::lint);
    summary.check("proto is compatible with main", || {
        buf::check_breaking(None)
    });
    summary.check(
        "incompatible proto changes are detected",
        buf::check_that_breaking_is_detected,
    );
    summary.check("generated Go clients", go_tools::check_clients);
    summary.check("format of Go code", go_tools::check_format);
    summary.check_command("vet of Go code", go(&["vet", "./..."]));
}
