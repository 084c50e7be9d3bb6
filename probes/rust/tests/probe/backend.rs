//! A backend inside the test's process, which writes down what it is told.

use core::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lockscope_core::gate::{Opening, state};
use lockscope_core::hooks::Stack;
use lockscope_core::site::SiteInfo;
use lockscope_core::sync::{AtomicU32, Ordering, pause};
use lockscope_core::{
    ABI_VERSION, CallSite, Countdown, Event, EventKind, HookTable, LockKind, LockRef, Mode, thread,
};

/// A source line: file and line, or `None` where the place is not known.
pub(crate) type Place = Option<(String, u32)>;

/// An event, with everything behind a pointer read out.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) kind: EventKind,
    pub(crate) lock_kind: LockKind,
    pub(crate) mode: Mode,
    pub(crate) contended: bool,
    pub(crate) counted: bool,
    pub(crate) weight: u32,
    pub(crate) id: u64,
    pub(crate) address: usize,
    pub(crate) name: Option<&'static str>,
    pub(crate) created: Place,
    pub(crate) site: Place,
    /// The number of its stack, if it has one.
    pub(crate) stack: Option<usize>,
    pub(crate) holder: Place,
    pub(crate) times: [u64; 3],
    pub(crate) thread: u64,
}

impl Seen {
    pub(crate) fn line(&self) -> u32 {
        self.site.as_ref().map_or(0, |(_, line)| *line)
    }

    pub(crate) fn file(&self) -> &str {
        self.site.as_ref().map_or("", |(file, _)| file)
    }
}

/// What a hook was told of a lock's end: its id, and where it was.
pub(crate) type Dropped = (u64, usize);

/// One test at a time: the gate belongs to the process.
static TURN: Mutex<()> = Mutex::new(());
static GENERATION: AtomicU32 = AtomicU32::new(0);
static PERIOD: AtomicU32 = AtomicU32::new(1);
static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());
static DROPPED: Mutex<Vec<Dropped>> = Mutex::new(Vec::new());
/// Sites whose stacks were asked for: a stack's number is its place here.
static STACKS: Mutex<Vec<CallSite>> = Mutex::new(Vec::new());
static HOOKS: HookTable = hooks(None);
/// Of a host that keeps stacks.
static WITH_STACKS: HookTable = hooks(Some(stack));

