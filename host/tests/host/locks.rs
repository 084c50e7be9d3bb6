//! The locks that tests count: one face for all of them.

use lockscope::{parking_lot, sync};

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Write,
    Read,
}

impl Mode {
    /// As reports say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// A lock whose operations stand where their callers do.
pub(crate) trait Lock: Sync + 'static {
    /// As reports say it.
    const KIND: &'static str;
    /// The mode in which others may hold it as well, if there is one.
    const SHARED: Mode;
    /// Whether it has a slot: a name, and a holder to blame.
    const HAS_SLOT: bool;

    /// A lock that is called so, if it has a place for a name.
    fn named(name: &'static str) -> Self;

    /// Holds the lock while `during` runs.
    #[track_caller]
    fn hold(&self, mode: Mode, during: impl FnOnce());

    /// Tries to have the lock, and lets go of it at once.
    #[track_caller]
    fn attempt(&self, mode: Mode) -> bool;
}

macro_rules! lock {
    ($lock:ty, $kind:literal, $has_slot:literal, $named:expr, $is_had:ident,
     $write:ident / $try_write:ident, $read:ident / $try_read:ident) => {
        impl Lock for $lock {
            const KIND: &'static str = $kind;
            const SHARED: Mode =
                if $kind.len() == "mutex".len() { Mode::Write } else { Mode::Read };
            const HAS_SLOT: bool = $has_slot;

            fn named(name: &'static str) -> Self {
                let named: fn(&'static str) -> Self = $named;
                named(name)
            }

            #[track_caller]
            fn hold(&self, mode: Mode, during: impl FnOnce()) {
                match mode {
                    Mode::Write => {
                        let _held = self.$write();
                        during();
                    }
                    Mode::Read => {
                        let _held = self.$read();
                        during();
                    }
                }
            }

            #[track_caller]
            fn attempt(&self, mode: Mode) -> bool {
                match mode {
                    Mode::Write => self.$try_write().$is_had(),
                    Mode::Read => self.$try_read().$is_had(),
                }
            }
        }
    };
}

macro_rules! mutex {
    ($lock:ty, $has_slot:literal, $named:expr, $is_had:ident) => {
        lock!($lock, "mutex", $has_slot, $named, $is_had, lock / try_lock, lock / try_lock);
    };
}

macro_rules! rwlock {
    ($lock:ty, $has_slot:literal, $named:expr, $is_had:ident) => {
        lock!($lock, "rwlock", $has_slot, $named, $is_had, write / try_write, read / try_read);
    };
}

mutex!(sync::Mutex<()>, true, |name| Self::named(name, ()), is_ok);
rwlock!(sync::RwLock<()>, true, |name| Self::named(name, ()), is_ok);
mutex!(parking_lot::Mutex<()>, true, |name| Self::named(name, ()), is_some);
mutex!(parking_lot::FairMutex<()>, true, |name| Self::named(name, ()), is_some);
rwlock!(parking_lot::RwLock<()>, true, |name| Self::named(name, ()), is_some);
mutex!(parking_lot::slotless::Mutex<()>, false, |_| Self::new(()), is_some);
rwlock!(parking_lot::slotless::RwLock<()>, false, |_| Self::new(()), is_some);
