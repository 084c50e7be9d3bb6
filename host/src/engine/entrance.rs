//! The way from the gates to a backend: past the session's filter, and with the
//! stacks that it keeps.

use core::ffi::c_void;
use std::sync::Arc;

use lockscope_core::event::LockRef;
use lockscope_core::{CallSite, HookTable};

use super::gates;
use crate::filter::Filter;

/// What a session's gates lead to.
pub(super) struct Entrance {
    pub(super) hooks: &'static HookTable,
    /// The backend's own entries.
    backend: &'static HookTable,
    /// Lives until no hook of the session can run any more.
    host: Arc<Host>,
}

/// What the host's own entries are called with.
struct Host {
    filter: Option<Arc<Filter>>,
    /// How many frames are kept of a stack.
    frames: u32,
}

impl Entrance {
    /// The entries of a backend, behind the filter if there is one, with up to
    /// `frames` frames of each stack if that is not 0.
    pub(super) fn new(
        backend: &'static HookTable,
        filter: Option<Arc<Filter>>,
        frames: u32,
    ) -> Self {
        let host = Arc::new(Host { filter, frames });
        Self { hooks: Self::hooks(backend, &host), backend, host }
    }

    /// A table stays where it is for ever, as gates want it; a session with a filter
    /// or with stacks costs that much.
    fn hooks(backend: &'static HookTable, host: &Arc<Host>) -> &'static HookTable {
        let is_filtered = host.filter.is_some();
        let keeps_stacks = host.frames != 0;
        if !is_filtered && !keeps_stacks {
            return backend;
        }
        Box::leak(Box::new(HookTable {
            admits: is_filtered.then_some(admits as _),
            stack: keeps_stacks.then_some(stack as _),
            // Holds that are added up have no stacks.
            pad: backend.pad.filter(|_| !keeps_stacks),
            host: Arc::as_ptr(host).cast(),
            ..*backend
        }))
    }

    /// The same with as many frames.
    pub(super) fn with_frames(&self, frames: u32) -> Self {
        Self::new(self.backend, self.host.filter.clone(), frames)
    }

    pub(super) fn filter(&self) -> Option<&Filter> {
        self.host.filter.as_deref()
    }

    /// How many frames are kept of a stack; 0 for none.
    pub(super) fn frames(&self) -> u32 {
        self.host.frames
    }
}

/// [`HookTable::admits`] of every session with a filter.
unsafe extern "C" fn admits(host: *const c_void, lock: *const LockRef) -> bool {
    // SAFETY: the context is the session's, which lives as long as its hooks can run;
    // the recorder shows the lock for the length of the call.
    let (host, lock) = unsafe { (&*host.cast::<Host>(), &*lock) };
    let probe = gates::probes().nth(lock.probe as usize);
    // SAFETY: the lock was described by the probe of this number.
    host.filter.as_ref().is_none_or(|filter| unsafe { filter.admits_described(lock, probe) })
}

/// [`HookTable::stack`] of every session that keeps stacks.
unsafe extern "C" fn stack(host: *const c_void, site: CallSite, thread: u32) -> CallSite {
    // SAFETY: as above.
    let host = unsafe { &*host.cast::<Host>() };
    lockscope_stacks::take(site, thread, host.frames as usize)
}
