//! Who calls.

use std::net::IpAddr;

use http::HeaderMap;

use crate::relays::Location;
use crate::telemetry;

/// The caller's address as the platform or a proxy tells it.
///
/// Cloudflare sets `CF-Connecting-IP` itself and clients cannot forge it there. Only where it is
/// absent, as on a machine of one's own, the first hop of `X-Forwarded-For` is taken, which
/// anybody can write.
#[must_use]
pub fn address(headers: &HeaderMap) -> Option<IpAddr> {
    let text = match headers.get("cf-connecting-ip") {
        Some(value) => value.to_str().ok()?,
        None => {
            let hops = headers.get("x-forwarded-for")?.to_str().ok()?;
            hops.split(',').next().unwrap_or_default()
        }
    };
    text.trim().parse().ok()
}

/// Cloudflare's id of a request. It ends with the data centre: `230b030023ae2822-SJC`.
pub const RAY: &str = "cf-ray";

/// Bytes of such an id: Cloudflare's have 20. It stands in the log and in the answer.
const RAY_BYTES: usize = 128;

/// Where a caller is, as far as the platform tells.
#[must_use]
pub fn location(headers: &HeaderMap) -> Location {
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

/// [`RAY`]; empty if it is none that Cloudflare would write, as anybody else can.
fn ray(headers: &HeaderMap) -> &str {
    let ray = text(headers, RAY);
    if ray.len() <= RAY_BYTES { ray } else { "" }
}

/// What the log tells of a request.
#[must_use]
pub fn describe(headers: &HeaderMap, now_ms: i64) -> telemetry::Request {
    telemetry::Request {
        started_at_ms: now_ms,
        ray: ray(headers).to_owned(),
        location: location(headers),
        bytes_in: text(headers, "content-length").parse().unwrap_or(0),
    }
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
    fn the_platform_tells_where_a_caller_is() {
        let both = headers(&[("cf-ipcountry", "DE"), ("cf-ray", "230b030023ae2822-FRA")]);
        let location = location(&both);
        assert_eq!(location.country.as_deref(), Some("DE"));
        assert_eq!(location.colo.as_deref(), Some("FRA"));
        let too_long: &'static str = Box::leak("a".repeat(RAY_BYTES + 1).into_boxed_str());
        assert_eq!(describe(&headers(&[(RAY, too_long)]), 0).ray, "");
        assert_eq!(
            super::location(&headers(&[("cf-ray", "odd")])),
            Location::default()
        );
    }

    #[test]
    fn the_platform_is_believed_before_any_proxy() {
        let both = headers(&[
            ("cf-connecting-ip", "8.8.8.8"),
            ("x-forwarded-for", "1.1.1.1"),
        ]);
        assert_eq!(address(&both), "8.8.8.8".parse().ok());
        let proxied = headers(&[("x-forwarded-for", " 1.1.1.1 , 9.9.9.9")]);
        assert_eq!(address(&proxied), "1.1.1.1".parse().ok());
    }

    #[test]
    fn an_unreadable_platform_header_does_not_fall_back_to_a_forgeable_one() {
        let broken = headers(&[("cf-connecting-ip", "?"), ("x-forwarded-for", "1.1.1.1")]);
        assert_eq!(address(&broken), None);
        assert_eq!(address(&headers(&[("x-forwarded-for", "unknown")])), None);
    }
}
