//! Where in a JSON text an error is, as a path of members and elements: `endpoints[1]`.
//!
//! Following the path while reading would cost every call; this looks for it once something is wrong.

use std::fmt::Write as _;

/// Bytes of a path at the most: whoever nests thousands of arrays shall not get an answer three times as long.
const PATH_BYTES: usize = 256;

/// What is open at a place of the text.
enum Open<'t> {
    /// An object, at this member.
    Object(Option<&'t str>),
    /// An array, at this element.
    Array(usize),
}

/// The path of what is being read at a line and column, both counted from 1, columns in bytes. Empty at
/// the top.
pub(crate) fn at(text: &str, line: usize, column: usize) -> String {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let end = before.saturating_add(column).min(text.len());
    let mut open = Vec::new();
    let mut rest = text;
    let mut names_a_member = false;
    while let Some(first) = rest.chars().next() {
        let read = text.len() - rest.len();
        if read >= end {
            break;
        }
        let mut length = first.len_utf8();
        match first {
            '{' => {
                open.push(Open::Object(None));
                names_a_member = true;
            }
            '[' => {
                open.push(Open::Array(0));
                names_a_member = false;
            }
            // serde_json notices what a value's own reader says only when it has read on to the end of
            // the object or array: what was read last in there is meant.
            '}' | ']' if read + length == end => break,
            '}' | ']' => {
                open.pop();
                names_a_member = false;
            }
            ',' => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object(_)) => names_a_member = true,
                None => {}
            },
            '"' => {
                length = string_length(rest);
                if let (true, Some(Open::Object(member))) = (names_a_member, open.last_mut()) {
                    *member = rest.get(1..length.saturating_sub(1));
                    names_a_member = false;
                }
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    join(&open)
}

/// Bytes of the string at the start of `text`, quotes included; all of it if it does not end.
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

fn join(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for each in open {
        let start = path.len();
        match each {
            Open::Object(Some(member)) if path.is_empty() => path.push_str(member),
            Open::Object(Some(member)) => {
                let _ = write!(path, ".{member}");
            }
            Open::Object(None) => {}
            Open::Array(index) => {
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

    /// The path at the place that a `!` marks.
    fn path(text: &str) -> String {
        let (before, after) = text.split_once('!').unwrap();
        let line = before.lines().count().max(1);
        let column = before.lines().last().map_or(0, str::len);
        at(&format!("{before}{after}"), line, column)
    }

    #[test]
    fn members_and_elements_are_named() {
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
    fn a_path_has_an_end() {
        let deep = format!("{{\"a\":{}", "[".repeat(10_000));
        let path = at(&deep, 1, deep.len());
        assert!(path.starts_with("a[0][0]") && path.ends_with("[0]…"));
        assert!(path.len() <= PATH_BYTES + '…'.len_utf8());
        let long = format!("{{\"{}\":", "m".repeat(10_000));
        assert_eq!(at(&long, 1, long.len()), "…");
    }

    proptest! {
        #[test]
        fn any_text_has_a_path_anywhere(text in any::<String>(), line in 0..5_usize, column: usize) {
            at(&text, line, column);
        }
    }
}
