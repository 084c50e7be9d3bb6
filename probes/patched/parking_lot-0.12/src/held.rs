//! The locks that a thread holds as one reader among others, with their tokens.
//!
//! On a closed gate the table is empty, and a release reads one word of the thread's.
//!
//! An acquisition that is not recorded gets an entry if the thread holds the same lock by
//! one that is, so that its release does not end that one's record.

use core::cell::Cell;

use lockscope::patched::PROBE;
use lockscope_core::{Token, recorder};

/// As many as a thread can have records of.
const PLACES: usize = 32;

#[derive(Clone, Copy)]
struct Entry {
    address: usize,
    token: Token,
    generation: u32,
}

impl Entry {
    const EMPTY: Self = Self { address: 0, token: Token::NONE, generation: 0 };
}

struct Table {
    len: Cell<usize>,
    entries: [Cell<Entry>; PLACES],
}

thread_local! {
    /// Without a destructor, so that it is there while other thread-local values end.
    static HELD: Table = const {
        Table { len: Cell::new(0), entries: [const { Cell::new(Entry::EMPTY) }; PLACES] }
    };
}

/// The lock at `address` was had, among other readers, by the acquisition that `token`
/// stands for.
#[inline]
pub(crate) fn put(address: usize, token: Token) {
    HELD.with(|held| {
        if token.is_some() || held.len.get() != 0 {
            held.put(address, token);
        }
    });
}

/// The lock at `address` is about to be given back by a reader: its token, if it has one.
#[inline]
pub(crate) fn take(address: usize) -> Token {
    HELD.with(|held| if held.len.get() == 0 { Token::NONE } else { held.take(address) })
}

impl Table {
    #[inline(never)]
    fn put(&self, address: usize, token: Token) {
        if !token.is_some() && self.last_of(address).is_none() {
            return;
        }
        if self.len.get() == PLACES {
            self.forget_old();
        }
        let len = self.len.get();
        if let Some(place) = self.entries.get(len) {
            place.set(Entry { address, token, generation: PROBE.gate.generation() });
            self.len.set(len + 1);
        } else {
            // Only with nested reads beyond the table: a record without an entry
            // could never be ended.
            recorder::withdrawn(token);
        }
    }

    #[inline(never)]
    fn take(&self, address: usize) -> Token {
        let Some(index) = self.last_of(address) else { return Token::NONE };
        let token = self.entries[index].get().token;
        let len = self.len.get() - 1;
        // In order, because of two entries with one address the later is the inner.
        for index in index..len {
            self.entries[index].set(self.entries[index + 1].get());
        }
        self.len.set(len);
        token
    }

    fn last_of(&self, address: usize) -> Option<usize> {
        self.entries[..self.len.get()].iter().rposition(|entry| entry.get().address == address)
    }

    /// Drops what belongs to other sessions: guards that were leaked or sent away. Their
    /// records were taken back when that session ended.
    #[cold]
    fn forget_old(&self) {
        let generation = PROBE.gate.generation();
        let mut kept = 0;
        for index in 0..self.len.get() {
            let entry = self.entries[index].get();
            if entry.generation == generation {
                self.entries[kept].set(entry);
                kept += 1;
            }
        }
        self.len.set(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_put_is_not_taken() {
        put(8, Token::NONE);
        assert_eq!(take(8), Token::NONE);
        HELD.with(|held| assert_eq!(held.len.get(), 0));
    }
}
