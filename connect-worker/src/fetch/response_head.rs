//! Cache of response heads (status and headers). Most responses repeat a recent head, so JavaScript
//! keeps the prepared `Headers` and Rust sends only its index.

use std::cell::RefCell;

use wasm_bindgen::JsValue;

use crate::js::bindings;

/// Number of heads in the cache. A service has a few for success, one per codec, and a few for
/// errors.
const CAPACITY: usize = 16;

/// Status, and a line per header.
type Head = (u16, String);

/// Heads that JavaScript has prepared, by index.
#[derive(Default)]
struct HeadCache {
    heads: Vec<Head>,
    /// Index of the next new head, which replaces the oldest once the cache is full.
    next: usize,
}

thread_local! {
    static HEADS: RefCell<HeadCache> = RefCell::default();
}

/// Returns the index of a head, after passing it to JavaScript if it is new.
///
/// # Errors
/// The exception of JavaScript if a header is invalid.
pub(crate) fn index_of(status: u16, lines: String) -> Result<usize, JsValue> {
    HEADS.with_borrow_mut(|cache| {
        cache.index_of((status, lines), |index, (status, lines)| {
            bindings::set_response_head(index, *status, lines)
        })
    })
}

impl HeadCache {
    /// Returns the index of `head`; `prepare` passes a new one to JavaScript.
    fn index_of<E>(
        &mut self,
        head: Head,
        prepare: impl FnOnce(usize, &Head) -> Result<(), E>,
    ) -> Result<usize, E> {
        if let Some(index) = self.heads.iter().position(|cached| *cached == head) {
            return Ok(index);
        }
        let index = self.next;
        prepare(index, &head)?;
        match self.heads.get_mut(index) {
            Some(cached) => *cached = head,
            None => self.heads.push(head),
        }
        self.next = (index + 1) % CAPACITY;
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the index of each status, and true where the head was passed to JavaScript.
    fn indices(
        cache: &mut HeadCache,
        statuses: impl IntoIterator<Item = u16>,
    ) -> Vec<(usize, bool)> {
        let index_of = |status| {
            let mut prepared = false;
            let index = cache.index_of((status, String::new()), |_, _| {
                prepared = true;
                Ok::<_, ()>(())
            });
            (index.unwrap(), prepared)
        };
        statuses.into_iter().map(index_of).collect()
    }

    #[test]
    fn repeated_head_is_passed_once() {
        let mut cache = HeadCache::default();
        assert_eq!(
            indices(&mut cache, [200, 404, 200, 404, 409]),
            [(0, true), (1, true), (0, false), (1, false), (2, true)]
        );
    }

    #[test]
    fn new_head_replaces_the_oldest_in_a_full_cache() {
        let mut cache = HeadCache::default();
        indices(&mut cache, 0..16);
        assert_eq!(
            indices(&mut cache, [16, 1, 0]),
            [(0, true), (1, false), (1, true)]
        );
        assert_eq!(cache.heads.len(), CAPACITY);
    }

    #[test]
    fn head_that_javascript_rejects_is_not_cached() {
        let mut cache = HeadCache::default();
        let rejected = cache.index_of((200, "bad".to_owned()), |_, _| Err("invalid header"));
        assert_eq!(rejected, Err("invalid header"));
        assert!(cache.heads.is_empty());
        assert_eq!(indices(&mut cache, [200]), [(0, true)]);
    }
}
