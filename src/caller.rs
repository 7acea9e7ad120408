//! Who calls.

use std::net::IpAddr;

use http::HeaderMap;

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
