//! The path of members and elements to an error in a JSON text, such as `endpoints[1]`.
//!
//! The path is found after an error, as following it while decoding would slow every call down.

use std::fmt::Write as _;

/// Largest path in bytes: a request of thousands of nested arrays must not get a response three
/// times as long.
const PATH_BYTES: usize = 256;

/// Object or array that contains a position of the text.
enum Container<'t> {
    /// An object, with the name of the member at the position.
    Object(Option<&'t str>),
    /// An array, with the index of the element at the position.
    Array(usize),
}

/// Returns the path to a position; empty for the top level. Lines and columns count from 1, and
/// columns count bytes, as in `serde_json::Error`.
pub(super) fn path_at(text: &str, line: usize, column: usize) -> String {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let end = before.saturating_add(column).min(text.len());
    let mut containers = Vec::new();
    let mut rest = text;
    let mut expects_name = false;
    while let Some(first) = rest.chars().next() {
        let position = text.len() - rest.len();
        if position >= end {
            break;
        }
        let mut length = first.len_utf8();
        match first {
            '{' => {
                containers.push(Container::Object(None));
                expects_name = true;
            }
            '[' => {
                containers.push(Container::Array(0));
                expects_name = false;
            }
            // serde_json reports an error of a value's own deserializer at the end of the object
            // or array around it. The value is the last one in there.
            '}' | ']' if position + length == end => break,
            '}' | ']' => {
                containers.pop();
                expects_name = false;
            }
            ',' => match containers.last_mut() {
                Some(Container::Array(index)) => *index += 1,
                Some(Container::Object(_)) => expects_name = true,
                None => {}
            },
            '"' => {
                length = string_length(rest);
                if let (true, Some(Container::Object(member))) =
                    (expects_name, containers.last_mut())
                {
                    *member = rest.get(1..length.saturating_sub(1));
                    expects_name = false;
                }
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    format_path(&containers)
}

/// Returns the length in bytes of the string at the start of `text`, with its quotes. A string
/// that does not end is the whole text.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn format_path(containers: &[Container<'_>]) -> String {
    let mut path = String::new();
    for container in containers {
        let start = path.len();
        match container {
            Container::Object(Some(member)) if path.is_empty() => path.push_str(member),
            Container::Object(Some(member)) => {
                let _ = write!(path, ".{member}");
            }
            Container::Object(None) => {}
            Container::Array(index) => {
                let _ = write!(path, "[{index}]");
            }
        }
        if path.len() > PATH_BYTES {
            path.truncate(start);
            path.push('…');
            break;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the path to the position that a `!` marks.
    fn path(text: &str) -> String {
        let (before, after) = text.split_once('!').unwrap();
        let line = before.lines().count().max(1);
        let column = before.lines().last().map_or(0, str::len);
        path_at(&format!("{before}{after}"), line, column)
    }

    #[test]
    fn path_names_members_and_elements() {
        for (text, expected) in [
            ("!", ""),
            ("{!", ""),
            (r#"{"a"!"#, "a"),
            (r#"{"a":1!}"#, "a"),
            (r#"{"a":1,"b":"x"!"#, "b"),
            (r#"{"a":{}, "b":{"c":[0,{"d":1!"#, "b.c[1].d"),
            (r#"{"a":[[1,2],[3!"#, "a[1][0]"),
            (r#"{"a":[1],"b":2!"#, "b"),
            (r#"{"a":{"b":1}!"#, "a.b"),
            (r#"{"a":{"b":1} !"#, "a"),
            (r#"{"a":[1,2]!"#, "a[1]"),
            (r#"{"a":1,"b":2}!"#, "b"),
            ("{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2!", "b[1]"),
            (r#"{"a\"{[,":1!"#, r#"a\"{[,"#),
            (r#"{"a":"\\","b":1!"#, "b"),
            (r#"{"ä":"{","ö":1!"#, "ö"),
            ("[1,2!", "[1]"),
            ("]]]}}},!", ""),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }

    #[test]
    fn long_path_is_cut() {
        let deep = format!("{{\"a\":{}", "[".repeat(10_000));
        let path = path_at(&deep, 1, deep.len());
        assert!(path.starts_with("a[0][0]") && path.ends_with("[0]…"));
        assert!(path.len() <= PATH_BYTES + '…'.len_utf8());
        let long = format!("{{\"{}\":", "m".repeat(10_000));
        assert_eq!(path_at(&long, 1, long.len()), "…");
    }

    proptest! {
        #[test]
        fn any_position_of_any_text_has_a_path(
            text in any::<String>(),
            line in 0..5_usize,
            column: usize,
        ) {
            path_at(&text, line, column);
        }
    }
}
