//! What is generated for the public service, checked in so that reviewers see every change of
//! it. `cargo xtask bless` writes the files anew.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

use std::fs;
use std::path::Path;

#[test]
fn the_discovery_service_is_generated_as_reviewed() {
    let out_dir = tempfile::tempdir().unwrap();
    connect_codegen::Builder::new()
        .include(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto"))
        .file("coral/discovery/v1/discovery.proto")
        .out_dir(out_dir.path())
        .generate()
        .unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for file in [
        "coral.discovery.v1.rs",
        "coral.discovery.v1.connect.rs",
        "protos.rs",
    ] {
        let generated = fs::read_to_string(out_dir.path().join(file)).unwrap();
        let golden = golden.join(file);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&golden, &generated).unwrap();
        }
        let reviewed = fs::read_to_string(&golden).unwrap_or_default();
        let differs = generated
            .lines()
            .zip(reviewed.lines().chain(std::iter::repeat("")))
            .enumerate()
            .find(|(_, (generated, reviewed))| generated != reviewed);
        if let Some((line, (generated, reviewed))) = differs {
            panic!(
                "{file}, line {}: run `cargo xtask bless` and look at the diff\n\
                 reviewed:  {reviewed}\ngenerated: {generated}",
                line + 1
            );
        }
        assert_eq!(
            generated.len(),
            reviewed.len(),
            "{file}: run `cargo xtask bless`"
        );
    }
}

/// Two services can be included into one module, and no name of the proto is hidden by one of ours.
#[test]
fn nothing_is_imported_at_module_scope() {
    let out_dir = tempfile::tempdir().unwrap();
    connect_codegen::Builder::new()
        .include(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/awkward/proto"))
        .include(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto"))
        .file("homeless.proto")
        .file("prelude.proto")
        .file("type/async/v1/keywords.proto")
        .file("coral/discovery/v1/discovery.proto")
        .out_dir(out_dir.path())
        .generate()
        .unwrap();
    let mut files = 0;
    for entry in fs::read_dir(out_dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        for item in syn::parse_file(&source).unwrap().items {
            assert!(
                !matches!(item, syn::Item::Use(_)),
                "{} imports something",
                path.display()
            );
        }
        files += 1;
    }
    // Messages, JSON and services of four packages, and the tree of modules.
    assert_eq!(files, 13);
}
