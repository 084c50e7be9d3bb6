//! The frozen interface, with what is altered outside of the backend.

use core::ffi::c_void;

use abi_stable::std_types::{RResult, RStr, RVec};
use lockscope_core::HookTable;
use lockscope_core::backend::{
    BackendError, Contained, LockProfilerBackend, Pace, SessionRef, Setting, TableRef,
};
use lockscope_core::report::Report;

use crate::mutant::Mutant;
use crate::mutation::Alter;

/// What the host holds: everything goes through, but for the table and the
/// answer to a query.
#[derive(Debug)]
pub(crate) struct Boundary {
    inner: Contained<Mutant>,
    table: &'static HookTable,
    alter: &'static Alter,
}

impl Boundary {
    pub(crate) fn new(alter: &'static Alter) -> Self {
        let inner = Contained::<Mutant>::new();
        let TableRef(table) = inner.hooks();
        // SAFETY: a table of this build, which lives for ever.
        let own = unsafe { &*table.cast::<HookTable>() };
        let mut table = HookTable {
            size: own.size,
            version: own.version,
            context: own.context,
            meet: own.meet,
            event: own.event,
            dropped: own.dropped,
            pad: own.pad,
            admits: own.admits,
            stack: own.stack,
            host: own.host,
        };
        (alter.table)(&mut table);
        Self { inner, table: Box::leak(Box::new(table)), alter }
    }
}

impl LockProfilerBackend for Boundary {
    fn init(&self, settings: RVec<Setting>) -> RResult<(), BackendError> {
        self.inner.init(settings)
    }

    fn hooks(&self) -> TableRef {
        TableRef(core::ptr::from_ref(self.table).cast())
    }

    fn start(&self, session: SessionRef) -> RResult<(), BackendError> {
        self.inner.start(session)
    }

    fn stop(&self) -> RResult<(), BackendError> {
        self.inner.stop()
    }

    fn configure(&self, key: RStr<'_>, value: RStr<'_>) -> RResult<(), BackendError> {
        self.inner.configure(key, value)
    }

    fn snapshot(&self) -> RResult<Report, BackendError> {
        self.inner.snapshot()
    }

    fn pace(&self) -> RResult<Pace, BackendError> {
        self.inner.pace()
    }

    fn wake(&self, cause: RStr<'_>) -> RResult<(), BackendError> {
        self.inner.wake(cause)
    }

    fn query(&self, id: u64) -> *const c_void {
        (self.alter.query)(id)
    }
}
