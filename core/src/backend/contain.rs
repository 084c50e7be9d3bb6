//! Keeps a backend's panics on the plugin's side of the boundary.

use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use abi_stable::std_types::{RResult, RStr, RVec};

use super::plugin::{LockProfilerBackend, SessionRef, TableRef};
use super::{Backend, BackendError, Description, ErrorKind, Pace, Setting};
use crate::event::{Event, LockRef};
use crate::hooks::{ABI_VERSION, HookTable, Session};
use crate::pad::{Lent, Pad};
use crate::report::Report;
use crate::slot::Countdown;
use crate::sync::{AtomicBool, Ordering};

/// A backend whose panics become errors, and end its session if they happen
/// in a hook.
#[derive(Debug)]
pub struct Contained<B: 'static> {
    inner: &'static Inner<B>,
}

#[derive(Debug)]
struct Inner<B> {
    backend: B,
    table: HookTable,
    /// Set by the first panic in a hook: no hook reaches the backend again
    /// until the next start.
    failed: AtomicBool,
    /// The running session, for its `abandon`.
    session: Mutex<Option<Session>>,
}

impl<B: Backend> Contained<B> {
    /// A new instance. It is leaked: hooks may be on their way at any time,
    /// and a stopped backend is dormant, never gone.
    #[must_use]
    pub fn new() -> Self {
        let inner = Box::leak(Box::new(Inner {
            backend: B::default(),
            table: HookTable {
                size: size_of::<HookTable>() as u32,
                version: ABI_VERSION,
                context: core::ptr::null(),
                meet: meet::<B>,
                event: event::<B>,
                dropped: dropped::<B>,
                pad: if B::LENDS_PADS { Some(pad::<B>) } else { None },
                admits: None,
                stack: None,
                host: core::ptr::null(),
            },
            failed: AtomicBool::new(false),
            session: Mutex::new(None),
        }));
        inner.table.context = core::ptr::from_ref::<Inner<B>>(inner).cast();
        Self { inner }
    }
}

impl<B: Backend> Default for Contained<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Inner<B> {
    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A hook panicked: the first time in a session, tells the host to end it.
    #[cold]
    fn abandon(&self, error: &BackendError) {
        // Relaxed: the flag only saves calls that would panic again.
        if self.failed.swap(true, Ordering::Relaxed) {
            return;
        }
        let Some(session) = *self.session() else { return };
        let reason = error.message.as_bytes();
        // SAFETY: the host's entry and context are valid while the session is;
        // the reason is UTF-8 and lives for the call.
        unsafe { (session.abandon)(session.context, reason.as_ptr(), reason.len()) };
    }
}

impl<B: Backend> LockProfilerBackend for Contained<B> {
    fn init(&self, settings: RVec<Setting>) -> RResult<(), BackendError> {
        caught(|| self.inner.backend.init(&settings)).into()
    }

    fn hooks(&self) -> TableRef {
        TableRef(core::ptr::from_ref(&self.inner.table).cast())
    }

    fn start(&self, session: SessionRef) -> RResult<(), BackendError> {
        // SAFETY: the host passes a `Session` of this version; see `DataPlane`.
        let session = unsafe { &*session.0.cast::<Session>() };
        let started = caught(|| self.inner.backend.start(session));
        if started.is_ok() {
            self.inner.failed.store(false, Ordering::Relaxed);
            *self.inner.session() = Some(*session);
        }
        started.into()
    }

    fn stop(&self) -> RResult<(), BackendError> {
        *self.inner.session() = None;
        caught(|| self.inner.backend.stop()).into()
    }

    fn configure(&self, key: RStr<'_>, value: RStr<'_>) -> RResult<(), BackendError> {
        caught(|| self.inner.backend.configure(key.as_str(), value.as_str())).into()
    }

    fn snapshot(&self) -> RResult<Report, BackendError> {
        caught(|| self.inner.backend.snapshot()).into()
    }

    fn pace(&self) -> RResult<Pace, BackendError> {
        caught(|| Ok(self.inner.backend.pace())).into()
    }

    fn wake(&self, cause: RStr<'_>) -> RResult<(), BackendError> {
        caught(|| self.inner.backend.wake(cause.as_str())).into()
    }

    fn query(&self, _id: u64) -> *const c_void {
        core::ptr::null()
    }
}

pub(super) extern "C" fn describe<B: Backend>() -> RResult<Description, BackendError> {
    caught(|| Ok(B::describe())).into()
}

