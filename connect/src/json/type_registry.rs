//! Message types that `google.protobuf.Any` finds by name: the JSON form of an `Any` contains the
//! JSON form of its message, which only the message's type can encode and decode.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use super::message::{decode, encode};
use crate::error::Error;
use crate::message::{Message, decode_binary, encode_binary};

/// A message type with conversions between its binary and its JSON form.
///
/// ```
/// use connect::json::AnyType;
/// use connect::wkt::Duration;
///
/// let duration = AnyType::new::<Duration>("google.protobuf.Duration");
/// let binary = duration.json_to_binary(br#""5s""#).unwrap();
/// assert_eq!(binary.as_ref(), [0x08, 5]);
/// assert_eq!(duration.binary_to_json(&binary).unwrap(), r#""5s""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnyType {
    name: &'static str,
    binary_to_json: fn(&[u8]) -> Result<Bytes, Error>,
    json_to_binary: fn(&[u8]) -> Result<Bytes, Error>,
}

static REGISTERED: RwLock<BTreeMap<&'static str, AnyType>> = RwLock::new(BTreeMap::new());

/// Registers message types for `google.protobuf.Any`, for as long as the process runs. Generated
/// code has a list `TYPES` for each package.
///
/// ```
/// use connect::json::{self, AnyType};
/// use connect::wkt::{Any, Int32Value};
///
/// json::register(&[AnyType::new::<Int32Value>("example.Count")]);
/// let any = Any::pack("example.Count", &Int32Value { value: 7 });
/// let json = connect::Codec::Json.encode(&any).unwrap();
/// assert_eq!(json, r#"{"@type":"type.googleapis.com/example.Count","value":7}"#);
/// ```
pub fn register(types: &[AnyType]) {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    registered.extend(types.iter().map(|each| (each.name, *each)));
}

impl AnyType {
    /// Creates the entry for the message type `M` under its full name, such as `package.Message`.
    #[must_use]
    pub const fn new<M: Message>(name: &'static str) -> Self {
        Self {
            name,
            binary_to_json: |binary| encode(&decode_binary::<M>(&Bytes::copy_from_slice(binary))?),
            json_to_binary: |json| Ok(encode_binary(&decode::<M>(json)?)),
        }
    }

    /// Returns the registered type with that full name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
        registered.get(name).copied()
    }

    /// Returns the full name of the type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Converts a message from its binary to its JSON form.
    ///
    /// # Errors
    /// `invalid_argument` if the bytes are no message of this type, `internal` if the message has
    /// no JSON form.
    pub fn binary_to_json(&self, message: &[u8]) -> Result<Bytes, Error> {
        (self.binary_to_json)(message)
    }

    /// Converts a message from its JSON to its binary form.
    ///
    /// # Errors
    /// `invalid_argument` if the JSON is no message of this type.
    pub fn json_to_binary(&self, json: &[u8]) -> Result<Bytes, Error> {
        (self.json_to_binary)(json)
    }
}
