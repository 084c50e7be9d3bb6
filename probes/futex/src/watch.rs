//! The probe itself, and how its locks describe themselves.

use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::recorder::Watched;
use lockscope_core::{CallSite, Gate, Probe, Slot};

use crate::map::Map;
use crate::meaning::{Acquires, Word};

/// The one probe of this library: its gate is what `syscall` reads.
pub(crate) static PROBE: Probe = Probe::new("futex", lockscope_preloaded::resolve);

// The entry compares the gate's first word with 1: a closed gate is 0, and one that nobody
// has passed, before this library is initialised, is 1.
const _: () = {
    assert!(core::mem::offset_of!(Probe, gate) == 0);
    assert!(size_of::<Gate>() == 64);
};

/// A lock of the program's, or what else its threads wait at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lock {
    address: usize,
    kind: LockKind,
    /// What it is called by: itself, if it has a symbol.
    name: CallSite,
}

impl Lock {
    /// The lock that is waited for at `word`, from `site`.
    pub(crate) fn new(map: &Map, word: usize, way: Acquires, site: CallSite) -> Self {
        let offset = match way.word {
            Word::LockAndUnlock => 0,
            Word::Within(offset) => offset,
            // Which one it is, is not known: all that are locked there are one.
            Word::OfThread => return Self { address: site.0, kind: way.kind, name: site },
        };
        Self::at(map, word.wrapping_sub(offset), way.kind, site)
    }

    /// What stands at `address`, and is waited for from `site`: that is what it is called
    /// by if it is not in a static.
    pub(crate) fn at(map: &Map, address: usize, kind: LockKind, site: CallSite) -> Self {
        let name = if map.is_of_the_program(address) { CallSite(address) } else { site };
        Self { address, kind, name }
    }

    /// The mutex whose word is this, at its end: what it is called is known already.
    pub(crate) fn mutex(address: usize) -> Self {
        Self { address, kind: LockKind::MUTEX, name: CallSite::UNKNOWN }
    }
}

impl Watched for Lock {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        None
    }

    fn describe(&self) -> LockRef {
        LockRef {
            slot: core::ptr::null(),
            address: self.address,
            id: 0,
            created: self.name,
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: self.kind,
            probe: 0,
            reserved: 0,
        }
    }
}
