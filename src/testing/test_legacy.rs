//! A legacy server that is down, or responds as a function says.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestRuntime;
use connect::{Error, Runtime as _, Transport};

/// The transport to a legacy server that is down.
#[derive(Clone, Debug)]
pub struct TestLegacy {
    runtime: TestRuntime,
    /// The paths of the calls so far.
    pub calls: Rc<RefCell<Vec<String>>>,
    /// True if the server responds to registrations: with an empty message, which is a success.
    pub accepts_registrations: Rc<Cell<bool>>,
}

impl TestLegacy {
    /// Returns a server that is down.
    #[must_use]
    pub fn new(runtime: TestRuntime) -> Self {
        Self {
            runtime,
            calls: Rc::default(),
            accepts_registrations: Rc::default(),
        }
    }

    /// Returns the number of calls to a method so far.
    #[must_use]
    pub fn calls_of(&self, method: &str) -> usize {
        let calls = self.calls.borrow();
        calls.iter().filter(|path| path.ends_with(method)).count()
    }
}

impl Transport for TestLegacy {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let path = request.uri().path().to_owned();
        let is_registration = path.contains("/Register");
        self.calls.borrow_mut().push(path);
        if is_registration && self.accepts_registrations.get() {
            let mut response = http::Response::new(Bytes::new());
            let proto = http::HeaderValue::from_static("application/proto");
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, proto);
            return Ok(response);
        }
        Err(Error::unavailable("no reply").with_cause("down for a test"))
    }

    async fn sleep(&self, duration: Duration) {
        self.runtime.sleep(duration).await;
    }
}
