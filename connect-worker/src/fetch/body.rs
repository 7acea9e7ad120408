//! Request body of a fetch event.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connect::{Body, ReadError, Runtime as _};
use futures_util::TryStreamExt as _;
use futures_util::future::select;
use http::header::{self, HeaderMap};
use wasm_bindgen::{JsCast as _, JsValue};
use worker::Request;

use crate::js::{PromiseFuture, bindings};
use crate::runtime::WorkerRuntime;

/// Limits for draining an unread request body. Draining keeps the connection reusable; past these
/// limits, closing it is cheaper.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;
/// See [`MAX_DRAINED_BYTES`].
const MAX_DRAIN_TIME: Duration = Duration::from_secs(1);

/// Request body of a fetch event: read by JavaScript if it is short, otherwise unread.
///
/// Handlers of [`serve`](crate::serve) pass it on to a generated router, which reads it. Other code
/// reads it through the trait [`Body`]:
///
/// ```no_run
/// use connect::{Body as _, ReadError};
/// use connect_worker::RequestBody;
///
/// async fn body_length(request: http::Request<RequestBody>) -> Result<usize, ReadError> {
///     let body = request.into_body().read(64 * 1024).await?;
///     Ok(body.len())
/// }
/// ```
#[derive(Debug)]
pub struct RequestBody {
    event: JsValue,
    /// The whole body, if JavaScript read it eagerly.
    eager: Option<Bytes>,
    /// See [`content_length`].
    pub(crate) length: Option<u64>,
}

impl RequestBody {
    /// Returns the body of a fetch event.
    pub(crate) fn of_event(event: &JsValue) -> Self {
        Self {
            event: event.clone(),
            eager: bindings::eager_body(event).map(Bytes::from),
            length: None,
        }
    }

    /// Returns the request of the crate `worker`, to read the body as a stream. It costs several
    /// crossings.
    fn into_request(self) -> Request {
        bindings::event_request(&self.event)
            .unchecked_into::<worker::web_sys::Request>()
            .into()
    }
}

/// Returns the `Content-Length` of a body that is not chunked. A chunked body may be longer.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

impl Body for RequestBody {
    async fn read(self, limit: usize) -> Result<Bytes, ReadError> {
        if let Some(eager) = self.eager {
            return eager.read(limit).await;
        }
        if bindings::is_body_taken(&self.event) {
            return Err(ReadError::Broken(
                "the body did not arrive whole".to_owned(),
            ));
        }
        let broken = |error: worker::Error| ReadError::Broken(error.to_string());
        // A body of known length is read in one piece.
        let length = self.length.map(usize::try_from);
        if length.is_some_and(|length| length.is_ok_and(|length| length <= limit)) {
            let read = PromiseFuture::new(&bindings::read_body(&self.event)).await;
            return match read {
                Ok(buffer) => Ok(bindings::to_bytes(&buffer).into()),
                Err(error) => Err(broken(error.into())),
            };
        }
        let mut request = self.into_request();
        if request.inner().body().is_none() {
            return Ok(Bytes::new());
        }
        let mut stream = request.stream().map_err(broken)?;
        let mut read = BytesMut::new();
        while let Some(chunk) = stream.try_next().await.map_err(broken)? {
            if read.len().saturating_add(chunk.len()) > limit {
                return Err(ReadError::TooLarge);
            }
            read.extend_from_slice(&chunk);
        }
        Ok(read.freeze())
    }

    async fn discard(self) {
        if self.eager.is_some() || bindings::is_body_taken(&self.event) {
            return;
        }
        let Ok(mut stream) = self.into_request().stream() else {
            return;
        };
        let drain = pin!(async {
            let mut drained = 0;
            while let Ok(Some(chunk)) = stream.try_next().await {
                drained += chunk.len();
                if drained > MAX_DRAINED_BYTES {
                    return;
                }
            }
        });
        select(drain, pin!(WorkerRuntime.sleep(MAX_DRAIN_TIME))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::http_text::parse_request;

    #[test]
    fn content_length_of_a_chunked_body_is_ignored() {
        for (headers, length) in [
            ("content-length:12", Some(12)),
            ("content-length:12\ntransfer-encoding:chunked", None),
            ("content-length:twelve", None),
            ("content-length:-1", None),
            ("", None),
        ] {
            let head = Bytes::from(format!("POST\n/\n{headers}"));
            let request = parse_request(&head, ());
            assert_eq!(content_length(request.headers()), length, "{headers}");
        }
    }
}
