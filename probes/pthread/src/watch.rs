//! The probe itself, and how its locks describe themselves.

use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::recorder::{Owner, Watched};
use lockscope_core::sync::{AtomicU32, Ordering};
use lockscope_core::{CallSite, Gate, Probe, Slot};

use crate::origin;
use crate::own::Own;
use crate::sites::{OwnLine, Sites};

/// The one probe of this library: its gate is what every operation reads.
pub(crate) static PROBE: Probe = Probe::new("pthread", lockscope_preloaded::resolve);

// The entries compare the gate's first word with 1: a closed gate is 0, and one that nobody
// has passed, before this library is initialised, is 1.
const _: () = {
    assert!(core::mem::offset_of!(Probe, gate) == 0);
    assert!(size_of::<Gate>() == 64);
};

/// Where `__owner` stands in glibc's mutex: the kernel's number of the thread.
const MUTEX_OWNER: usize = 8;
/// Where `__cur_writer` stands in glibc's reader-writer lock.
const RWLOCK_WRITER: usize = 24;

/// A lock of glibc's: known by its address alone.
#[derive(Clone, Copy)]
pub(crate) struct Lock {
    pub(crate) address: usize,
    pub(crate) kind: LockKind,
}

impl Watched for Lock {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        None
    }

    /// A static says of itself where it is: it has a symbol, which is the best name that
    /// there is.
    #[inline(always)]
    fn describe(&self) -> LockRef {
        LockRef {
            slot: core::ptr::null(),
            address: self.address,
            id: 0,
            created: origin::of(self.address),
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: self.kind,
            probe: 0,
            reserved: 0,
        }
    }

    /// glibc notes the owner in the lock, so nothing is asked of the owner but
    /// where it was.
    fn owner(&self) -> Owner {
        Owner { site: HOLDERS.of(self.address), thread: self.owner_thread() }
    }
}

impl Lock {
    /// The kernel's number of the thread that has it alone; 0 if there is none, or it is
    /// not known. The caller is about to wait for the lock, or has it.
    fn owner_thread(&self) -> u32 {
        let offset = match self.kind {
            LockKind::MUTEX | LockKind::REENTRANT => MUTEX_OWNER,
            LockKind::RWLOCK => RWLOCK_WRITER,
            _ => return 0,
        };
        // SAFETY:
        // - the caller waits for this lock, so that it is there;
        // - glibc reads and writes the word as an integer, aligned.
        let word = unsafe { AtomicU32::from_ptr((self.address + offset) as *mut u32) };
        // Relaxed: whoever held the lock a moment ago may have gone.
        word.load(Ordering::Relaxed)
    }

    /// Whether the caller's thread has it alone.
    pub(crate) fn is_of_this_thread(&self) -> bool {
        let own = Own::get().thread();
        own.is_some_and(|thread| thread.id() == u64::from(self.owner_thread()))
    }
}

/// Where locks were acquired last.
static HOLDERS: Sites<OwnLine, PLACES> = Sites([const { OwnLine::new() }; PLACES]);
const PLACES: usize = 1 << 12;

/// The lock at `address` was acquired at `site`, by the caller.
#[inline(always)]
pub(crate) fn note_holder(address: usize, site: CallSite) {
    HOLDERS.note(address, site);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_stands_where_glibc_writes_it() {
        // SAFETY: both locks are initialised, and locked and unlocked by this thread.
        let (mutex_owner, writer) = unsafe {
            let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
            let mut rwlock = libc::PTHREAD_RWLOCK_INITIALIZER;
            libc::pthread_mutex_lock(&raw mut mutex);
            libc::pthread_rwlock_wrlock(&raw mut rwlock);
            let owner = |address, kind| Lock { address, kind }.owner().thread;
            let found = (
                owner((&raw const mutex).addr(), LockKind::MUTEX),
                owner((&raw const rwlock).addr(), LockKind::RWLOCK),
            );
            libc::pthread_mutex_unlock(&raw mut mutex);
            libc::pthread_rwlock_unlock(&raw mut rwlock);
            found
        };
        // SAFETY: the call takes nothing and cannot fail.
        let own = unsafe { libc::gettid() } as u32;
        assert_eq!((mutex_owner, writer), (own, own));
    }
}
