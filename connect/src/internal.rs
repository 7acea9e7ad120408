//! Internal services: calls between the parts of one deployment, such as a Worker and its
//! Durable Objects. Messages are protobuf in binary, without HTTP, codecs or metadata.
//!
//! `connect-codegen` generates a trait, a client and a `dispatch` for each internal service;
//! they are built on the functions of this module.
//!
//! ```
//! use bytes::Bytes;
//! use connect::internal::{self, ObjectTransport};
//! use connect::wkt::Int64Value;
//! use connect::{Error, Idempotency, Method};
//!
//! static DOUBLE: Method = Method {
//!     path: "/math.v1.Math/Double",
//!     service: "math.v1.Math",
//!     name: "Double",
//!     idempotency: Idempotency::NoSideEffects,
//!     deprecated: false,
//! };
//!
//! async fn dispatch(method: &str, request: Bytes) -> Result<Bytes, Error> {
//!     match method {
//!         "Double" => {
//!             internal::dispatch(request, async |request: Int64Value| {
//!                 Ok(Int64Value { value: request.value * 2 })
//!             })
//!             .await
//!         }
//!         _ => Err(internal::unknown_method(method)),
//!     }
//! }
//!
//! /// Transport to a service in the same process.
//! struct InProcess;
//!
//! impl ObjectTransport for InProcess {
//!     async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
//!         dispatch(method.name, request).await
//!     }
//! }
//!
//! # futures_executor::block_on(async {
//! let request = Int64Value { value: 21 };
//! let response: Int64Value = internal::call(&InProcess, &DOUBLE, &request).await?;
//! assert_eq!(response.value, 42);
//! # Ok::<_, Error>(()) }).unwrap();
//! ```

use bytes::Bytes;

use crate::error::Error;
use crate::method::Method;

/// Transport to one object, for encoded messages. The [module](self) has an example.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait ObjectTransport {
    /// Sends an encoded request and returns the encoded response.
    ///
    /// # Errors
    /// The service's error, or the transport's own, such as `unavailable`.
    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error>;
}

/// Calls `method` over `transport`. Generated clients of internal services use this function. The
/// [module](self) has an example.
///
/// # Errors
/// The transport's error, or `internal` if the response cannot be decoded.
pub async fn call<Req, Res>(
    transport: &impl ObjectTransport,
    method: &'static Method,
    request: &Req,
) -> Result<Res, Error>
where
    Req: prost::Message,
    Res: prost::Message + Default,
{
    let response = transport
        .call(method, request.encode_to_vec().into())
        .await?;
    Res::decode(response)
        .map_err(|error| Error::internal("the response cannot be decoded").with_cause(error))
}

/// Decodes a request, runs `handler` and encodes its response. Generated routers of internal
/// services use this function.
///
/// ```
/// use connect::internal::dispatch;
/// use connect::wkt::StringValue;
///
/// # futures_executor::block_on(async {
/// let request = "\x0a\x03Ada".into();
/// let response = dispatch(request, async |request: StringValue| Ok(request)).await?;
/// assert_eq!(response, "\x0a\x03Ada");
/// # Ok::<_, connect::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// The handler's error, or `internal` if the request cannot be decoded: both ends belong to one
/// deployment, so no client is to blame.
pub async fn dispatch<Req, Res, F>(request: Bytes, handler: F) -> Result<Bytes, Error>
where
    Req: prost::Message + Default,
    Res: prost::Message,
    F: AsyncFnOnce(Req) -> Result<Res, Error>,
{
    let request = Req::decode(request)
        .map_err(|error| Error::internal("the request cannot be decoded").with_cause(error))?;
    let response = handler(request).await?;
    Ok(response.encode_to_vec().into())
}

/// Returns the error for a method that the service does not have.
///
/// ```
/// use connect::{Code, internal::unknown_method};
///
/// assert_eq!(unknown_method("Divide").code(), Code::Unimplemented);
/// ```
#[must_use]
pub fn unknown_method(method: &str) -> Error {
    Error::unimplemented(format!("no such method: {method}"))
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::code::Code;
    use crate::method::Idempotency;
    use crate::wkt::{Int64Value, StringValue};

    static COUNT: Method = Method {
        path: "/test.v1.Counter/Count",
        service: "test.v1.Counter",
        name: "Count",
        idempotency: Idempotency::Unknown,
        deprecated: false,
    };

    /// Transport whose other end is a function.
    struct FnTransport<F>(F);

    impl<F: AsyncFn(&'static Method, Bytes) -> Result<Bytes, Error>> ObjectTransport
        for FnTransport<F>
    {
        async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
            (self.0)(method, request).await
        }
    }

    async fn count(request: StringValue) -> Result<Int64Value, Error> {
        let length = i64::try_from(request.value.len());
        let value = length.map_err(|_| Error::out_of_range("too long"))?;
        if value == 0 {
            return Err(Error::not_found("empty").with_cause("no text"));
        }
        Ok(Int64Value { value })
    }

    fn call_counter(text: &str) -> Result<Int64Value, Error> {
        let transport = FnTransport(async |method: &'static Method, request| {
            assert_eq!(method, &COUNT);
            dispatch(request, count).await
        });
        let value = text.to_owned();
        block_on(call(&transport, &COUNT, &StringValue { value }))
    }

    #[test]
    fn call_returns_the_response_of_the_handler() {
        assert_eq!(call_counter("four").unwrap().value, 4);
    }

    #[test]
    fn call_returns_the_error_of_the_handler_with_its_cause() {
        let error = call_counter("").unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::NotFound, "empty"));
        assert_eq!(error.cause(), Some("no text"));
    }

    #[test]
    fn undecodable_messages_are_internal_errors() {
        let broken = Bytes::from_static(b"\xff");
        let error = block_on(dispatch(broken.clone(), count)).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.cause().is_some());

        let transport = FnTransport(async |_, _| Ok(broken.clone()));
        let response: Result<Int64Value, _> =
            block_on(call(&transport, &COUNT, &StringValue::default()));
        assert_eq!(response.unwrap_err().code(), Code::Internal);
    }

    #[test]
    fn fields_of_a_newer_version_are_ignored() {
        let newer = Bytes::from_static(b"\x0a\x01x\x10\x05");
        assert_eq!(block_on(dispatch(newer, count)).unwrap().as_ref(), [8, 1]);
    }

    #[test]
    fn unknown_method_is_unimplemented_and_named() {
        let error = unknown_method("Divide");
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(error.message(), "no such method: Divide");
    }
}
