//! Replays the fuzzer's seeds without the fuzzer.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use std::fs;
use std::path::Path;
use std::thread;

/// Bytes of stack: unoptimised code needs 60 KiB for each level of nested messages.
const STACK: usize = 64 * 1024 * 1024;

#[test]
fn seeds_violate_no_invariant() {
    let replay = thread::Builder::new().stack_size(STACK).spawn(replay);
    replay.unwrap().join().unwrap();
}

fn replay() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (target, _) in fuzz::TARGETS {
        let folder = seeds.join(target);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert!(files.len() >= 5, "{target} has {} seeds", files.len());
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            fuzz::run(target, &fs::read(path).unwrap());
        }
    }
}
