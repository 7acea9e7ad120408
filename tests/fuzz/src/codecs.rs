//! The codecs of messages, on a message with every kind of field and on the project's own.

use std::sync::LazyLock;

use connect::json::AnyType;

static TYPES: LazyLock<Vec<AnyType>> = LazyLock::new(differential::types);

/// How deep binary may nest, as prost has it. JSON may nest a little deeper.
const BINARY_DEPTH: usize = 100;

/// JSON that is read as a message can be written as one, and is the same again from then on.
pub(crate) fn json(data: &[u8]) {
    let Some((of, text)) = typed(data) else {
        return;
    };
    let opened = text.iter().filter(|byte| matches!(byte, b'{' | b'['));
    if opened.count() > BINARY_DEPTH {
        // Must not end in a panic, but what is read may nest too deep for the way back.
        let _ = of.json_to_binary(text);
    } else if let Ok(binary) = of.json_to_binary(text) {
        let written = of.binary_to_json(&binary);
        stays_the_same(of, &written.unwrap());
    }
}

/// Binary that is read as a message and has a JSON form means the same in it.
pub(crate) fn binary(data: &[u8]) {
    let Some((of, message)) = typed(data) else {
        return;
    };
    if let Ok(json) = of.binary_to_json(message) {
        stays_the_same(of, &json);
    }
}

/// The first byte chooses the type.
fn typed(data: &[u8]) -> Option<(&'static AnyType, &[u8])> {
    let (first, rest) = data.split_first()?;
    let of = TYPES.get(usize::from(*first) % TYPES.len())?;
    Some((of, rest))
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window == part.as_bytes())
}

fn stays_the_same(of: &AnyType, json: &[u8]) {
    let binary = of.json_to_binary(json).unwrap();
    let again = of.binary_to_json(&binary).unwrap();
    // prost leaves a negative zero out of binary, as it does any zero.
    if [":-0,", ":-0}"].iter().any(|zero| contains(json, zero)) {
        return;
    }
    assert_eq!(
        String::from_utf8_lossy(json),
        String::from_utf8_lossy(&again)
    );
}
