//! The client of a request, read from headers. Headers are claims: this module decides which ones
//! to trust.

use std::net::IpAddr;

use http::HeaderMap;

use crate::domain::client::{ClientInfo, Location};
use crate::migration::FORWARDED;

/// The header with Cloudflare's id of a request. It ends with the data centre:
/// `230b030023ae2822-SJC`.
pub const RAY: &str = "cf-ray";

/// Bytes of such an id: Cloudflare's have 20. It stands in the log and in the response.
const MAX_RAY_BYTES: usize = 128;

/// Reads the facts about a client.
#[must_use]
pub fn client_info(headers: &HeaderMap) -> ClientInfo {
    ClientInfo {
        address: address(headers),
        location: location(headers),
        ray: ray(headers).to_owned(),
        content_length: text(headers, "content-length").parse().unwrap_or(0),
        is_forwarded: headers.contains_key(FORWARDED),
    }
}

/// Reads the address of the client as the platform or a proxy reports it.
///
/// Cloudflare sets `CF-Connecting-IP` itself and clients cannot forge it there. Only where it is
/// absent, as on a self-hosted server, the first hop of `X-Forwarded-For` is taken, which
/// clients can forge.
fn address(headers: &HeaderMap) -> Option<IpAddr> {
    let text = match headers.get("cf-connecting-ip") {
        Some(value) => value.to_str().ok()?,
        None => {
            let hops = headers.get("x-forwarded-for")?.to_str().ok()?;
            hops.split(',').next().unwrap_or_default()
        }
    };
    text.trim().parse().ok()
}

/// Reads the place of the client as Cloudflare reports it.
fn location(headers: &HeaderMap) -> Location {
    let (_, colo) = ray(headers).rsplit_once('-').unwrap_or_default();
    let known = |place: &str| {
        let is_place = place.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_place && (2..=3).contains(&place.len())).then(|| place.to_owned())
    };
    Location {
        country: known(text(headers, "cf-ipcountry")),
        colo: known(colo),
    }
}

/// Reads [`RAY`]; empty if it is longer than Cloudflare's, as clients of other hosts can forge it.
fn ray(headers: &HeaderMap) -> &str {
    let ray = text(headers, RAY);
    if ray.len() <= MAX_RAY_BYTES { ray } else { "" }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        entries
            .iter()
            .map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn location_comes_from_the_platforms_headers() {
        let both = headers(&[("cf-ipcountry", "DE"), ("cf-ray", "230b030023ae2822-FRA")]);
        let location = location(&both);
        assert_eq!(location.country.as_deref(), Some("DE"));
        assert_eq!(location.colo.as_deref(), Some("FRA"));
        let too_long: &'static str = Box::leak("a".repeat(MAX_RAY_BYTES + 1).into_boxed_str());
        assert_eq!(client_info(&headers(&[(RAY, too_long)])).ray, "");
        assert_eq!(
            super::location(&headers(&[("cf-ray", "odd")])),
            Location::default()
        );
    }

    #[test]
    fn platform_header_takes_precedence_over_proxies() {
        let both = headers(&[
            ("cf-connecting-ip", "8.8.8.8"),
            ("x-forwarded-for", "1.1.1.1"),
        ]);
        assert_eq!(address(&both), "8.8.8.8".parse().ok());
        let proxied = headers(&[("x-forwarded-for", " 1.1.1.1 , 9.9.9.9")]);
        assert_eq!(address(&proxied), "1.1.1.1".parse().ok());
    }

    #[test]
    fn unreadable_platform_header_does_not_fall_back_to_a_forgeable_one() {
        let broken = headers(&[("cf-connecting-ip", "?"), ("x-forwarded-for", "1.1.1.1")]);
        assert_eq!(address(&broken), None);
        assert_eq!(address(&headers(&[("x-forwarded-for", "unknown")])), None);
    }

    #[test]
    fn forwarded_request_is_recognised() {
        let forwarded = headers(&[("coral-discovery-forwarded", "1")]);
        assert!(client_info(&forwarded).is_forwarded);
        assert!(!client_info(&HeaderMap::new()).is_forwarded);
    }
}
