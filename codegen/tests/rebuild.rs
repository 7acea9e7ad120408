//! Outputs that would not change are not touched: cargo rebuilds whatever is newer than before.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn generate(folder: &Path) -> Vec<PathBuf> {
    connect_codegen::Builder::new()
        .include(folder)
        .file("main.proto")
        .out_dir(folder.join("out"))
        .generate()
        .unwrap()
}

/// Sets the time of every output to the epoch, which no later write can have.
fn reset_times(folder: &Path) {
    for entry in fs::read_dir(folder.join("out")).unwrap() {
        let file = fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

/// Returns for each output if it was written since its time was reset.
fn written(folder: &Path) -> BTreeMap<String, bool> {
    fs::read_dir(folder.join("out"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let modified = entry.metadata().unwrap().modified().unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, modified != SystemTime::UNIX_EPOCH)
        })
        .collect()
}

#[test]
fn only_changed_outputs_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("out")).unwrap();
    let imported = "syntax = \"proto3\"; package imported; message M {}";
    let main = "syntax = \"proto3\"; package main; import \"imported.proto\";
                service S { rpc Do(imported.M) returns (imported.M); }";
    fs::write(folder.join("imported.proto"), imported).unwrap();
    fs::write(folder.join("main.proto"), main).unwrap();

    let protos = generate(folder);
    let names: Vec<_> = protos
        .iter()
        .map(|path| path.file_name().unwrap())
        .collect();
    assert_eq!(names, ["imported.proto", "main.proto"]);
    assert!(protos.iter().all(|path| path.is_absolute()));

    reset_times(folder);
    generate(folder);
    assert!(written(folder).values().all(|written| !written));

    fs::write(folder.join("main.proto"), main.replace("Do(", "DoIt(")).unwrap();
    generate(folder);
    let written = written(folder);
    assert!(written["main.connect.rs"]);
    assert!(!written["imported.rs"] && !written["imported.json.rs"] && !written["protos.rs"]);
}
