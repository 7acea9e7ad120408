//! The `Connect-Timeout-Ms` header.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Error;
use crate::metadata;

/// How long the caller waits for an answer, in milliseconds.
pub(crate) const NAME: HeaderName = HeaderName::from_static("connect-timeout-ms");

/// Connect spec: "Timeout-Milliseconds" has at most ten digits.
const MAX_DIGITS: usize = 10;

/// The largest timeout that can be written in the header.
const MAX_TIMEOUT_MS: u128 = 9_999_999_999;

/// Reads the header. `Ok(None)` when there is none, which means no timeout.
///
/// # Errors
/// `invalid_argument` unless it is one to ten decimal digits; unlike connect-go's parser this
/// takes no sign.
pub(crate) fn parse(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let digits = metadata::first(headers, &NAME);
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() > MAX_DIGITS {
        return Err(Error::invalid_argument(format!(
            "Connect-Timeout-Ms has more than {MAX_DIGITS} digits"
        )));
    }
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(milliseconds) if is_number => Ok(Some(Duration::from_millis(milliseconds))),
        _ => Err(Error::invalid_argument(
            "Connect-Timeout-Ms must be a number of milliseconds",
        )),
    }
}

/// The header's value for `timeout`, which is cut to what ten digits can say.
pub(crate) fn format(timeout: Duration) -> HeaderValue {
    let milliseconds = timeout.as_millis().min(MAX_TIMEOUT_MS);
    u64::try_from(milliseconds).unwrap_or(0).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn parsed(value: &'static str) -> Result<Option<Duration>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_static(value));
        parse(&headers)
    }

    #[test]
    fn one_to_ten_digits_are_a_timeout() {
        assert_eq!(parsed("0").unwrap(), Some(Duration::ZERO));
        assert_eq!(parsed("250").unwrap(), Some(Duration::from_millis(250)));
        let longest = parsed("9999999999").unwrap();
        assert_eq!(longest, Some(Duration::from_millis(9_999_999_999)));
        assert_eq!(parse(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn anything_else_is_refused() {
        for value in ["-5", "+5", "1.5", "12345678901", "abc", "5s"] {
            let error = parsed(value).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{value:?}");
        }
    }

    #[test]
    fn a_long_timeout_is_cut_to_ten_digits() {
        assert_eq!(format(Duration::MAX), "9999999999");
        assert_eq!(format(Duration::from_micros(1_500_999)), "1500");
    }
}
