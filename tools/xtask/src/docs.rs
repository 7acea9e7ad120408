//! The command `docs`: checks the links of the documentation, and builds its site.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::command::{command, run};
use crate::{tools, workspace};

/// Table of contents of the site.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Base of links to files that are not part of the site.
const REPOSITORY: &str = "https://github.com/coral-mesh/coral-discovery/blob/main";

/// Checks that every relative link leads to an existing file and to a heading in it.
pub(crate) fn check_links() -> Result<()> {
    let mut documents = pages()?;
    documents.insert(PathBuf::from(SUMMARY));
    let mut broken = Vec::new();
    for document in &documents {
        let text = fs::read_to_string(workspace::root().join(document))?;
        for target in links(&text) {
            if !is_valid(document, &target)? {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    ensure!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    Ok(())
}

/// Returns whether the target of a link in a document exists.
fn is_valid(document: &Path, target: &str) -> Result<bool> {
    let Some((path, heading)) = split(target) else {
        return Ok(true);
    };
    let file = match path {
        "" => Some(document.to_path_buf()),
        path => join(document, path),
    };
    let Some(file) = file.map(|file| workspace::root().join(file)) else {
        return Ok(false);
    };
    if heading.is_empty() || file.extension().is_none_or(|kind| kind != "md") {
        return Ok(file.exists());
    }
    Ok(anchors(&fs::read_to_string(&file)?).contains(heading))
}

/// Splits a relative link into its path and heading. Returns `None` for links to other sites.
fn split(target: &str) -> Option<(&str, &str)> {
    let is_external = target.contains("://") || target.starts_with("mailto:");
    (!is_external).then(|| target.split_once('#').unwrap_or((target, "")))
}

/// Returns the anchors of the headings in a text.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), Some(words)) => {
                found.insert(anchor(words));
                heading = None;
            }
            (Event::Text(words) | Event::Code(words), Some(heading)) => heading.push_str(&words),
            _ => {}
        }
    }
    found
}

/// Derives a heading's anchor from its text, like GitHub and mdBook.
fn anchor(words: &str) -> String {
    let kept = words.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}

/// Builds the site. Returns its folder.
pub(crate) fn build_site() -> Result<PathBuf> {
    let book = workspace::root().join("target/book");
    let sources = book.join("src");
    if sources.is_dir() {
        fs::remove_dir_all(&sources)?;
    }
    let pages = pages()?;
    for page in &pages {
        let text = fs::read_to_string(workspace::root().join(page))?;
        let text = rewrite(&text, |target| external_link(page, target, &pages));
        workspace::write(&sources.join(page), text.as_bytes())?;
    }
    for picture in fs::read_dir(workspace::root().join("docs"))? {
        let picture = picture?.path();
        if picture.extension().is_some_and(|kind| kind == "svg") {
            let name = picture.file_name().context("a picture")?;
            let copy = sources.join("docs").join(name);
            workspace::write(&copy, &fs::read(&picture)?)?;
        }
    }
    let summary = fs::read_to_string(workspace::root().join(SUMMARY))?;
    let from_top = |target: &str| join(Path::new(SUMMARY), target).map(|path| show(&path));
    workspace::write(
        &sources.join("SUMMARY.md"),
        rewrite(&summary, from_top).as_bytes(),
    )?;
    fs::copy(
        workspace::root().join("docs/book.toml"),
        book.join("book.toml"),
    )?;
    run(command(tools::mdbook()?)?.arg("build").arg(&book))?;
    let site = book.join("site");
    ensure!(
        site.join("index.html").is_file() && site.join("docs/rollout.html").is_file(),
        "mdbook built no index or no rollout page: check docs/SUMMARY.md"
    );
    Ok(site)
}

/// Returns the pages of the site, relative to the top of the checkout.
fn pages() -> Result<BTreeSet<PathBuf>> {
    let summary = fs::read_to_string(workspace::root().join(SUMMARY))?;
    let mut pages = BTreeSet::new();
    for target in links(&summary) {
        let page = join(Path::new(SUMMARY), &target)
            .with_context(|| format!("{SUMMARY}: {target} is outside the checkout"))?;
        pages.insert(page);
    }
    Ok(pages)
}

/// Returns the absolute form of a link that leads out of the site, or `None` for other links.
fn external_link(page: &Path, target: &str, pages: &BTreeSet<PathBuf>) -> Option<String> {
    let (path, heading) = split(target).filter(|(path, _)| !path.is_empty())?;
    let path = join(page, path)?;
    if pages.contains(&path) || path.extension().is_some_and(|kind| kind == "svg") {
        return None;
    }
    let heading = if heading.is_empty() {
        String::new()
    } else {
        format!("#{heading}")
    };
    Some(format!("{REPOSITORY}/{}{heading}", show(&path)))
}

/// Resolves a relative link of a page to a path relative to the top of the checkout. Returns `None`
/// if it leads out of the checkout.
fn join(page: &Path, target: &str) -> Option<PathBuf> {
    let mut path = page.parent()?.to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => path.pop().then_some(())?,
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Formats a path with slashes.
fn show(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Returns the targets of the links in a text.
fn links(text: &str) -> Vec<String> {
    let tags = Parser::new(text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    tags.collect()
}

/// Replaces the targets of the links for which `change` returns another.
fn rewrite(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let mut changed = text.to_owned();
    let tags: Vec<_> = Parser::new(text)
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                Some((range, change(&dest_url)?, dest_url.into_string()))
            }
            _ => None,
        })
        .collect();
    // From the end, so that earlier ranges stay valid.
    for (range, to, from) in tags.into_iter().rev() {
        let link = text.get(range.clone()).unwrap_or_default();
        if let Some(at) = link.rfind(&from) {
            let start = range.start + at;
            changed.replace_range(start..start + from.len(), &to);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_to_a_file_outside_the_site_is_rewritten_to_the_repository() {
        let pages = BTreeSet::from([PathBuf::from("README.md"), PathBuf::from("docs/a.md")]);
        let page = Path::new("docs/a.md");
        let text = "[a](../README.md#x), [b](../src/lib.rs), [c](https://example.org), [d](#e), \
                    `[f](g.rs)`, [h](b.svg)";
        assert_eq!(
            rewrite(text, |target| external_link(page, target, &pages)),
            text.replace("../src/lib.rs", &format!("{REPOSITORY}/src/lib.rs"))
        );
        assert_eq!(join(page, "../../x"), None);
    }

    #[test]
    fn broken_links_are_found() {
        let page = Path::new("docs/setup.md");
        for (target, leads) in [
            ("../README.md", true),
            ("../README.md#run-it", true),
            ("../README.md#nowhere", false),
            ("rollout.md#1-errors-and-latency-by-version", true),
            ("#1-an-account", true),
            ("nowhere.md", false),
            ("../src", true),
            ("../../outside", false),
            ("https://example.org/nowhere", true),
        ] {
            assert_eq!(is_valid(page, target).unwrap(), leads, "{target}");
        }
    }
}
