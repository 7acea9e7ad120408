//! A runtime whose time passes only when a test says so.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use connect::UnixMillis;
use connect::testing::TestRuntime;

use crate::ports::Runtime;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A clock that may differ from that of the objects, and an executor of background tasks.
#[derive(Clone)]
pub struct TestHostRuntime {
    /// The clock of the objects, and the timer of both.
    pub clock: TestRuntime,
    /// The time by which this clock is ahead of the objects'; negative if it is behind.
    pub ahead_ms: i64,
    tasks: Rc<RefCell<Vec<Task>>>,
}

impl fmt::Debug for TestHostRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHostRuntime")
            .field("clock", &self.clock)
            .field("ahead_ms", &self.ahead_ms)
            .field("tasks", &self.tasks.borrow().len())
            .finish()
    }
}

impl TestHostRuntime {
    /// Returns a runtime on a clock.
    #[must_use]
    pub fn new(clock: TestRuntime) -> Self {
        Self {
            clock,
            ahead_ms: 0,
            tasks: Rc::default(),
        }
    }

    /// Polls the background tasks that have not finished.
    pub fn run_tasks(&self) {
        let tasks = self.tasks.take();
        for task in tasks {
            self.poll(task);
        }
    }

    fn poll(&self, mut task: Task) {
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            self.tasks.borrow_mut().push(task);
        }
    }
}

impl connect::Runtime for TestHostRuntime {
    fn now(&self) -> UnixMillis {
        let millis = self.clock.now().as_millis();
        UnixMillis::from_millis(millis.saturating_add(self.ahead_ms))
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

impl Runtime for TestHostRuntime {
    /// Polls the task at once; [`run_tasks`](TestHostRuntime::run_tasks) polls it again.
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.poll(Box::pin(task));
    }
}
