//! Remote objects: calls in their envelope over a host's channel, with retries and accounting.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::internal::ObjectTransport;
use connect::{Error, Idempotency, Method};
use coral_registry::call::{decode_reply, encode_call};
use coral_registry::proto::{MailboxRecords, RegistryServiceClient};
use prost::Message as _;

use super::Objects;
use crate::limits;
use crate::ports::Runtime;
use crate::telemetry::RequestUsage;

/// The attempts of one call. An object that moves or was reset is back within milliseconds; beyond
/// that, retrying is the caller's choice.
const MAX_ATTEMPTS: u32 = 3;

/// The pause before the first retry; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The error of a channel, with the platform's own marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelError {
    /// True if the platform says that the call may be repeated.
    pub retryable: bool,
    /// True if the object is overloaded, so that a retry would make it worse.
    pub overloaded: bool,
    /// The platform's text, for the log.
    pub cause: String,
}

/// A host's way to carry bytes to objects.
#[allow(
    async_fn_in_trait,
    reason = "a host runs a request on one thread: its futures need not be Send"
)]
pub trait ObjectChannel: Clone + 'static {
    /// Sends an encoded call to the object of that name, and returns its encoded reply.
    ///
    /// # Errors
    /// Fails when no reply came.
    async fn send(&self, object: &str, call: &[u8]) -> Result<Vec<u8>, ChannelError>;

    /// Waits for the records of a mesh's mailbox: encoded
    /// [`MailboxRecords`], empty when the time is over.
    ///
    /// # Errors
    /// Fails when the object cannot be reached.
    async fn wait_for_records(
        &self,
        object: &str,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<Vec<u8>, ChannelError>;
}

/// The objects at the other end of a channel.
#[derive(Clone, Debug)]
pub struct RemoteObjects<C, R> {
    /// The channel.
    pub channel: C,
    /// The clock, and the timer of retries.
    pub runtime: R,
    /// The usage of the request, to which calls add.
    pub usage: Rc<RequestUsage>,
}

impl<C: ObjectChannel, R: Runtime> Objects for RemoteObjects<C, R> {
    type Object = RegistryServiceClient<ObjectStub<C, R>>;

    fn object(&self, name: String) -> Self::Object {
        RegistryServiceClient(ObjectStub {
            objects: self.clone(),
            name,
        })
    }

    fn unmetered(&self) -> Self {
        Self {
            usage: Rc::default(),
            ..self.clone()
        }
    }

    async fn wait_for_records(
        &self,
        object: &str,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<MailboxRecords, Error> {
        self.usage.update(|usage| {
            usage.object_requests = usage.object_requests.saturating_add(1);
        });
        let records = self.channel.wait_for_records(object, mesh_id, wait).await;
        let records = records.map_err(|error| {
            Error::unavailable("the mailbox cannot be read").with_cause(error.cause)
        })?;
        let records = MailboxRecords::decode(records.as_slice())
            .map_err(|error| Error::internal("the records cannot be read").with_cause(error))?;
        // The object does not report the cost of a wait: each record is a row.
        let rows = i64::try_from(records.records.len()).unwrap_or(i64::MAX);
        self.usage
            .update(|usage| usage.rows_read = usage.rows_read.saturating_add(rows));
        Ok(records)
    }
}

/// A stub of one remote object.
#[derive(Clone, Debug)]
pub struct ObjectStub<C, R> {
    objects: RemoteObjects<C, R>,
    name: String,
}

impl<C: ObjectChannel, R: Runtime> ObjectTransport for ObjectStub<C, R> {
    /// Retries a call that the platform says may be repeated. The caller's deadline ends that, as
    /// it ends everything that a handler does.
    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let runtime = &self.objects.runtime;
        // At most this long: a call that is queued for longer has no caller any more.
        let deadline = runtime.now() + limits::DEADLINE;
        let call = encode_call(method, request, Some(deadline));
        let may_repeat = method.idempotency != Idempotency::Unknown;
        let mut back_off = BACK_OFF;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(&call).await {
                Ok(reply) => return reply,
                Err(error) => error,
            };
            let is_retryable = may_repeat && error.retryable && !error.overloaded;
            if !is_retryable || attempt == MAX_ATTEMPTS {
                let cause = format!("{} (attempt {attempt})", error.cause);
                return Err(Error::unavailable("the object is unavailable").with_cause(cause));
            }
            runtime.sleep(jittered(back_off)).await;
            back_off *= 2;
            attempt += 1;
        }
    }
}

