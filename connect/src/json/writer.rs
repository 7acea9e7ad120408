//! A serializer for ProtoJSON. Unlike `serde_json`, it encodes `NaN` and infinities as strings, and
//! floats in Go's format.

use std::fmt::Display;

use serde::Serializer;
use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct};
use serde_json::Error;

/// Serializes a value.
///
/// # Errors
/// The error of the value's own serialization.
pub(crate) fn write(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(256);
    value.serialize(Writer(&mut out))?;
    Ok(out)
}

struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    fn display(self, value: impl Display) -> Result<(), Error> {
        use std::io::Write as _;
        write!(self.0, "{value}").map_err(Error::io)
    }

    fn begin(self, begin: u8, end: u8) -> Compound<'a> {
        self.0.push(begin);
        Compound {
            out: self.0,
            end,
            is_empty: true,
        }
    }
}

/// Serializes a float in JavaScript's format, which is also Go's: the shortest, and without an
/// exponent from 0.000001 to 1e21. Negative zero is an exception, as JavaScript drops its sign.
macro_rules! serialize_float {
    ($writer:ident, $value:ident) => {
        if $value.is_nan() {
            $writer.serialize_str("NaN")
        } else if $value.is_infinite() {
            let word = if $value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            $writer.serialize_str(word)
        } else if $value == 0.0 && $value.is_sign_negative() {
            $writer.display("-0")
        } else {
            $writer.display(ryu_js::Buffer::new().format_finite($value))
        }
    };
}

/// Serializes types whose `Display` is JSON.
macro_rules! serialize_with_display {
    ($($name:ident($type:ty);)*) => {$(
        fn $name(self, value: $type) -> Result<(), Error> {
            self.display(value)
        }
    )*};
}

/// Rejects types that no message contains.
macro_rules! unsupported {
    ($($name:ident($($argument:ty),*) -> $ok:ty;)*) => {$(
        fn $name(self, $(_: $argument),*) -> Result<$ok, Error> {
            Err(Error::custom("no JSON form"))
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    serialize_with_display! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
    }

    unsupported! {
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant;
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serialize_float!(self, value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serialize_float!(self, value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        serde_json::to_writer(self.0, value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.display("null")
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(Error::custom("no JSON form"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(self.begin(b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(self.begin(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, Error> {
        Ok(self.begin(b'{', b'}'))
    }
}

/// Array or object that is being serialized.
struct Compound<'a> {
    out: &'a mut Vec<u8>,
    end: u8,
    is_empty: bool,
}

impl Compound<'_> {
    fn separate(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
    }

    fn finish(self) {
        self.out.push(self.end);
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    /// Serializes a key as a string, also if it is a number or a boolean.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let key = write(key)?;
        if key.starts_with(b"\"") {
            self.out.extend_from_slice(&key);
        } else {
            self.out.push(b'"');
            self.out.extend_from_slice(&key);
            self.out.push(b'"');
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.separate();
        Writer(self.out).serialize_str(name)?;
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn text(value: &impl Serialize) -> String {
        String::from_utf8(write(value).unwrap()).unwrap()
    }

    #[test]
    fn floats_have_the_format_of_go() {
        for (value, json) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (969_931_631_000_849.0 + 0.25, "969931631000849.2"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, r#""NaN""#),
            (f64::NEG_INFINITY, r#""-Infinity""#),
        ] {
            assert_eq!(text(&value), json);
        }
        assert_eq!(text(&0.1_f32), "0.1");
    }

    #[test]
    fn arrays_and_objects_nest() {
        let map = BTreeMap::from([(1, vec![Some("a\"\n"), None]), (2, Vec::new())]);
        assert_eq!(text(&map), r#"{"1":["a\"\n",null],"2":[]}"#);
        assert_eq!(
            text(&BTreeMap::from([(true, None::<u8>)])),
            r#"{"true":null}"#
        );
    }
}
