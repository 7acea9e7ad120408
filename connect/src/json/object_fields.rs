//! Members of objects, each of which may occur once.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{Discriminant, discriminant};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::nullable::next_value;

/// Decodes the name of a message's next field and adds it to `seen`. `is_unknown` returns whether
/// the message lacks the field; such fields may repeat.
///
/// ```
/// use connect::json::{next_field, next_value};
/// use serde::de::value::MapDeserializer;
/// use serde_json::json;
///
/// #[derive(serde::Deserialize)]
/// #[serde(field_identifier, rename_all = "camelCase")]
/// enum Field {
///     MeshId,
///     #[serde(other)]
///     Unknown,
/// }
///
/// let object = [("meshId", json!("m1")), ("meshId", json!(null))];
/// let mut map = MapDeserializer::new(object.into_iter());
/// let mut seen = Vec::new();
/// let is_unknown = |field: &Field| matches!(field, Field::Unknown);
/// let field = next_field(&mut map, &mut seen, is_unknown)?;
/// assert!(matches!(field, Some(Field::MeshId)));
/// let mesh_id: String = next_value(&mut map)?;
/// assert!(next_field(&mut map, &mut seen, is_unknown).is_err(), "duplicate field");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// The field is a duplicate, under either of its names. pbjson misses duplicates of fields that
/// were `null`.
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
    let name = discriminant(&field);
    if !is_unknown(&field) {
        if seen.contains(&name) {
            return Err(M::Error::custom("duplicate field"));
        }
        seen.push(name);
    }
    Ok(Some(field))
}

/// Decodes the value of a map field.
///
/// ```
/// use connect::json::next_map;
/// use serde::de::value::MapDeserializer;
/// use serde::de::MapAccess as _;
/// use serde_json::json;
///
/// let object = [("labels", json!({"region": "eu"}))];
/// let mut map = MapDeserializer::new(object.into_iter());
/// assert_eq!(map.next_key::<String>()?.as_deref(), Some("labels"));
/// let labels = next_map::<String, String, _>(&mut map)?;
/// assert_eq!(labels["region"], "eu");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// The value is no object, or a key occurs twice.
pub fn next_map<'de, K, V, M>(map: &mut M) -> Result<BTreeMap<K, V>, M::Error>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
    M: MapAccess<'de>,
{
    next_value::<Unique<K, V>, M>(map).map(|unique| unique.0)
}

/// Map whose keys occur once each in JSON.
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