unsafe extern "C" fn meet<B: Backend>(context: *const c_void, lock: *const LockRef) -> Countdown {
    // SAFETY: the context is the leaked `Inner` that the table was made with.
    let inner = unsafe { &*context.cast::<Inner<B>>() };
    // SAFETY: a probe passes null, or a lock that is valid for the call.
    let lock = unsafe { lock.as_ref() };
    hook(inner, Countdown::NEVER, |backend| backend.meet(lock))
}

unsafe extern "C" fn event<B: Backend>(context: *const c_void, event: *const Event) -> Countdown {
    // SAFETY: the context is the leaked `Inner` that the table was made with.
    let inner = unsafe { &*context.cast::<Inner<B>>() };
    // SAFETY: a probe passes an event that is valid for the call.
    let event = unsafe { &*event };
    hook(inner, Countdown::NEVER, |backend| backend.event(event))
}

unsafe extern "C" fn pad<B: Backend>(context: *const c_void, event: *const Event) -> *const Pad {
    // SAFETY: the context is the leaked `Inner` that the table was made with.
    let inner = unsafe { &*context.cast::<Inner<B>>() };
    // SAFETY: a probe passes an event that is valid for the call.
    let event = unsafe { &*event };
    hook(inner, None, |backend| backend.pad(event)).map_or(core::ptr::null(), Lent::as_ptr)
}

unsafe extern "C" fn dropped<B: Backend>(context: *const c_void, lock: *const LockRef) {
    // SAFETY: the context is the leaked `Inner` that the table was made with.
    let inner = unsafe { &*context.cast::<Inner<B>>() };
    // SAFETY: a probe passes a lock that is valid for the call.
    let lock = unsafe { &*lock };
    hook(inner, (), |backend| backend.dropped(lock));
}

/// Runs a hook; `otherwise` if the backend has failed, or fails now.
#[inline]
fn hook<B: Backend, T: Copy>(inner: &Inner<B>, otherwise: T, call: impl FnOnce(&B) -> T) -> T {
    if inner.failed.load(Ordering::Relaxed) {
        return otherwise;
    }
    match catch_unwind(AssertUnwindSafe(|| call(&inner.backend))) {
        Ok(answer) => answer,
        Err(payload) => {
            // The payload's own destructor may panic: it is not worth it.
            core::mem::forget(payload);
            inner.abandon(&panic_error());
            otherwise
        }
    }
}

/// Runs a call of the host; a panic becomes an error.
pub(super) fn caught<T>(call: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    silence();
    let _called = Called::enter();
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        core::mem::forget(payload);
        Err(panic_error())
    })
}

thread_local! {
    /// Whether this thread is inside a call of the host.
    static CALLED: Cell<bool> = const { Cell::new(false) };
    /// The text of the last panic inside the backend.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Set if this copy of the code is that of a plugin.
static IS_PLUGIN: OnceLock<()> = OnceLock::new();

/// Says that this copy of the code is a plugin's.
pub fn be_plugin() {
    // It may be set already, if the plugin's header is asked for twice.
    let _ = IS_PLUGIN.set(());
}

/// A call of the host.
struct Called {
    before: bool,
}

impl Called {
    fn enter() -> Self {
        Self { before: CALLED.replace(true) }
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        CALLED.set(self.before);
    }
}

/// A backend never prints: a panic inside it is kept as text instead.
///
/// The hook is that of the copy of `std` around it. In a plugin that is the
/// plugin's own, and nobody else panics there. Where a backend is linked into a
/// program, the program's panics go to the hook that was there before; those
/// in a probe's call are told by the bracket around them, so that a call has
/// nothing to note.
fn silence() {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_plugin = IS_PLUGIN.get().is_some();
            if !(is_plugin || CALLED.get() || crate::thread::is_inside()) {
                before(info);
                return;
            }
            let what = info.payload_as_str().unwrap_or("a value that is not text");
            let text = match info.location() {
                Some(place) => format!("{what}, at {}:{}", place.file(), place.line()),
                None => what.to_owned(),
            };
            PANIC.with(|last| *last.borrow_mut() = text);
        }));
    });
}

fn panic_error() -> BackendError {
    let text = PANIC.with(RefCell::take);
    BackendError::new(
        ErrorKind::Panic,
        format!(
            "the backend panicked: {text}; this is a defect of the backend, please report it to its author"
        ),
    )
}
