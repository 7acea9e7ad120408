//! Targets for the codecs, with all message types of the crate `differential`.

use std::sync::LazyLock;

use connect::json::AnyType;

static TYPES: LazyLock<Vec<AnyType>> = LazyLock::new(differential::types);

/// Maximum nesting of binary messages, as prost limits it. JSON may nest a little deeper.
const BINARY_DEPTH: usize = 100;

/// Fuzzes JSON: a decoded message can be encoded as JSON again, and from then on the JSON stays the
/// same.
pub(crate) fn json(data: &[u8]) {
    let Some((message_type, text)) = choose_type(data) else {
        return;
    };
    let opened = text.iter().filter(|byte| matches!(byte, b'{' | b'['));
    if opened.count() > BINARY_DEPTH {
        // The binary may nest too deep to be decoded again, but the conversion must not panic.
        let _ = message_type.json_to_binary(text);
    } else if let Ok(binary) = message_type.json_to_binary(text) {
        let json = message_type.binary_to_json(&binary);
        assert_round_trip(message_type, &json.unwrap());
    }
}

/// Fuzzes binary: the JSON of a decoded message decodes to the same message.
pub(crate) fn binary(data: &[u8]) {
    let Some((message_type, message)) = choose_type(data) else {
        return;
    };
    if let Ok(json) = message_type.binary_to_json(message) {
        assert_round_trip(message_type, &json);
    }
}

/// Chooses a message type by the first byte; the rest is the message.
fn choose_type(data: &[u8]) -> Option<(&'static AnyType, &[u8])> {
    let (first, rest) = data.split_first()?;
    let message_type = TYPES.get(usize::from(*first) % TYPES.len())?;
    Some((message_type, rest))
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window == part.as_bytes())
}

/// Asserts that JSON is the same after a conversion to binary and back.
fn assert_round_trip(message_type: &AnyType, json: &[u8]) {
    let binary = message_type.json_to_binary(json).unwrap();
    let again = message_type.binary_to_json(&binary).unwrap();
    // prost omits a negative zero from binary, as it omits any zero.
    if [":-0,", ":-0}"].iter().any(|zero| contains(json, zero)) {
        return;
    }
    assert_eq!(
        String::from_utf8_lossy(json),
        String::from_utf8_lossy(&again)
    );
}
