//! What answers begin with. Most have the same status and headers as one shortly before: JavaScript keeps what it
//! made of these, so that they cross over once and not with each answer.

use std::cell::RefCell;

use wasm_bindgen::JsValue;

use crate::runtime;

/// How many are kept: a service has a few for what is well, in each codec, and a few for errors.
const KEPT: usize = 16;

/// A status, and a line for each header.
type Head = (u16, String);

/// Those that JavaScript keeps, by their numbers.
#[derive(Default)]
struct Kept {
    heads: Vec<Head>,
    /// The one that the next takes the place of, once there are as many as may be.
    next: usize,
}

thread_local! {
    static HEADS: RefCell<Kept> = RefCell::default();
}

/// The number under which JavaScript keeps a head.
///
/// # Errors
/// When it refuses a header.
pub(crate) fn number(status: u16, lines: String) -> Result<usize, JsValue> {
    let head = (status, lines);
    HEADS.with_borrow_mut(|kept| {
        kept.number(head, |number, head| {
            runtime::keep_head(number, head.0, &head.1)
        })
    })
}

impl Kept {
    /// `keep` tells JavaScript of a new one.
    fn number<E>(
        &mut self,
        head: Head,
        keep: impl FnOnce(usize, &Head) -> Result<(), E>,
    ) -> Result<usize, E> {
        if let Some(number) = self.heads.iter().position(|kept| *kept == head) {
            return Ok(number);
        }
        let number = self.next;
        keep(number, &head)?;
        match self.heads.get_mut(number) {
            Some(kept) => *kept = head,
            None => self.heads.push(head),
        }
        self.next = (number + 1) % KEPT;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers, and whether JavaScript was told.
    fn numbers(kept: &mut Kept, statuses: impl IntoIterator<Item = u16>) -> Vec<(usize, bool)> {
        let number = |status| {
            let mut is_new = false;
            let number = kept.number((status, String::new()), |_, _| {
                is_new = true;
                Ok::<_, ()>(())
            });
            (number.unwrap(), is_new)
        };
        statuses.into_iter().map(number).collect()
    }

    #[test]
    fn a_head_is_told_once() {
        let mut kept = Kept::default();
        let told = numbers(&mut kept, [200, 404, 200, 404, 409]);
        assert_eq!(
            told,
            [(0, true), (1, true), (0, false), (1, false), (2, true)]
        );
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut kept = Kept::default();
        numbers(&mut kept, 0..16);
        assert_eq!(
            numbers(&mut kept, [16, 1, 0]),
            [(0, true), (1, false), (1, true)]
        );
        assert_eq!(kept.heads.len(), KEPT);
    }

    #[test]
    fn what_is_refused_is_not_kept() {
        let mut kept = Kept::default();
        let refused = kept.number((200, "bad".to_owned()), |_, _| Err("no header"));
        assert_eq!(refused, Err("no header"));
        assert!(kept.heads.is_empty());
        assert_eq!(numbers(&mut kept, [200]), [(0, true)]);
    }
}
