//! The header `Connect-Timeout-Ms`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Error;
use crate::metadata;

/// Name of the header, whose value is the time in milliseconds that the client waits.
pub(crate) const NAME: HeaderName = HeaderName::from_static("connect-timeout-ms");

/// Connect spec: "Timeout-Milliseconds" has one to ten digits.
const MAX_DIGITS: usize = 10;

/// Largest timeout that the header can hold.
const MAX_TIMEOUT_MS: u128 = 9_999_999_999;

/// Parses the header. `None` means that there is no timeout.
///
/// # Errors
/// `invalid_argument` unless the value is one to ten decimal digits. connect-go also takes a sign.
pub(crate) fn parse(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let digits = metadata::first_value(headers, &NAME);
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

/// Returns the header's value for `timeout`, or the largest value for a longer one.
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
    fn one_to_ten_digits_are_accepted() {
        assert_eq!(parsed("0").unwrap(), Some(Duration::ZERO));
        assert_eq!(parsed("250").unwrap(), Some(Duration::from_millis(250)));
        let longest = parsed("9999999999").unwrap();
        assert_eq!(longest, Some(Duration::from_millis(9_999_999_999)));
        assert_eq!(parse(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn other_values_are_rejected() {
        for value in ["-5", "+5", "1.5", "12345678901", "abc", "5s"] {
            let error = parsed(value).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{value:?}");
        }
    }

    #[test]
    fn long_timeout_is_shortened_to_ten_digits() {
        assert_eq!(format(Duration::MAX), "9999999999");
        assert_eq!(format(Duration::from_micros(1_500_999)), "1500");
    }
}
