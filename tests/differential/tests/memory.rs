//! What a small message can make the codecs allocate, at the most.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

use connect::json::AnyType;
use dhat::{Alloc, HeapStats, Profiler};

#[global_allocator]
static ALLOC: Alloc = Alloc;

/// Bytes of each message: what the discovery service takes at the most.
const MESSAGE: usize = 64 * 1024;

/// How many bytes are allocated at once for a byte of a message, at the most: two bytes make an
/// element of a list, and a list grows by doubling.
const FACTOR: usize = 64;

#[test]
fn a_small_message_allocates_little() {
    let types = differential::types();
    let of = |name: &str| *types.iter().find(|each| each.name() == name).unwrap();
    let everything = of("differential.v1.Everything");
    let colony = of("coral.discovery.v1.RegisterColonyRequest");
    // Tags of fields, as binary has them.
    let repeated = |tag: &[u8]| tag.repeat(MESSAGE / tag.len());
    let cases: [(&str, AnyType, Vec<u8>); 8] = [
        ("empty strings", colony, repeated(b"\x1a\x00")),
        ("empty entries of a map", colony, repeated(b"\x3a\x00")),
        ("empty messages", everything, repeated(b"\xc2\x02\x00")),
        (
            "empty values of any kind",
            everything,
            repeated(b"\x92\x05\x00"),
        ),
        ("packed zeros", everything, {
            let mut packed = b"\x9a\x02\xf8\xff\x03".to_vec();
            packed.resize(5 + 65_528, 0);
            packed
        }),
        (
            "a length beyond the end",
            everything,
            b"\x72\xff\xff\xff\xff\x07".to_vec(),
        ),
        (
            "a packed length beyond the end",
            everything,
            b"\x9a\x02\xff\xff\xff\xff\x07".to_vec(),
        ),
        (
            "unknown groups in groups",
            everything,
            repeated(b"\xc3\x3e"),
        ),
    ];
    for (what, of, binary) in cases {
        let peak = peak(|| drop(of.binary_to_json(&binary)));
        assert!(peak <= FACTOR * MESSAGE, "{what}: {peak} bytes");
    }
    let list = |name: &str, element: &str| {
        let elements = vec![element; MESSAGE / (element.len() + 1)].join(",");
        format!("{{\"{name}\":[{elements}]}}")
    };
    let cases = [
        ("empty strings", colony, list("endpoints", "\"\"")),
        ("zeros", everything, list("doubles", "0")),
        ("empty messages", everything, list("inners", "{}")),
        ("values of any kind", everything, list("values", "0")),
        ("unknown elements", everything, list("unknown", "0")),
        (
            "unknown lists in lists",
            everything,
            format!("{{\"x\":{}", "[".repeat(MESSAGE)),
        ),
    ];
    for (what, of, json) in cases {
        let peak = peak(|| drop(of.json_to_binary(json.as_bytes())));
        assert!(peak <= FACTOR * MESSAGE, "{what} in JSON: {peak} bytes");
    }
}

/// The bytes that `work` holds at once, at the most.
fn peak(work: impl FnOnce()) -> usize {
    let _profiler = Profiler::builder().testing().build();
    work();
    HeapStats::get().max_bytes
}
