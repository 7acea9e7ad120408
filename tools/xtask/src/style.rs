//! Tests of the style of all code: doc summaries in Rust, and the length of lines.

use std::fs;

use crate::command::command;
use crate::workspace;

/// Columns of a line of code or comment.
const MAX_COLUMNS: usize = 100;

/// Words that start a clause. A summary starts with a verb or a noun instead: "Returns ...".
const CLAUSE_WORDS: [&str; 13] = [
    "What", "Whether", "Who", "Whose", "Where", "How", "When", "Which", "By", "Of", "As", "That",
    "Why",
];

/// Files whose lines are measured. Manifests are not: cargo wants some values on one line.
const CODE: [&str; 7] = [
    "*.rs", "*.js", "*.mjs", "*.go", "*.proto", "*.sh", "*.capnp",
];

/// Folders of generated code, and of constant responses that are one line each.
const EXCLUDED: [&str; 3] = ["/golden/", "/gen/", "/floors/"];

struct Source {
    path: String,
    text: String,
}

/// Reads the files of those patterns that git tracks, except generated code.
fn sources(patterns: &[&str]) -> Vec<Source> {
    let listed = command("git")
        .unwrap()
        .args(["ls-files", "-z", "--"])
        .args(patterns)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let paths = listed.split_terminator('\0');
    paths
        .filter(|path| !EXCLUDED.iter().any(|folder| path.contains(folder)))
        .filter_map(|path| {
            // A file that was deleted, but not from the index, cannot be read.
            let text = fs::read_to_string(workspace::root().join(path)).ok()?;
            let path = path.to_owned();
            Some(Source { path, text })
        })
        .collect()
}

/// Returns the text of a line of a doc comment, with its marker.
fn doc_line(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    ["///", "//!"].into_iter().find_map(|marker| {
        let text = line.strip_prefix(marker)?;
        (!text.starts_with('/')).then_some((marker, text.trim()))
    })
}

/// Returns the summaries of all doc comments: their first lines, with line numbers.
fn summaries(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut previous = None;
    for (index, line) in text.lines().enumerate() {
        let doc = doc_line(line);
        let marker = doc.map(|(marker, _)| marker);
        if let Some((_, summary)) = doc
            && marker != previous
        {
            found.push((index + 1, summary));
        }
        previous = marker;
    }
    found
}

fn is_clause(summary: &str) -> bool {
    let first = summary.split(|c: char| !c.is_alphanumeric()).next();
    first.is_some_and(|word| CLAUSE_WORDS.contains(&word))
}

/// Returns the numbers of lines that are too long. A word without a space, such as a URL, cannot be
/// wrapped, and buf keeps an option or an RPC on one line.
fn long_lines(text: &str) -> Vec<usize> {
    let is_long = |line: &str| {
        let content = line.trim_start_matches(['/', '!', ' ']);
        let is_one_line = ["option ", "rpc "]
            .iter()
            .any(|word| content.starts_with(word));
        line.chars().count() > MAX_COLUMNS && content.trim().contains(' ') && !is_one_line
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| is_long(line))
        .map(|(index, _)| index + 1)
        .collect()
}

#[test]
fn doc_summaries_start_with_a_verb_or_a_noun() {
    let mut total = 0;
    let mut clauses = Vec::new();
    for source in sources(&["*.rs"]) {
        for (line, summary) in summaries(&source.text) {
            total += 1;
            if is_clause(summary) {
                clauses.push(format!("{}:{line}: {summary}", source.path));
            }
        }
    }
    assert!(total > 0, "git lists no Rust files");
    assert!(
        clauses.is_empty(),
        "{} of {total} summaries start with a clause:\n{}",
        clauses.len(),
        clauses.join("\n")
    );
}

#[test]
fn lines_have_at_most_100_columns() {
    let mut long = Vec::new();
    for source in sources(&CODE) {
        for line in long_lines(&source.text) {
            long.push(format!("{}:{line}", source.path));
        }
    }
    assert!(
        long.is_empty(),
        "wrap {} lines:\n{}",
        long.len(),
        long.join("\n")
    );
}

#[test]
fn summary_is_the_first_line_of_a_doc_comment() {
    let text =
        "//! Crate.\n\n/// Returns one.\n/// What follows is no summary.\nfn f() {}\n//// x\n";
    assert_eq!(summaries(text), [(1, "Crate."), (3, "Returns one.")]);
}

#[test]
fn clause_is_recognised_by_its_first_word() {
    assert!(is_clause("What is left."));
    assert!(is_clause("As connect-go does."));
    assert!(!is_clause("Whatever."));
    assert!(!is_clause("Returns what is left."));
    assert!(!is_clause(""));
}

#[test]
fn long_line_without_spaces_is_allowed() {
    let url = format!("/// <https://example.org/{}>", "x".repeat(100));
    assert_eq!(long_lines(&url), [0; 0]);
    assert_eq!(long_lines(&format!("/// see {}", "x".repeat(100))), [1]);
}
