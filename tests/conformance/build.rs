//! Generates the conformance service from the proto of the suite's Go module, which
//! `cargo xtask conformance` finds.

fn main() {
    println!("cargo::rerun-if-env-changed=CONFORMANCE_PROTO");
    // Without it there is nothing to serve, and the crate is empty.
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
