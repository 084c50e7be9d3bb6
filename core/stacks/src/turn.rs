//! One at a time: whose turn it is with a walker, and when everybody's is over.

use lockscope_core::sync::{AtomicBool, IS_MODEL, Ordering, pause};

/// How often whoever waits looks again.
const PATIENCE: u32 = if IS_MODEL { 3 } else { 10_000 };

/// Taken by one, for the length of a walk. Nobody waits for it but who replaces what
/// walks read.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Whether somebody has it.
    is_taken: AtomicBool,
}

impl Turn {
    /// Takes it, unless somebody has it.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        // Acquire: what the last one did is done; and if that was `was_idle`, what was
        // replaced before it is not found any more. Pairs with the releases below.
        self.is_taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Gives it back, by whoever has taken it.
    #[inline]
    pub(crate) fn give_back(&self) {
        // Release: pairs with the acquires in `take` and `was_idle`.
        self.is_taken.store(false, Ordering::Release);
    }

    /// Returns true once nobody has it who had it when this was called; false if that
    /// takes too long, as it does where a thread was killed within.
    ///
    /// What the caller has replaced before is then in nobody's hands: who takes the
    /// turn later finds what has replaced it. Models: `turn_…`.
    pub(crate) fn was_idle(&self) -> bool {
        (0..PATIENCE).any(|_| {
            // By taking it: a look alone would tell nothing to who comes next.
            let is_idle = self.take();
            if is_idle {
                self.give_back();
            } else {
                pause();
            }
            is_idle
        })
    }

    /// In the child of a fork: whoever had it is gone.
    pub(crate) fn forked(&self) {
        // Relaxed: the child has one thread.
        self.is_taken.store(false, Ordering::Relaxed);
    }
}

/// The twin of the model: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
impl Turn {
    /// Looks, and does not take it.
    pub(crate) fn was_idle_with_a_bug(&self) -> bool {
        (0..PATIENCE).any(|_| !self.is_taken.load(Ordering::Acquire))
    }
}
