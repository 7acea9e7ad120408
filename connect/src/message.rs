//! Messages and their binary form.

use std::fmt::Display;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Message with a binary form (prost) and a JSON form (serde). Every type with both implements
/// it, such as those that `connect-codegen` generates.
///
/// ```
/// use connect::wkt::Timestamp;
/// use connect::{Codec, Error, Message};
///
/// fn to_json<M: Message>(message: &M) -> Result<String, Error> {
///     let json = Codec::Json.encode(message)?;
///     Ok(String::from_utf8_lossy(&json).into_owned())
/// }
///
/// assert_eq!(to_json(&Timestamp::default()).unwrap(), r#""1970-01-01T00:00:00Z""#);
/// ```
pub trait Message: prost::Message + Default + Serialize + DeserializeOwned {}

impl<M: prost::Message + Default + Serialize + DeserializeOwned> Message for M {}

/// Decodes a message from its binary form.
///
/// # Errors
/// See [`decode_error`].
pub(crate) fn decode_binary<M: Message>(bytes: &Bytes) -> Result<M, Error> {
    M::decode(bytes.clone()).map_err(|error| decode_error(&error))
}

/// Encodes a message in its binary form.
pub(crate) fn encode_binary(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// Returns the error for a message that cannot be decoded; code and text as connect-go.
pub(crate) fn decode_error(reason: &(impl Display + ?Sized)) -> Error {
    Error::invalid_argument(format!("unmarshal message: {reason}"))
}
