//! Generates the services: the public one, that for operators, and the one of the Durable Objects.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("coral/discovery/v1/discovery.proto")
        .file("coral/discovery/admin/v1/admin.proto")
        .file("coral/registry/v1/registry.proto")
        .binary_only("coral/registry/v1/registry.proto")
        .run();
}