const fn hooks(stack: Option<Stack>) -> HookTable {
    HookTable {
        size: size_of::<HookTable>() as u32,
        version: ABI_VERSION,
        context: core::ptr::null(),
        meet,
        event,
        dropped,
        pad: None,
        admits: None,
        stack,
        host: core::ptr::null(),
    }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(site: CallSite) -> Place {
    let mut info = SiteInfo::UNKNOWN;
    // SAFETY: the site came from this probe; `info` is a place for the answer.
    let known = unsafe { (lockscope::probe().resolve)(site, &raw mut info) };
    // SAFETY: the probe filled `info` in.
    known.then(|| (unsafe { info.file() }.unwrap().to_owned(), info.line))
}

fn countdown() -> Countdown {
    let period = PERIOD.load(Ordering::Relaxed);
    Countdown { operations: period, weight: period }
}

unsafe extern "C" fn meet(_: *const c_void, _: *const LockRef) -> Countdown {
    countdown()
}

unsafe extern "C" fn event(_: *const c_void, event: *const Event) -> Countdown {
    // SAFETY: the probe's event lives for this call.
    let event = unsafe { &*event };
    let seen = Seen {
        kind: event.kind,
        lock_kind: event.lock.kind,
        mode: event.mode,
        contended: event.contended != 0,
        counted: event.counted != 0,
        weight: event.weight,
        id: event.lock.id,
        address: event.lock.address,
        // SAFETY: the lock comes from the probe.
        name: unsafe { event.lock.name() },
        created: place(event.lock.created),
        site: place(plain(event.site)),
        stack: event.site.stack_number(),
        holder: place(event.holder),
        times: [event.begin, event.acquired, event.end],
        thread: u64::from(event.thread),
    };
    lock(&SEEN).push(seen);
    countdown()
}

/// Names the stack that has led to `site`, a new one each time.
unsafe extern "C" fn stack(_: *const c_void, site: CallSite, thread: u32) -> CallSite {
    // SAFETY: the call takes nothing and cannot fail.
    assert_eq!(thread, unsafe { libc::gettid() } as u32);
    let mut stacks = lock(&STACKS);
    stacks.push(site);
    CallSite::stack(stacks.len() - 1)
}

/// The site that a stack leads to, or the site itself.
fn plain(site: CallSite) -> CallSite {
    site.stack_number().map_or(site, |number| lock(&STACKS)[number])
}

unsafe extern "C" fn dropped(_: *const c_void, gone: *const LockRef) {
    // SAFETY: the probe's lock lives for this call.
    let gone = unsafe { &*gone };
    lock(&DROPPED).push((gone.id, gone.address));
}

fn forget_what_was_seen() {
    lock(&SEEN).clear();
    lock(&DROPPED).clear();
    lock(&STACKS).clear();
}

/// A session begins. The caller has the turn, and the gate is closed.
fn begin(hooks: &'static HookTable, state: u32, period: u32) {
    forget_what_was_seen();
    PERIOD.store(period, Ordering::Relaxed);
    let opening = Opening {
        state,
        generation: GENERATION.fetch_add(1, Ordering::Relaxed) + 1,
        hooks,
        tsc: false,
        expedited: false,
        contended_period: 1,
    };
    // SAFETY:
    // - The table is a static, and its context is not used.
    // - The gate is closed, and only the test that has the turn opens it.
    unsafe { lockscope::probe().gate.open(&opening) };
}

/// The test's turn, with the gate as the test wants it.
pub(crate) struct Backend {
    _turn: MutexGuard<'static, ()>,
}

impl Backend {
    /// The gate stays closed.
    pub(crate) fn closed() -> Self {
        let turn = lock(&TURN);
        // The very first operation of the process looks for a host.
        drop(lockscope::sync::Mutex::new(()).lock());
        forget_what_was_seen();
        Self { _turn: turn }
    }

    /// One operation in `period` is sampled.
    pub(crate) fn open(period: u32) -> Self {
        let backend = Self::closed();
        backend.start(state::OPEN, period);
        backend
    }

    /// The session begins at the first operation of the process, which is still
    /// to come: as with a host.
    pub(crate) fn at_the_first_operation() -> Self {
        let turn = lock(&TURN);
        lockscope_core::probe::on_arrival(|_| begin(&HOOKS, state::OPEN, 1));
        Self { _turn: turn }
    }

    /// A session begins.
    pub(crate) fn start(&self, state: u32, period: u32) {
        begin(&HOOKS, state, period);
    }

    /// A session begins, of a host that keeps stacks.
    pub(crate) fn start_with_stacks(&self, state: u32, period: u32) {
        begin(&WITH_STACKS, state, period);
    }

    /// How many stacks were taken since the session began.
    pub(crate) fn stacks(&self) -> usize {
        lock(&STACKS).len()
    }

    /// The session ends.
    pub(crate) fn stop(&self) {
        lockscope::probe().gate.close();
        thread::quiesce(&lockscope::probe().gate);
    }

    /// What happened since the last look.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut lock(&SEEN))
    }

    /// The one thing that happened since the last look.
    #[track_caller]
    pub(crate) fn one(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen.remove(0)
    }

    /// The locks that went since the last look.
    pub(crate) fn dropped(&self) -> Vec<Dropped> {
        core::mem::take(&mut lock(&DROPPED))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns once `count` threads wait for a lock in a recorded way. The minute is
/// for a test that fails, so that it says so.
#[track_caller]
pub(crate) fn until_waiting(count: usize) {
    let begin = Instant::now();
    loop {
        let mut waiting = 0;
        thread::for_each_pending(|pending| waiting += usize::from(pending.acquired == 0));
        if waiting == count {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{waiting} wait, and not {count}");
        pause();
    }
}

/// Waits by `wait`, in a second thread, for what `held` holds until it is
/// dropped.
pub(crate) fn contend<G>(held: G, wait: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        until_waiting(1);
        drop(held);
        waiter.join().unwrap();
    });
}

/// Kind, mode, whether contended, and line of each event.
pub(crate) fn summary(seen: &[Seen]) -> Vec<(EventKind, Mode, bool, u32)> {
    seen.iter().map(|seen| (seen.kind, seen.mode, seen.contended, seen.line())).collect()
}

/// The kernel's number of the thread that asks.
pub(crate) fn this_thread() -> u64 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u64 }
}

pub(crate) const EXCLUSIVE: Mode = Mode::EXCLUSIVE;
pub(crate) const SHARED: Mode = Mode::SHARED;
pub(crate) const RELEASED: EventKind = EventKind::RELEASED;
pub(crate) const FAILED: EventKind = EventKind::FAILED;
pub(crate) const IDLE: EventKind = EventKind::IDLE;
