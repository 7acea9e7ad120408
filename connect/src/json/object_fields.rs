//! Members of objects, each of which may stand there once.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{Discriminant, discriminant};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::nullable::next_value;

/// Reads which field of a message comes next. `seen` are the fields before it; `is_unknown` tells
/// those that the message does not have, which may come again.
///
/// # Errors
/// When the field was there before, under either of its names: pbjson overlooks those that were
/// `null`.
pub fn next_field<'de, F, M>(
    map: &mut M,
    seen: &mut Vec<Discriminant<F>>,
    is_unknown: impl Fn(&F) -> bool,
) -> Result<Option<F>, M::Error>
where
    F: Deserialize<'de>,
    M: MapAccess<'de>,
{
    let Some(field) = map.next_key::<F>()? else {
        return Ok(None);
    };
    let this = discriminant(&field);
    if !is_unknown(&field) {
        if seen.contains(&this) {
            return Err(M::Error::custom("duplicate field"));
        }
        seen.push(this);
    }
    Ok(Some(field))
}

/// Reads the value of a map field.
///
/// # Errors
/// When it is no object, or has a key twice.
pub fn next_map<'de, K, V, M>(map: &mut M) -> Result<BTreeMap<K, V>, M::Error>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
    M: MapAccess<'de>,
{
    next_value::<Unique<K, V>, M>(map).map(|unique| unique.0)
}

struct Unique<K, V>(BTreeMap<K, V>);

impl<K, V> Default for Unique<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Unique<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for UniqueVisitor<K, V> {
    type Value = Unique<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Unique<K, V>, M::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            if entries.insert(key, value).is_some() {
                return Err(M::Error::custom("duplicate map key"));
            }
        }
        Ok(Unique(entries))
    }
}
