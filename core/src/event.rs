//! What a probe tells a backend.

mod cell;

pub(crate) use cell::{Beginning, EventCell, What};

use core::ffi::c_void;

use crate::site::CallSite;
use crate::slot::Slot;

/// What a lock is. Values are part of the ABI; new ones are added at the end.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockKind(pub u32);

macro_rules! lock_kinds {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl LockKind {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The kind as reports print it; `"lock"` for one made later.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    _ => "lock",
                }
            }
        }
    };
}

lock_kinds! {
    /// A mutual-exclusion lock.
    MUTEX = 1, "mutex";
    /// A reader-writer lock.
    RWLOCK = 2, "rwlock";
    /// A mutex that its owner may lock again.
    REENTRANT = 3, "reentrant";
    /// A condition variable: what is waited for is not the lock.
    CONDVAR = 4, "condvar";
    /// A one-time initialisation.
    ONCE = 5, "once";
    /// A barrier.
    BARRIER = 6, "barrier";
    /// A spin lock.
    SPIN = 7, "spin";
    /// A counting semaphore.
    SEMAPHORE = 8, "semaphore";
    /// A word that threads wait at in the kernel, and of which no more is known.
    FUTEX = 9, "futex";
}

/// How a lock is held. Values are part of the ABI.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mode(pub u8);

impl Mode {
    /// By one owner.
    pub const EXCLUSIVE: Self = Self(0);
    /// By any number of readers.
    pub const SHARED: Self = Self(1);
    /// By one reader who may become the owner, among other readers.
    pub const UPGRADABLE: Self = Self(2);

    /// Whether others may hold the lock at the same time.
    #[inline]
    #[must_use]
    pub fn is_shared(self) -> bool {
        self != Self::EXCLUSIVE
    }

    /// The mode as reports print it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SHARED => "read",
            Self::UPGRADABLE => "upgradable",
            _ => "write",
        }
    }
}

/// A lock, as a probe shows it to a backend for the length of one call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LockRef {
    /// The lock's slot; null where locks have none, and where the caller may
    /// not touch the lock any more, or not yet: see
    /// [`HookTable`](crate::hooks::HookTable).
    pub slot: *const Slot,
    /// Where the lock is now. The name of a lock without slot, until
    /// [`HookTable::dropped`](crate::hooks::HookTable::dropped) or until it
    /// moves; of no meaning for a lock with a slot.
    pub address: usize,
    /// The lock's id, never reused in the process; 0 for a lock without slot,
    /// to which the backend gives one (see
    /// [`Session::next_lock_id`](crate::hooks::Session::next_lock_id)).
    pub id: u64,
    /// Where it was made, if known.
    pub created: CallSite,
    /// UTF-8 name; null if it has none.
    pub name: *const u8,
    /// What the backend has left in the slot in this session, whether or not
    /// the slot itself is shown; 0 if nothing.
    pub state: u64,
    /// Bytes at `name`.
    pub name_len: u32,
    /// What it is.
    pub kind: LockKind,
    /// The probe that sees it: an index that the host gave.
    pub probe: u32,
    #[doc(hidden)]
    pub reserved: u32,
}

impl LockRef {
    /// The lock's slot, if it has one.
    ///
    /// # Safety
    ///
    /// - `self` comes from a probe, within the call that it was handed to.
    #[inline]
    #[must_use]
    pub unsafe fn slot(&self) -> Option<&Slot> {
        // SAFETY: a probe's slot lives as long as the call at least.
        unsafe { self.slot.as_ref() }
    }

    /// The lock's name, if it has one.
    ///
    /// # Safety
    ///
    /// - `self` comes from a probe: names live as long as the process.
    #[must_use]
    pub unsafe fn name(&self) -> Option<&'static str> {
        if self.name.is_null() {
            return None;
        }
        // SAFETY: the probe took both from a `&'static str`.
        let bytes = unsafe { core::slice::from_raw_parts(self.name, self.name_len as usize) };
        core::str::from_utf8(bytes).ok()
    }
}

