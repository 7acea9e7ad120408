//! Upper bound of the memory that the codecs allocate for a small message.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use connect::json::AnyType;
use dhat::{Alloc, HeapStats, Profiler};

#[global_allocator]
static ALLOC: Alloc = Alloc;

/// Bytes of each message: the discovery service's limit.
const MESSAGE: usize = 64 * 1024;

/// Maximum of allocated bytes for each byte of a message: two bytes encode an element of a list,
/// and a list grows by doubling.
const FACTOR: usize = 64;

#[test]
fn small_message_allocates_little_memory() {
    let types = differential::types();
    let message_type = |name: &str| *types.iter().find(|each| each.name() == name).unwrap();
    let everything = message_type("differential.v1.Everything");
    let colony = message_type("coral.discovery.v1.RegisterColonyRequest");
    // The bytes start with the tag of a field.
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
    for (case, message_type, binary) in cases {
        let peak = peak(|| drop(message_type.binary_to_json(&binary)));
        assert!(peak <= FACTOR * MESSAGE, "{case}: {peak} bytes");
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
    for (case, message_type, json) in cases {
        let peak = peak(|| drop(message_type.json_to_binary(json.as_bytes())));
        assert!(peak <= FACTOR * MESSAGE, "{case} in JSON: {peak} bytes");
    }
}

/// Returns the peak of allocated bytes while `work` runs.
fn peak(work: impl FnOnce()) -> usize {
    let _profiler = Profiler::builder().testing().build();
    work();
    HeapStats::get().max_bytes
}
