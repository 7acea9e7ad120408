//! ProtoJSON where it differs from serde's and pbjson's JSON. Generated code encodes and decodes
//! fields with these types and functions.
//!
//! For a message with a string, a number and an enum, it decodes JSON like this:
//!
//! ```
//! use std::fmt;
//!
//! use connect::json::{Number, next_enum, next_field, next_value};
//! use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(variant_identifier)]
//! enum Priority {
//!     #[serde(rename = "PRIORITY_LOW")]
//!     Low = 0,
//!     #[serde(rename = "PRIORITY_HIGH")]
//!     High = 1,
//! }
//!
//! impl From<Priority> for i32 {
//!     fn from(priority: Priority) -> Self {
//!         priority as Self
//!     }
//! }
//!
//! #[derive(Debug, Default, PartialEq)]
//! struct Task {
//!     title: String,
//!     due_seconds: i64,
//!     priority: i32,
//! }
//!
//! #[derive(serde::Deserialize)]
//! #[serde(field_identifier)]
//! enum Field {
//!     #[serde(rename = "title")]
//!     Title,
//!     #[serde(rename = "dueSeconds", alias = "due_seconds")]
//!     DueSeconds,
//!     #[serde(rename = "priority")]
//!     Priority,
//!     #[serde(other)]
//!     Unknown,
//! }
//!
//! impl<'de> Deserialize<'de> for Task {
//!     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
//!         struct TaskVisitor;
//!
//!         impl<'de> Visitor<'de> for TaskVisitor {
//!             type Value = Task;
//!
//!             fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!                 f.write_str("a task")
//!             }
//!
//!             fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Task, M::Error> {
//!                 let mut task = Task::default();
//!                 let mut seen = Vec::new();
//!                 let is_unknown = |field: &Field| matches!(field, Field::Unknown);
//!                 while let Some(field) = next_field(&mut map, &mut seen, is_unknown)? {
//!                     match field {
//!                         Field::Title => task.title = next_value(&mut map)?,
//!                         Field::DueSeconds => {
//!                             let Number(seconds) = next_value(&mut map)?;
//!                             task.due_seconds = seconds;
//!                         }
//!                         Field::Priority => {
//!                             task.priority = next_enum::<Priority, _>(&mut map)?;
//!                         }
//!                         Field::Unknown => {
//!                             map.next_value::<serde::de::IgnoredAny>()?;
//!                         }
//!                     }
//!                 }
//!                 Ok(task)
//!             }
//!         }
//!
//!         deserializer.deserialize_map(TaskVisitor)
//!     }
//! }
//!
//! let json = r#"{"title": null, "due_seconds": "6e1", "priority": "PRIORITY_HIGH", "new": []}"#;
//! let task = Task { title: String::new(), due_seconds: 60, priority: 1 };
//! assert_eq!(serde_json::from_str::<Task>(json)?, task);
//! # Ok::<_, serde_json::Error>(())
//! ```

mod bytes;
mod enumeration;
mod error_path;
mod message;
mod nullable;
mod number;
mod object_fields;
mod text;
#[cfg(feature = "any")]
mod type_registry;
mod writer;

pub use bytes::{Bytes, encode_base64};
pub use enumeration::{
    Enumeration, enumeration, next_enum, next_enum_map, next_enums, next_optional_enum,
};
pub(crate) use message::{decode, encode};
pub(crate) use nullable::NULL_IS_A_VALUE;
pub use nullable::next_value;
pub use number::{Key, Number, Scalar};
pub use object_fields::{next_field, next_map};
pub(crate) use text::Text;
#[cfg(feature = "any")]
pub use type_registry::{AnyType, register};
