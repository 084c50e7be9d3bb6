//! The acquisitions of a thread that have a record and have not ended: what a
//! guard carries elsewhere.

use core::cell::Cell;

use lockscope_core::{Token, recorder};

/// As many as a thread can have records.
const MOST: usize = 32;

struct Held {
    /// How many there are.
    len: Cell<usize>,
    /// The session that they are of; those of another have no record any more.
    generation: Cell<u32>,
    entries: [Cell<(usize, Token)>; MOST],
}

thread_local! {
    // Neither initialised nor destroyed by any code, so that it can be asked from
    // anywhere at any time, and in the memory that a thread is born with, because
    // the library is there when the program starts.
    static HELD: Held = const {
        Held {
            len: Cell::new(0),
            generation: Cell::new(0),
            entries: [const { Cell::new((0, Token::NONE)) }; MOST],
        }
    };
}

/// Whether this thread holds nothing that is recorded.
#[inline]
pub(crate) fn is_empty() -> bool {
    HELD.with(|held| held.len.get() == 0)
}

/// This thread has acquired the lock at `address`, in the session `generation`.
///
/// `is_alone`: nobody else can hold it. Then what stands here of the same lock was
/// given back by another thread, and its end is not known.
pub(crate) fn push(generation: u32, address: usize, token: Token, is_alone: bool) {
    HELD.with(|held| {
        if held.generation.replace(generation) != generation {
            held.len.set(0);
        }
        if is_alone && let Some(stale) = held.remove(address) {
            recorder::withdrawn(stale);
        }
        if held.len.get() == MOST {
            // Locks that other threads give back: the oldest is the likeliest.
            recorder::withdrawn(held.remove_at(0));
        }
        held.entries[held.len.get()].set((address, token));
        held.len.set(held.len.get() + 1);
    });
}

/// Takes the last acquisition of the lock at `address` out, if it is one of the
/// session `generation`.
pub(crate) fn take(generation: u32, address: usize) -> Option<Token> {
    HELD.with(|held| {
        if held.generation.get() != generation {
            held.len.set(0);
        }
        held.remove(address)
    })
}

impl Held {
    fn remove(&self, address: usize) -> Option<Token> {
        let entries = &self.entries[..self.len.get()];
        let index = entries.iter().rposition(|entry| entry.get().0 == address)?;
        Some(self.remove_at(index))
    }

    fn remove_at(&self, index: usize) -> Token {
        let last = self.len.get() - 1;
        let (_, token) = self.entries[index].get();
        for next in index..last {
            self.entries[next].set(self.entries[next + 1].get());
        }
        self.len.set(last);
        token
    }
}
