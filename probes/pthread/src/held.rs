//! The acquisitions of a thread that have a record and have not ended: what a
//! guard carries elsewhere.

use core::cell::Cell;

use lockscope_core::{Token, recorder};

/// As many as a thread can have records.
const MOST: usize = 32;

/// All zeros is a thread that holds nothing.
#[repr(C)]
pub(crate) struct Held {
    /// How many there are. The entries look at it, where it stands first.
    len: Cell<u32>,
    /// The session that they are of; those of another have no record any more.
    generation: Cell<u32>,
    entries: [Cell<(usize, Token)>; MOST],
}

impl Held {
    /// Whether the thread holds nothing that is recorded.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// The thread has acquired the lock at `address`, in the session `generation`, and
    /// holds nothing else that is recorded.
    #[inline(always)]
    pub(crate) fn push_first(&self, generation: u32, address: usize, token: Token) {
        self.generation.set(generation);
        self.entries[0].set((address, token));
        self.len.set(1);
    }

    /// The thread has acquired the lock at `address`, in the session `generation`.
    ///
    /// `is_alone`: nobody else can hold it. Then what stands here of the same lock was
    /// given back by another thread, and its end is not known.
    pub(crate) fn push(&self, generation: u32, address: usize, token: Token, is_alone: bool) {
        if self.generation.replace(generation) != generation {
            self.len.set(0);
        }
        if is_alone && let Some(stale) = self.remove(address) {
            recorder::withdrawn(stale);
        }
        if self.len.get() as usize == MOST {
            // Locks that other threads give back: the oldest is the likeliest.
            recorder::withdrawn(self.remove_at(0));
        }
        self.entries[self.len.get() as usize].set((address, token));
        self.len.set(self.len.get() + 1);
    }

    /// Takes the last acquisition of all out, if it is of the lock at `address` and of
    /// the session `generation`.
    #[inline(always)]
    pub(crate) fn take_last(&self, generation: u32, address: usize) -> Option<Token> {
        let last = self.len.get().wrapping_sub(1);
        let (at, token) = self.entries.get(last as usize)?.get();
        if at != address || self.generation.get() != generation {
            return None;
        }
        self.len.set(last);
        Some(token)
    }

    /// Takes the last acquisition of the lock at `address` out, if it is one of the
    /// session `generation`.
    pub(crate) fn take(&self, generation: u32, address: usize) -> Option<Token> {
        if self.generation.get() != generation {
            self.len.set(0);
        }
        self.remove(address)
    }

    fn remove(&self, address: usize) -> Option<Token> {
        let entries = &self.entries[..self.len.get() as usize];
        let index = entries.iter().rposition(|entry| entry.get().0 == address)?;
        Some(self.remove_at(index))
    }

    fn remove_at(&self, index: usize) -> Token {
        let last = self.len.get() as usize - 1;
        let (_, token) = self.entries[index].get();
        for next in index..last {
            self.entries[next].set(self.entries[next + 1].get());
        }
        self.len.set(last as u32);
        token
    }
}
