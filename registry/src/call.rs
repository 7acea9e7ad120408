//! The envelope of a call between the service and an object: method, request and deadline in;
//! response or error, and cost, out.
//!
//! Both ends tolerate another version: unknown fields are ignored, an unknown method fails with
//! `unimplemented`, and fields that are not there have their defaults.

use std::cell::Cell;
use std::pin::pin;

use bytes::Bytes;
use connect::{Code, Error, Method, Runtime, UnixMillis};
use prost::Message as _;

use crate::proto::{Call, Cost, Failure, Reply, reply};
use crate::storage::row_metering::with_row_count;

/// Encodes a call of `method` with its encoded request. The object does not begin it after
/// `deadline`.
#[must_use]
pub fn encode_call(method: &Method, request: Bytes, deadline: Option<UnixMillis>) -> Vec<u8> {
    let call = Call {
        method: method.name.to_owned(),
        request,
        deadline_ms: deadline.map_or(0, UnixMillis::as_millis),
    };
    call.encode_to_vec()
}

/// Decodes a reply into the encoded response, and the rows that the call used.
///
/// # Errors
/// The object's error; `internal` if the reply cannot be read.
pub fn decode_reply(reply: Bytes) -> (Result<Bytes, Error>, Cost) {
    let reply = match Reply::decode(reply) {
        Ok(reply) => reply,
        Err(error) => {
            let error = Error::internal("the reply cannot be read").with_cause(error);
            return (Err(error), Cost::default());
        }
    };
    let result = match reply.result {
        Some(reply::Result::Response(response)) => Ok(response),
        Some(reply::Result::Failure(Failure { code, message })) => {
            // A newer object may know more codes.
            Err(Error::new(
                Code::from_name(&code).unwrap_or(Code::Unknown),
                message,
            ))
        }
        None => Err(Error::internal("the reply is empty")),
    };
    (result, reply.cost.unwrap_or_default())
}

/// A handled call.
#[derive(Debug)]
pub struct HandledCall {
    /// The encoded reply.
    pub reply: Vec<u8>,
    /// The error, for the object's log: its cause does not cross over to the caller.
    pub error: Option<Error>,
}

