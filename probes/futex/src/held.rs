//! Acquisitions of a thread that have begun with a wait and of which more is to come:
//! another wait, or their end.

use core::cell::Cell;

use lockscope_core::{Token, recorder};

/// As many as a thread can have records.
const MOST: usize = 32;

pub(crate) struct Held {
    len: Cell<usize>,
    /// The session that they are of; those of another have no record any more.
    generation: Cell<u32>,
    /// By the word that was waited at. An acquisition that is not recorded stands here as
    /// well, so that its next wait is not taken for the first of another.
    entries: [Cell<(usize, Token)>; MOST],
}

thread_local! {
    static HELD: Held = const { Held::new() };
}

/// Asks what the calling thread holds.
#[inline]
pub(crate) fn with<T>(ask: impl FnOnce(&Held) -> T) -> T {
    HELD.with(ask)
}

impl Held {
    const fn new() -> Self {
        Self {
            len: Cell::new(0),
            generation: Cell::new(0),
            entries: [const { Cell::new((0, Token::NONE)) }; MOST],
        }
    }

    /// More is to come of the acquisition at `word`, in the session `generation`.
    pub(crate) fn keep(&self, generation: u32, word: usize, token: Token) {
        self.enter(generation);
        if self.len.get() == MOST {
            // Those that never end: the oldest is the likeliest.
            recorder::withdrawn(self.remove(0));
        }
        self.entries[self.len.get()].set((word, token));
        self.len.set(self.len.get() + 1);
    }

    /// Takes the acquisition at `word` out, if there is one of the session `generation`.
    #[inline]
    pub(crate) fn take(&self, generation: u32, word: usize) -> Option<Token> {
        if self.len.get() == 0 {
            return None;
        }
        self.enter(generation);
        let entries = &self.entries[..self.len.get()];
        let index = entries.iter().rposition(|entry| entry.get().0 == word)?;
        Some(self.remove(index))
    }

    fn enter(&self, generation: u32) {
        if self.generation.replace(generation) != generation {
            self.len.set(0);
        }
    }

    fn remove(&self, index: usize) -> Token {
        let last = self.len.get() - 1;
        let (_, token) = self.entries[index].get();
        for next in index..last {
            self.entries[next].set(self.entries[next + 1].get());
        }
        self.len.set(last);
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_taken_once_and_in_its_session() {
        let held = Held::new();
        held.keep(1, 100, Token::NONE);
        held.keep(1, 200, Token::NONE);
        assert_eq!(held.take(1, 100), Some(Token::NONE));
        assert_eq!(held.take(1, 100), None);
        assert_eq!(held.take(2, 200), None, "of another session");
        for word in 0..100 {
            held.keep(2, word, Token::NONE);
        }
        assert_eq!(held.take(2, 0), None, "there is no room");
        assert_eq!(held.take(2, 99), Some(Token::NONE));
    }
}
