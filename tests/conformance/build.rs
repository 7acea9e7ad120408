//! Generates the conformance service from the proto in the suite's Go module. `cargo xtask
//! conformance` sets `CONFORMANCE_PROTO` to the proto's folder.

fn main() {
    println!("cargo::rerun-if-env-changed=CONFORMANCE_PROTO");
    // Without the proto the crate is empty, so that the workspace builds without the Go module.
    println!("cargo::rustc-check-cfg=cfg(has_proto)");
    let Some(proto) = std::env::var_os("CONFORMANCE_PROTO") else {
        return;
    };
    println!("cargo::rustc-cfg=has_proto");
    connect_codegen::Builder::new()
        .include(proto)
        .file("connectrpc/conformance/v1/service.proto")
        .skip_streaming()
        .type_registry()
        .run();
}
