//! Parts of a document between marks.

use anyhow::{Context as _, Result};

/// Splits a text into the parts before, between and after the marks `<!-- NAME -->` and
/// `<!-- /NAME -->`. The marks belong to the outer parts.
///
/// # Errors
/// Fails when a mark is missing.
pub(crate) fn section<'t>(text: &'t str, name: &str) -> Result<(&'t str, &'t str, &'t str)> {
    let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let missing = |mark: &str| format!("the line {mark} is missing");
    let (before, rest) = text.split_once(&start).with_context(|| missing(&start))?;
    let (content, _) = rest.split_once(&end).with_context(|| missing(&end))?;
    let from = before.len() + start.len();
    let to = from + content.len();
    Ok((
        text.get(..from).unwrap_or_default(),
        content,
        text.get(to..).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_is_between_its_marks() {
        let text = "a <!-- x -->b<!-- /x --> c";
        let parts = section(text, "x").unwrap();
        assert_eq!(parts, ("a <!-- x -->", "b", "<!-- /x --> c"));
        let error = section(text, "y").unwrap_err();
        assert_eq!(error.to_string(), "the line <!-- y --> is missing");
    }
}
