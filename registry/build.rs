//! Generates the internal service between the discovery service and the registry's objects.

fn main() {
    connect_codegen::Builder::new()
        .include("../proto")
        .internal("coral/registry/v1/registry.proto")
        .bytes(".coral.registry.v1.Call.request")
        .bytes(".coral.registry.v1.Reply.response")
        .run();
}
