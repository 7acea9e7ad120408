//! Sets of field paths, in JSON as one string: `user.displayName,photo`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Text;

/// `google.protobuf.FieldMask`: paths of fields, which may lead through other messages.
///
/// ```
/// use connect::Codec;
/// use connect::wkt::FieldMask;
///
/// let mask: FieldMask = Codec::Json.decode(&r#""user.displayName""#.into())?;
/// assert_eq!(mask.paths, ["user.display_name"]);
/// # Ok::<_, connect::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct FieldMask {
    /// The paths, with the names of the proto.
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

impl Serialize for FieldMask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut camel = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let name = to_camel(path);
            if !is_path(path) || to_snake(&name) != *path {
                return Err(serde::ser::Error::custom(format!(
                    "the path {path:?} has no JSON form"
                )));
            }
            camel.push(name);
        }
        serializer.serialize_str(&camel.join(","))
    }
}

impl<'de> Deserialize<'de> for FieldMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let paths = text.split(',').map(|name| {
            let path = to_snake(name);
            if name.contains('_') || !is_path(&path) {
                return Err(serde::de::Error::custom(format!(
                    "{name:?} is no path of fields"
                )));
            }
            Ok(path)
        });
        Ok(Self {
            paths: paths.collect::<Result<_, _>>()?,
        })
    }
}

/// Converts names to JSON's spelling. Case conversions of other crates differ at digits and
/// repeated underscores.
fn to_camel(path: &str) -> String {
    let mut after_underscore = false;
    let mut camel = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '_' {
            camel.push(if after_underscore {
                character.to_ascii_uppercase()
            } else {
                character
            });
        }
        after_underscore = character == '_';
    }
    camel
}

/// Converts names back to the proto's spelling.
fn to_snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// Returns whether every part of a path could be the name of a field.
fn is_path(path: &str) -> bool {
    path.split('.').all(|name| {
        let starts_well = !name.starts_with(|first: char| first.is_ascii_digit());
        let is_word = name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        !name.is_empty() && starts_well && is_word
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_change_their_spelling_and_round_trip() {
        let mask = FieldMask {
            paths: vec!["user.display_name".to_owned(), "photo".to_owned()],
        };
        let json = r#""user.displayName,photo""#;
        assert_eq!(serde_json::to_string(&mask).unwrap(), json);
        assert_eq!(serde_json::from_str::<FieldMask>(json).unwrap(), mask);
        assert_eq!(
            serde_json::from_str::<FieldMask>("\" \"").unwrap(),
            FieldMask::default()
        );
    }

    #[test]
    fn paths_that_would_not_round_trip_are_rejected() {
        for path in ["displayName", "a__b", "a_1", "a.", "1a", "a-b", ""] {
            let paths = vec![path.to_owned()];
            assert!(
                serde_json::to_string(&FieldMask { paths }).is_err(),
                "{path}"
            );
        }
        for json in [r#""a_b""#, r#""a,,b""#, r#""1""#, "1"] {
            assert!(serde_json::from_str::<FieldMask>(json).is_err(), "{json}");
        }
    }
}
