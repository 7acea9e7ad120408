//! Messages of any type.

use bytes::Bytes;

/// `google.protobuf.Any`: a message with the name of its type.
///
/// Its JSON form contains the JSON form of the message, so it needs the feature `any` and a type
/// that is well-known or registered with `connect::json::register`. Without the feature, an `Any`
/// has its binary form only, and encoding and decoding JSON fail.
///
/// ```
/// use connect::wkt::{Any, Duration};
///
/// let delay = Duration { seconds: 5, nanos: 0 };
/// let any = Any::pack("google.protobuf.Duration", &delay);
/// assert_eq!(any.type_url, "type.googleapis.com/google.protobuf.Duration");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Any {
    /// A URL whose last part is the full name of the type.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message in its binary form.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

impl Any {
    /// Wraps a message whose type has that full name, such as `google.protobuf.Duration`.
    pub fn pack(type_name: &str, message: &impl prost::Message) -> Self {
        Self {
            type_url: format!("type.googleapis.com/{type_name}"),
            value: message.encode_to_vec().into(),
        }
    }
}