impl<C: ObjectChannel, R: Runtime> ObjectStub<C, R> {
    /// Sends the call once, and accounts for it.
    async fn attempt(&self, call: &[u8]) -> Result<Result<Bytes, Error>, ChannelError> {
        let started_at = self.objects.runtime.now();
        let reply = self.objects.channel.send(&self.name, call).await;
        let reply = reply.map(|reply| decode_reply(reply.into()));
        self.objects.usage.update(|usage| {
            usage.object_requests = usage.object_requests.saturating_add(1);
            usage.object_ms += self.objects.runtime.now().millis_since(started_at);
            if let Ok((_, cost)) = &reply {
                usage.rows_read = usage.rows_read.saturating_add(cost.rows_read);
                usage.rows_written = usage.rows_written.saturating_add(cost.rows_written);
            }
        });
        reply.map(|(result, _)| result)
    }
}

/// Returns between half of a duration and one and a half: calls that failed together must not come
/// back together.
fn jittered(duration: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    duration.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use connect::UnixMillis;
    use connect::testing::TestRuntime;
    use coral_registry::proto::{
        Call, Cost, LookupRequest, LookupResponse, RegistryService as _, ReleaseRequest, Reply,
        reply,
    };
    use futures_executor::block_on;

    use super::*;
    use crate::testing::TestHostRuntime;

    /// A channel that fails some times before it replies.
    #[derive(Clone)]
    struct FailingChannel {
        error: ChannelError,
        failures: Rc<Cell<u32>>,
        sent: Rc<RefCell<Vec<(String, Call)>>>,
    }

    impl ObjectChannel for FailingChannel {
        async fn send(&self, object: &str, call: &[u8]) -> Result<Vec<u8>, ChannelError> {
            let call = Call::decode(call).unwrap();
            self.sent.borrow_mut().push((object.to_owned(), call));
            if self.failures.get() > 0 {
                self.failures.set(self.failures.get() - 1);
                return Err(self.error.clone());
            }
            let reply = Reply {
                result: Some(reply::Result::Response(
                    LookupResponse::default().encode_to_vec().into(),
                )),
                cost: Some(Cost {
                    rows_read: 2,
                    rows_written: 3,
                }),
            };
            Ok(reply.encode_to_vec())
        }

        async fn wait_for_records(
            &self,
            _: &str,
            _: &str,
            _: Duration,
        ) -> Result<Vec<u8>, ChannelError> {
            Err(self.error.clone())
        }
    }

    fn objects(
        failures: u32,
        error: ChannelError,
    ) -> RemoteObjects<FailingChannel, TestHostRuntime> {
        let runtime = TestRuntime::default();
        runtime.fire_timers(true);
        RemoteObjects {
            channel: FailingChannel {
                error,
                failures: Rc::new(Cell::new(failures)),
                sent: Rc::default(),
            },
            runtime: TestHostRuntime::new(runtime),
            usage: Rc::default(),
        }
    }

    fn retryable() -> ChannelError {
        ChannelError {
            retryable: true,
            cause: "reset".to_owned(),
            ..ChannelError::default()
        }
    }

    #[test]
    fn retryable_call_is_repeated_and_each_attempt_is_accounted_for() {
        let objects = objects(2, retryable());
        let object = objects.object("colony:m".to_owned());
        block_on(object.lookup(LookupRequest::default())).unwrap();
        let sent = objects.channel.sent.take();
        let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["colony:m"; 3]);
        assert!(sent.iter().all(|(_, call)| call.method == "Lookup"));
        let usage = objects.usage.counts();
        assert_eq!(
            (usage.object_requests, usage.rows_read, usage.rows_written),
            (3, 2, 3)
        );
    }

    /// The first deadline holds for all attempts: together they take no longer.
    #[test]
    fn call_carries_the_longest_deadline_of_a_caller() {
        let objects = objects(2, retryable());
        objects
            .runtime
            .clock
            .set_now(UnixMillis::from_millis(5_000));
        let object = objects.object("o".to_owned());
        block_on(object.lookup(LookupRequest::default())).unwrap();
        let sent = objects.channel.sent.take();
        let deadlines: Vec<_> = sent.iter().map(|(_, call)| call.deadline_ms).collect();
        assert_eq!(deadlines, [35_000; 3]);
    }

    #[test]
    fn call_fails_after_three_attempts_with_the_platforms_text_as_its_cause() {
        let objects = objects(3, retryable());
        let object = objects.object("o".to_owned());
        let error = block_on(object.lookup(LookupRequest::default())).unwrap_err();
        assert_eq!(error.cause(), Some("reset (attempt 3)"));
    }

    #[test]
    fn neither_an_overloaded_object_nor_an_unrepeatable_call_is_retried() {
        let overloaded = ChannelError {
            overloaded: true,
            ..retryable()
        };
        let objects_of = objects(1, overloaded);
        let object = objects_of.object("o".to_owned());
        assert!(block_on(object.lookup(LookupRequest::default())).is_err());
        assert_eq!(objects_of.usage.counts().object_requests, 1);

        let objects_of = objects(1, retryable());
        let object = objects_of.object("o".to_owned());
        assert!(block_on(object.release(ReleaseRequest::default())).is_err());
        assert_eq!(objects_of.usage.counts().object_requests, 1);
    }
}
