//! A KV store whose writes may be late or lost, and whose reads may be slow or fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use connect::{Error, UnixMillis};
use coral_registry::testing::TestObjects;

use crate::ports::KeyValue;

/// A KV store. A clone shares it.
#[derive(Clone, Debug)]
pub struct TestKeyValue {
    objects: TestObjects,
    values: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    late: Rc<RefCell<Vec<LateWrite>>>,
    /// The time by which writes are late.
    pub delay: Rc<Cell<Duration>>,
    /// True if writes are lost.
    pub loses: Rc<Cell<bool>>,
    /// True if reads fail.
    pub fails: Rc<Cell<bool>>,
    /// The time that a read takes.
    pub read_time: Rc<Cell<Duration>>,
    /// The number of reads so far.
    pub reads: Rc<Cell<u32>>,
    /// The number of writes so far.
    pub writes: Rc<Cell<u32>>,
}

/// A write that is not visible yet: the time from which it is, its key and its value.
type LateWrite = (UnixMillis, String, Vec<u8>);

impl TestKeyValue {
    /// Returns an empty store with the clock of the objects.
    #[must_use]
    pub fn new(objects: TestObjects) -> Self {
        Self {
            objects,
            values: Rc::default(),
            late: Rc::default(),
            delay: Rc::default(),
            loses: Rc::default(),
            fails: Rc::default(),
            read_time: Rc::default(),
            reads: Rc::default(),
            writes: Rc::default(),
        }
    }

    /// Returns a value, after the writes whose time has come.
    fn visible(&self, key: &str) -> Option<Vec<u8>> {
        let now = self.objects.runtime.now();
        let mut values = self.values.borrow_mut();
        self.late.borrow_mut().retain(|(visible_at, key, value)| {
            let is_visible = *visible_at <= now;
            if is_visible {
                values.insert(key.clone(), value.clone());
            }
            !is_visible
        });
        values.get(key).cloned()
    }
}

impl KeyValue for TestKeyValue {
    fn is_available(&self) -> bool {
        true
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.reads.set(self.reads.get() + 1);
        if self.fails.get() {
            return Err(Error::unavailable("no reply").with_cause("down for a test"));
        }
        let value = self.visible(key);
        self.objects.travel(self.read_time.get()).await;
        Ok(value)
    }

    async fn put(&self, key: &str, value: &[u8], _: Option<Duration>) -> Result<(), Error> {
        self.writes.set(self.writes.get() + 1);
        if !self.loses.get() {
            let visible_at = self.objects.runtime.now() + self.delay.get();
            let write = (visible_at, key.to_owned(), value.to_vec());
            self.late.borrow_mut().push(write);
        }
        Ok(())
    }
}