/// What happened. Values are part of the ABI; a backend ignores those it does
/// not know.
///
/// Who tells what is in [`HookTable`](crate::hooks::HookTable).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKind(pub u8);

impl EventKind {
    /// A recorded acquisition ends.
    pub const RELEASED: Self = Self(1);
    /// A try or a timed acquisition ended without the lock.
    pub const FAILED: Self = Self(2);
    /// A thread had nothing to do until somebody called it: a condition
    /// variable, a barrier. Not contention.
    pub const IDLE: Self = Self(3);
}

/// One recorded operation, complete.
///
/// Which times are set, in ticks, by kind:
///
/// | kind | `begin` | `acquired` | `end` |
/// |---|---|---|---|
/// | `RELEASED`, contended | began to wait | got the lock | gives it back |
/// | `RELEASED`, sampled | = `acquired` | got the lock | gives it back |
/// | `FAILED` | began to try | = `end` | gave up |
/// | `IDLE` | began to wait | = `end` | went on |
///
/// Times never decrease from left to right.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The lock.
    pub lock: LockRef,
    /// What happened.
    pub kind: EventKind,
    /// How the lock was held, or asked for.
    pub mode: Mode,
    /// 1 if the operation had to wait, 0 if not.
    pub contended: u8,
    /// 1 if the answer to this event re-arms the countdown that led here: the
    /// lock's own, or one of the thread's that samples every operation.
    pub counted: u8,
    /// Frames at `stack`; 0 if there are none.
    pub stack_len: u16,
    /// The probe's own: by which thread it is known who held the lock.
    #[doc(hidden)]
    pub reserved: u16,
    /// How many operations this one stands for: 1 if it was recorded for
    /// certain, the period in force if it was drawn.
    pub weight: u32,
    /// The thread that tells of it: the kernel's number. The one that began the
    /// operation, unless its guard was sent to another.
    pub thread: u32,
    /// Where the operation stands; or its stack, if the session keeps stacks.
    pub site: CallSite,
    /// Contended: who held the lock when the wait began, if known. Never a stack.
    pub holder: CallSite,
    /// Begin of the operation, in ticks.
    pub begin: u64,
    /// When the lock was had, in ticks.
    pub acquired: u64,
    /// End of the operation, in ticks.
    pub end: u64,
    /// Frames that the machine's own stack does not have, as an interpreter's, innermost
    /// first; null if there are none, as with all probes of today. Those that it has
    /// are behind `site`.
    pub stack: *const u64,
}

impl Event {
    /// Ticks between asking and getting.
    #[inline]
    #[must_use]
    pub fn wait_ticks(&self) -> u64 {
        self.acquired.saturating_sub(self.begin)
    }

    /// Ticks between getting and giving back.
    #[inline]
    #[must_use]
    pub fn hold_ticks(&self) -> u64 {
        self.end.saturating_sub(self.acquired)
    }
}

/// An acquisition that has not ended: what a look at a running process shows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending {
    /// The lock's id; 0 for a lock without slot.
    pub lock: u64,
    /// Where the lock was when the operation began.
    pub address: usize,
    /// Where the operation stands; or its stack, if the session keeps stacks.
    pub site: CallSite,
    /// Who held the lock when the wait began, if known.
    pub holder: CallSite,
    /// When the operation began, in ticks.
    pub begin: u64,
    /// When the lock was had, in ticks; 0 while waiting.
    pub acquired: u64,
    /// The thread: the kernel's number.
    pub thread: u64,
    /// The thread that held the lock alone when the wait began; 0 if not known.
    pub holder_thread: u64,
}

/// Called once per [`Pending`] with the context that the caller gave.
pub type PendingVisitor = extern "C" fn(context: *mut c_void, pending: *const Pending);

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<LockRef>() == 64);
    assert!(size_of::<Event>() == 128);
    assert!(size_of::<Pending>() == 64);
};
