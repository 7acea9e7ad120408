//! Generated code, checked in so that reviewers see every change of it. `cargo xtask bless`
//! rewrites the files.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use connect_codegen::Builder;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// Files that are compared. The JSON form is not: it is long, and covered by round trips.
const REVIEWED: [&str; 5] = [
    "coral.discovery.v1.connect.rs",
    "coral.discovery.v1.rs",
    "counter.v1.connect.rs",
    "counter.v1.rs",
    "protos.rs",
];

#[test]
fn public_and_internal_services_are_generated_as_reviewed() {
    let out_dir = tempfile::tempdir().unwrap();
    Builder::new()
        .include(format!("{FOLDER}/../proto"))
        .include(format!("{FOLDER}/tests/golden/proto"))
        .file("coral/discovery/v1/discovery.proto")
        .internal("counter/v1/counter.proto")
        .out_dir(out_dir.path())
        .generate()
        .unwrap();
    let golden = Path::new(FOLDER).join("tests/golden");
    for file in REVIEWED {
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
    let written: BTreeSet<_> = fs::read_dir(out_dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected = BTreeSet::from(REVIEWED.map(ToOwned::to_owned));
    expected.insert("coral.discovery.v1.json.rs".to_owned());
    assert_eq!(written, expected);
}

/// Two services can be included into one module, and no import hides a name of the proto.
#[test]
fn generated_files_import_nothing() {
    let out_dir = tempfile::tempdir().unwrap();
    Builder::new()
        .include(format!("{FOLDER}/tests/awkward/proto"))
        .include(format!("{FOLDER}/../proto"))
        .file("no_package.proto")
        .file("prelude.proto")
        .file("type/async/v1/keywords.proto")
        .file("coral/discovery/v1/discovery.proto")
        .internal("internal.proto")
        .type_registry()
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
    // Messages, JSON and services of four packages, an internal one without JSON, and the modules.
    assert_eq!(files, 15);
}
