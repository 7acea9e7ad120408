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
