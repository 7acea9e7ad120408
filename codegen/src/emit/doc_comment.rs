//! Proto comments as doc comments that rustdoc takes for text only.

use proc_macro2::TokenStream;
use quote::quote;

/// Doc attributes for `comment`, or for `default` where the proto says nothing.
pub(crate) fn emit(comment: &[String], default: &str) -> TokenStream {
    let text = comment.join("\n");
    let lines = if text.trim().is_empty() {
        vec![format!(" {default}")]
    } else {
        inert(&text)
    };
    quote! { #(#[doc = #lines])* }
}

/// Neither links nor tests: brackets are escaped, code blocks say that they are text, and
/// nothing is indented far enough to be code.
fn inert(text: &str) -> Vec<String> {
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
    fn links_code_and_tags_become_text() {
        let comment = " See [Foo] and <b>.\n\n     let x = 1;\n ```rust\n fn [main]() {}\n ```\n";
        assert_eq!(
            inert(comment),
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
    fn no_comment_gets_the_default() {
        assert_eq!(
            emit(&[], "Calls it.").to_string(),
            quote! { #[doc = " Calls it."] }.to_string()
        );
    }
}
