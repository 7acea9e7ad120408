//! Doc comments from proto comments. rustdoc must treat them as text only.

use proc_macro2::TokenStream;
use quote::quote;

/// Emits doc attributes for `comment`, or for `default` if the proto has no comment.
pub(super) fn emit(comment: &[String], default: &str) -> TokenStream {
    let text = comment.join("\n");
    let lines = if text.trim().is_empty() {
        vec![format!(" {default}")]
    } else {
        escape(&text)
    };
    quote! { #(#[doc = #lines])* }
}

/// Escapes a comment so that it makes neither links nor doc tests: brackets are escaped, code
/// blocks are marked as text, and indentation, which would make code, is removed.
fn escape(text: &str) -> Vec<String> {
    let mut in_fence = false;
    text.trim_end()
        .lines()
        .map(|line| {
            let line = line.trim();
            if line.starts_with("```") {
                in_fence = !in_fence;
                return if in_fence { " ```text" } else { " ```" }.to_owned();
            }
            if line.is_empty() {
                return String::new();
            }
            if in_fence {
                return format!(" {line}");
            }
            let mut escaped = String::from(" ");
            for character in line.chars() {
                if matches!(character, '[' | ']' | '<' | '>') {
                    escaped.push('\\');
                }
                escaped.push(character);
            }
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_code_and_tags_are_escaped() {
        let comment = " See [Foo] and <b>.\n\n     let x = 1;\n ```rust\n fn [main]() {}\n ```\n";
        assert_eq!(
            escape(comment),
            [
                " See \\[Foo\\] and \\<b\\>.",
                "",
                " let x = 1;",
                " ```text",
                " fn [main]() {}",
                " ```",
            ]
        );
    }

    #[test]
    fn default_replaces_a_missing_comment() {
        assert_eq!(
            emit(&[], "Calls it.").to_string(),
            quote! { #[doc = " Calls it."] }.to_string()
        );
    }
}
