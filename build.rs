//! Generates the two services: the public one and the one of the Durable Objects.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("coral/discovery/v1/discovery.proto")
        .file("coral/registry/v1/registry.proto")
        .run();
}
