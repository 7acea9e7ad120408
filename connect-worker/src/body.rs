//! The body of a request, not yet read.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connect::{Body, ReadError, Runtime as _};
use futures_util::TryStreamExt as _;
use futures_util::future::select;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::Request;

use crate::host::WorkerHost;
use crate::promise::Promised;
use crate::runtime;

/// How much of a body, and for how long, is thrown away before an answer: what does not end soon
/// is not worth the connection that it would save.
const DISCARDED_BYTES: usize = 1024 * 1024;
/// See [`DISCARDED_BYTES`].
const DISCARDING: Duration = Duration::from_secs(1);

/// A request's body, not yet read.
#[derive(Debug)]
pub struct RequestBody {
    pub(crate) event: JsValue,
    /// The whole of it, if it was short enough to be read before all else.
    pub(crate) read: Option<Bytes>,
    /// As announced.
    pub(crate) length: Option<u64>,
}

impl Body for RequestBody {
    async fn read(self, limit: usize) -> Result<Bytes, ReadError> {
        if let Some(read) = self.read {
            return read.read(limit).await;
        }
        if runtime::is_taken(&self.event) {
            return Err(ReadError::Broken("it did not come to its end".to_owned()));
        }
        let broken = |error: worker::Error| ReadError::Broken(error.to_string());
        // With its length told, the whole of it comes in one piece.
        let length = self.length.map(usize::try_from);
        if length.is_some_and(|length| length.is_ok_and(|length| length <= limit)) {
            let read = Promised::new(&runtime::read(&self.event)).await;
            return match read {
                Ok(buffer) => Ok(runtime::bytes(&buffer).into()),
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
        if self.read.is_some() || runtime::is_taken(&self.event) {
            return;
        }
        let Ok(mut stream) = self.into_request().stream() else {
            return;
        };
        let discarding = pin!(async {
            let mut discarded = 0;
            while let Ok(Some(chunk)) = stream.try_next().await {
                discarded += chunk.len();
                if discarded > DISCARDED_BYTES {
                    return;
                }
            }
        });
        select(discarding, pin!(WorkerHost.sleep(DISCARDING))).await;
    }
}

impl RequestBody {
    /// The crate's request, which costs some crossings: only where a body must be read as a stream.
    fn into_request(self) -> Request {
        runtime::request_of(&self.event)
            .unchecked_into::<worker::web_sys::Request>()
            .into()
    }
}
