//! The settings of a migration.

use std::time::Duration;

use connect::Codec;

/// The settings of the migration from a legacy server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationSettings {
    /// `LEGACY_DISCOVERY_URL`: scheme, authority, and a path without a slash at the end.
    pub url: String,
    /// `LEGACY_CODEC`: the codec that the legacy server speaks.
    pub codec: Codec,
    /// `LEGACY_TIMEOUT_MS`: the longest wait for it.
    pub timeout: Duration,
    /// `LEGACY_SYNC_WRITES`: whether a registration waits for the legacy server, and a colony's id
    /// that another key holds there is refused here.
    pub synchronous_writes: bool,
}

/// Parses a base URL. `None` if it is not one, or has more than a client may see: a user, a query.
#[must_use]
pub fn base_url(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let url: http::Uri = text.parse().ok()?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let has_host = url.host().is_some_and(|host| !host.is_empty());
    let has_user = url.authority()?.as_str().contains('@');
    let has_query = text.contains(['?', '#']);
    (is_web && has_host && !has_user && !has_query).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_is_a_server_and_no_more() {
        for (text, url) in [
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            (
                " https://discovery.example.org/ ",
                Some("https://discovery.example.org"),
            ),
            (
                "https://example.org/discovery/",
                Some("https://example.org/discovery"),
            ),
            ("discovery.example.org", None),
            ("discovery.example.org:8080", None),
            ("ftp://example.org", None),
            ("https://", None),
            ("https://user:secret@example.org", None),
            ("https://example.org/?a=b", None),
            ("https://example.org/#a", None),
            ("", None),
        ] {
            assert_eq!(base_url(text).as_deref(), url, "{text}");
        }
    }
}
