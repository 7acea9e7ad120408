//! The errors in place of the JSON form of `google.protobuf.Any` without the feature `any`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::any::Any;

const REASON: &str = "google.protobuf.Any has no JSON form: the feature `any` of connect is off";

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(REASON))
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(REASON))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::code::Code;
    use crate::codec::Codec;
    use crate::wkt::Duration;

    #[test]
    fn binary_form_needs_no_feature() {
        let any = Any::pack("google.protobuf.Duration", &Duration::default());
        let binary = Codec::Proto.encode(&any).unwrap();
        assert_eq!(Codec::Proto.decode::<Any>(&binary).unwrap(), any);
    }

    #[test]
    fn json_form_fails_and_names_the_feature() {
        let error = Codec::Json.encode(&Any::default()).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.cause().is_some_and(|cause| cause.contains("`any`")));
        let error = Codec::Json.decode::<Any>(&Bytes::from("{}")).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains("`any`"), "{error}");
    }
}
