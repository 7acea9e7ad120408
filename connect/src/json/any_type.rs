//! The types whose messages may stand in a `google.protobuf.Any`: its JSON form holds that of the
//! message, which only the message's type knows how to read and write.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use crate::{Codec, Message, wkt};

/// A type, with how its messages change between binary and JSON.
#[derive(Clone, Copy, Debug)]
pub struct AnyType {
    name: &'static str,
    to_json: fn(&[u8]) -> Result<Bytes, crate::Error>,
    from_json: fn(&[u8]) -> Result<Bytes, crate::Error>,
    is_special: bool,
}

static REGISTERED: RwLock<BTreeMap<&'static str, AnyType>> = RwLock::new(BTreeMap::new());

/// Makes types known to `google.protobuf.Any`, for good. Generated code has a list of those of
/// each package.
pub fn register(types: &[AnyType]) {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    registered.extend(types.iter().map(|each| (each.name, *each)));
}

impl AnyType {
    /// The message type of that full name.
    #[must_use]
    pub const fn new<M: Message>(name: &'static str) -> Self {
        Self {
            name,
            to_json: convert::<M>,
            from_json: convert_back::<M>,
            is_special: false,
        }
    }

    /// A well-known type whose JSON form need not be an object.
    pub(crate) const fn special<M: Message>(name: &'static str) -> Self {
        let mut special = Self::new::<M>(name);
        special.is_special = true;
        special
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        if let Some(found) = wkt::TYPES.iter().find(|each| each.name == name) {
            return Some(*found);
        }
        let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
        registered.get(name).copied()
    }

    /// The full name of the type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Turns a message's binary form into its JSON form.
    ///
    /// # Errors
    /// When it is no such message, or has no JSON form.
    pub fn binary_to_json(&self, message: &[u8]) -> Result<Bytes, crate::Error> {
        (self.to_json)(message)
    }

    /// Turns a message's JSON form into its binary form.
    ///
    /// # Errors
    /// When it is no such message.
    pub fn json_to_binary(&self, json: &[u8]) -> Result<Bytes, crate::Error> {
        (self.from_json)(json)
    }

    pub(crate) fn is_special(&self) -> bool {
        self.is_special
    }

    /// The JSON form of a message. It holds no numbers that a float would not hold.
    pub(crate) fn to_json(self, message: &[u8]) -> Result<wkt::Value, String> {
        let json = (self.to_json)(message).map_err(|error| explain(self.name, &error))?;
        serde_json::from_slice(&json).map_err(|error| error.to_string())
    }

    pub(crate) fn parse_json(self, json: &str) -> Result<Vec<u8>, String> {
        let message =
            (self.from_json)(json.as_bytes()).map_err(|error| explain(self.name, &error))?;
        Ok(message.into())
    }
}

fn explain(name: &str, error: &crate::Error) -> String {
    let cause = error.cause().unwrap_or_default();
    format!("{name}: {} {cause}", error.message())
}

fn convert<M: Message>(message: &[u8]) -> Result<Bytes, crate::Error> {
    let message: M = Codec::Proto.decode(&Bytes::copy_from_slice(message))?;
    Codec::Json.encode(&message)
}

fn convert_back<M: Message>(json: &[u8]) -> Result<Bytes, crate::Error> {
    let message: M = Codec::Json.decode(&Bytes::copy_from_slice(json))?;
    Codec::Proto.encode(&message)
}