/// Handles an encoded call with `dispatch`, which gets the method's name and the encoded request.
/// The rows that it uses are counted on `meter`.
///
/// A call whose deadline has passed fails with `deadline_exceeded` before `dispatch` runs. Once
/// begun, a call is never cut short, as it may have written.
pub async fn handle_call(
    call: Bytes,
    runtime: &impl Runtime,
    meter: &Cell<Cost>,
    dispatch: impl AsyncFnOnce(&str, Bytes) -> Result<Bytes, Error>,
) -> HandledCall {
    let work = pin!(async {
        let Call {
            method,
            request,
            deadline_ms,
        } = Call::decode(call)
            .map_err(|error| Error::internal("the call cannot be read").with_cause(error))?;
        if deadline_ms != 0 && UnixMillis::from_millis(deadline_ms) < runtime.now() {
            return Err(Error::deadline_exceeded(
                "the deadline passed before the call began",
            ));
        }
        dispatch(&method, request).await
    });
    let (result, cost) = with_row_count(meter, work).await;
    let (result, error) = match result {
        Ok(response) => (reply::Result::Response(response), None),
        Err(error) => {
            let failure = Failure {
                code: error.code().as_str().to_owned(),
                message: error.message().to_owned(),
            };
            (reply::Result::Failure(failure), Some(error))
        }
    };
    let reply = Reply {
        result: Some(result),
        cost: (cost != Cost::default()).then_some(cost),
    };
    HandledCall {
        reply: reply.encode_to_vec(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use connect::testing::TestRuntime;
    use futures_executor::block_on;

    use super::*;
    use crate::proto::registry_service::methods;

    fn echo(call: Vec<u8>, runtime: &TestRuntime) -> HandledCall {
        let meter = Cell::new(Cost::default());
        block_on(handle_call(
            call.into(),
            runtime,
            &meter,
            async |method, request| {
                meter.set(meter.get().plus(1, 2));
                match method {
                    "Lookup" => Ok(request),
                    _ => Err(connect::internal::unknown_method(method)),
                }
            },
        ))
    }

    fn call(deadline: Option<UnixMillis>) -> Vec<u8> {
        encode_call(&methods::LOOKUP, Bytes::from("request"), deadline)
    }

    #[test]
    fn response_and_cost_come_back() {
        let handled = echo(call(None), &TestRuntime::default());
        let (response, cost) = decode_reply(handled.reply.into());
        assert_eq!(response.unwrap(), "request");
        assert_eq!(cost, Cost::default().plus(1, 2));
        assert!(handled.error.is_none());
    }

    #[test]
    fn error_comes_back_without_its_cause() {
        let meter = Cell::new(Cost::default());
        let runtime = TestRuntime::default();
        let dispatch = async |_: &str, _| Err(Error::not_found("no").with_cause("secret"));
        let handled = block_on(handle_call(call(None).into(), &runtime, &meter, dispatch));
        let (error, _) = decode_reply(handled.reply.into());
        let error = error.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no"));
        assert_eq!(error.cause(), None);
        assert_eq!(handled.error.unwrap().cause(), Some("secret"));
    }

    #[test]
    fn call_does_not_begin_after_its_deadline() {
        let runtime = TestRuntime::default();
        runtime.set_now(UnixMillis::from_millis(1_000));
        let code = |deadline| {
            let handled = echo(call(Some(UnixMillis::from_millis(deadline))), &runtime);
            decode_reply(handled.reply.into())
                .0
                .err()
                .map(|error| error.code())
        };
        assert_eq!(code(1_000), None);
        assert_eq!(code(999), Some(Code::DeadlineExceeded));
        runtime.advance(Duration::from_millis(1));
        assert_eq!(code(1_000), Some(Code::DeadlineExceeded));
    }

    #[test]
    fn garbage_is_an_error_at_both_ends() {
        let handled = echo(b"\xff\xff".to_vec(), &TestRuntime::default());
        let (error, _) = decode_reply(handled.reply.into());
        assert_eq!(error.unwrap_err().code(), Code::Internal);
        let cause = handled.error.unwrap();
        assert!(cause.cause().is_some(), "for the object's log");
        for garbage in [&b"\xff"[..], b""] {
            let (response, _) = decode_reply(Bytes::from_static(garbage));
            assert_eq!(response.unwrap_err().code(), Code::Internal);
        }
    }

    /// The envelope of another version: with a field that this one does not have.
    #[derive(Clone, PartialEq, prost::Message)]
    struct NewerCall {
        #[prost(string, tag = "1")]
        method: String,
        #[prost(bytes = "vec", tag = "2")]
        request: Vec<u8>,
        #[prost(string, tag = "99")]
        added: String,
    }

    /// The reply of another version: with a code, a cost and a field that this one does not have.
    #[derive(Clone, PartialEq, prost::Message)]
    struct NewerReply {
        #[prost(message, optional, tag = "2")]
        failure: Option<Failure>,
        #[prost(int64, tag = "99")]
        added: i64,
    }

    #[test]
    fn newer_service_is_understood_by_an_older_object() {
        let newer = NewerCall {
            method: "Lookup".to_owned(),
            request: b"request".to_vec(),
            added: "?".to_owned(),
        };
        let handled = echo(newer.encode_to_vec(), &TestRuntime::default());
        assert_eq!(decode_reply(handled.reply.into()).0.unwrap(), "request");
        let unknown = NewerCall {
            method: "Added".to_owned(),
            ..newer
        };
        let handled = echo(unknown.encode_to_vec(), &TestRuntime::default());
        let error = decode_reply(handled.reply.into()).0.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
    }

    #[test]
    fn newer_object_is_understood_by_an_older_service() {
        let newer = NewerReply {
            failure: Some(Failure {
                code: "added_code".to_owned(),
                message: "why".to_owned(),
            }),
            added: 1,
        };
        let (error, cost) = decode_reply(newer.encode_to_vec().into());
        let error = error.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::Unknown, "why"));
        assert_eq!(cost, Cost::default());
    }
}
