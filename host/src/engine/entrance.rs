//! The way from the gates to a backend, past the session's filter.

use core::ffi::c_void;
use std::sync::Arc;

use lockscope_core::HookTable;
use lockscope_core::event::LockRef;

use super::gates;
use crate::filter::Filter;

/// What a session's gates lead to.
pub(super) struct Entrance {
    pub(super) hooks: &'static HookTable,
    /// Lives until no hook of the session can run any more.
    pub(super) filter: Option<Arc<Filter>>,
}

impl Entrance {
    /// The entries of a backend, behind the filter if there is one.
    ///
    /// A table stays where it is for ever, as gates want it; a session with a
    /// filter costs that much.
    pub(super) fn new(hooks: &'static HookTable, filter: Option<Filter>) -> Self {
        let Some(filter) = filter.map(Arc::new) else { return Self { hooks, filter: None } };
        let context = Arc::as_ptr(&filter).cast();
        let table = HookTable { admits: Some(admits), filter: context, ..*hooks };
        Self { hooks: Box::leak(Box::new(table)), filter: Some(filter) }
    }
}

/// [`HookTable::admits`] of every session with a filter, which is the context.
unsafe extern "C" fn admits(filter: *const c_void, lock: *const LockRef) -> bool {
    // SAFETY: the filter is the session's, which lives as long as its hooks can
    // run; the recorder shows the lock for the length of the call.
    let (filter, lock) = unsafe { (&*filter.cast::<Filter>(), &*lock) };
    let probe = gates::probes().nth(lock.probe as usize);
    // SAFETY: the lock was described by the probe of this number.
    unsafe { filter.admits_described(lock, probe) }
}
