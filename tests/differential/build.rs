//! Generates the messages to compare: one with every kind of field, the project's own, and those of
//! Connect's conformance suite, if `CONFORMANCE_PROTO` names the folder of its proto.

fn main() {
    println!("cargo::rerun-if-env-changed=CONFORMANCE_PROTO");
    println!("cargo::rustc-check-cfg=cfg(has_conformance)");
    let builder = connect_codegen::Builder::new()
        .include("proto")
        .include("../../proto")
        .file("differential/v1/everything.proto")
        .file("coral/discovery/v1/discovery.proto")
        .type_registry();
    let builder = match std::env::var_os("CONFORMANCE_PROTO") {
        None => builder,
        Some(proto) => {
            println!("cargo::rustc-cfg=has_conformance");
            builder
                .include(proto)
                .file("connectrpc/conformance/v1/service.proto")
                .skip_streaming()
        }
    };
    builder.run();
}
