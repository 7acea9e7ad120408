//! The message of a request, limited in size and decompressed.

use bytes::Bytes;
use http::{HeaderMap, header};

use super::accept::{AcceptedCall, MessageSource};
use crate::body::{Body, ReadError};
use crate::error::Error;
use crate::{compression, metadata};

/// Reads and decompresses the message of a call.
///
/// # Errors
/// `resource_exhausted` when the message has more than `limit` bytes, as sent or decompressed;
/// `invalid_argument` when it cannot be read.
pub(super) async fn read_message<B: Body>(
    call: &AcceptedCall,
    source: MessageSource<B>,
    limit: usize,
) -> Result<Bytes, Error> {
    let message = match source {
        MessageSource::Query(query) => query.message()?,
        MessageSource::Body(body) => read_body(call.context.headers(), body, limit).await?,
    };
    call.compression.decompress(message, limit)
}

/// Reads a body, or discards it if its announced length exceeds `limit`.
async fn read_body<B: Body>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, Error> {
    if announces_more_than(limit, headers) {
        body.discard().await;
        return Err(compression::too_large(limit));
    }
    body.read(limit).await.map_err(|error| match error {
        ReadError::TooLarge => compression::too_large(limit),
        ReadError::Broken(cause) => {
            Error::invalid_argument("the request's body broke off").with_cause(cause)
        }
    })
}

/// Returns whether the announced length exceeds `limit`. A length that is no number of 64 bits
/// does; `usize` has 32 bits on wasm32.
fn announces_more_than(limit: usize, headers: &HeaderMap) -> bool {
    metadata::text_value(headers, &header::CONTENT_LENGTH).is_some_and(|length| {
        let length = length.parse::<u64>().unwrap_or(u64::MAX);
        usize::try_from(length).map_or(true, |length| length > limit)
    })
}
