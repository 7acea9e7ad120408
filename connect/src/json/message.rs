//! Messages in their JSON form.

use bytes::Bytes;

use super::error_path::path_at;
use super::writer;
use crate::error::Error;
use crate::message::{Message, decode_error};

/// Decodes a message from its JSON form.
///
/// # Errors
/// `invalid_argument`, with the path of the member that is wrong.
pub(crate) fn decode<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    // No bytes are an empty message in binary, but not valid JSON, as in connect-go.
    if bytes.is_empty() {
        return Err(decode_error(
            "zero-length payload is not a valid JSON object",
        ));
    }
    // The whole text is checked here, as the deserializer skips over ignored members.
    let text = std::str::from_utf8(bytes).map_err(|error| decode_error(&error))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let message = M::deserialize(&mut deserializer).map_err(|error| {
        let path = path_at(text, error.line(), error.column());
        match path.as_str() {
            "" => decode_error(&error),
            path => decode_error(&format!("{path}: {error}")),
        }
    })?;
    deserializer.end().map_err(|error| decode_error(&error))?;
    Ok(message)
}

/// Encodes a message in its canonical JSON form.
///
/// # Errors
/// `internal` if the message has no JSON form, such as a timestamp out of range.
pub(crate) fn encode(message: &impl Message) -> Result<Bytes, Error> {
    writer::write(message)
        .map(Bytes::from)
        .map_err(|error| Error::internal("marshal message").with_cause(error))
}
