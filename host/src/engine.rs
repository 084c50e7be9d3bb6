//! The session's life: init → start ⇄ stop → report.
//!
//! There is one engine in a process, because there is one gate per probe. It
//! is the only one who opens and closes gates, but for two exceptions that
//! only close them: a hook that abandons its session, and the child of a fork.

mod cost;
mod entrance;
mod gates;
mod naming;
mod objects;
mod pacer;
mod reporting;
mod scale;
mod state;

pub(crate) use reporting::command as command_line;
pub(crate) use scale::{VARIABLE as CLOCK_VARIABLE, to_be_told as clock_to_be_told};

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_core::sync::{self, AtomicPtr, Ordering};
use lockscope_core::{Probe, probe};

use crate::config::{Config, Placed, Resolved};
use crate::error::HostError;
use crate::filter::{Filter, LockPattern};
use crate::loader::{Found, Plugin, SearchPath};
use crate::report::model::ReportFile;

use objects::Watcher;
use pacer::Pacer;
pub(crate) use state::Standing;
use state::State;

/// The engine of this process.
pub(crate) static ENGINE: Engine = Engine { inner: AtomicPtr::new(core::ptr::null_mut()) };

/// Starts and stops sessions, and knows the probes.
pub(crate) struct Engine {
    /// Null until somebody asks, and again in the child of a fork: the
    /// parent's sessions are not its own, and their lock may be held by a
    /// thread that was not forked. Never freed.
    inner: AtomicPtr<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    pacer: Pacer,
    watcher: Watcher,
}

/// What a session is to be made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) plugin: Plugin,
    pub(crate) settings: Resolved,
    include: Vec<Placed<LockPattern>>,
    exclude: Vec<Placed<LockPattern>>,
    stacks: Stacks,
}

/// Which stacks are kept.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    /// How many frames of each; 0 for no stacks.
    frames: Placed<u32>,
    /// How many stacks.
    limit: Placed<u32>,
}

impl Stacks {
    pub(crate) fn new(config: &Config) -> Self {
        Self { frames: config.stacks.clone(), limit: config.max_stacks.clone() }
    }

    /// Makes what taking them needs: how many frames are kept.
    fn prepare(&self) -> Result<u32, HostError> {
        let frames = self.frames.value;
        if frames == 0 {
            return Ok(0);
        }
        if !lockscope_stacks::IS_SUPPORTED {
            return Err(HostError::StacksUnsupported { place: self.frames.place.clone() });
        }
        lockscope_stacks::prepare(self.limit.value)
            .map_err(|source| HostError::System { what: "make room for stacks", source })?;
        Ok(frames)
    }
}

impl Plan {
    /// Finds the backend that `config` chooses, and its configuration.
    pub(crate) fn new(config: &Config) -> Result<Self, HostError> {
        let Found { plugin, others } = SearchPath::new(config).find(&config.backend)?;
        let settings = config.settings_for(&plugin.description, &others)?;
        let (include, exclude) = (config.include.clone(), config.exclude.clone());
        Ok(Self { plugin, settings, include, exclude, stacks: Stacks::new(config) })
    }

    /// The filter of one session.
    fn filter(&self) -> Option<Filter> {
        Filter::new(&self.include, &self.exclude)
    }
}

impl Engine {
    /// Begins a session.
    pub(crate) fn start(&self, plan: &Plan) -> Result<(), HostError> {
        self.with(|state| state.start(plan))
    }

    /// Ends the session, and begins another in the same moment: no operation
    /// falls between the two. What the old one has recorded. If there is
    /// anything wrong with `plan`, the old session goes on.
    pub(crate) fn switch(&self, plan: &Plan) -> Result<ReportFile, HostError> {
        self.with(|state| state.switch(plan))
    }

    /// What the running session has recorded so far.
    pub(crate) fn snapshot(&self) -> Result<ReportFile, HostError> {
        self.with(|state| state.report())
    }

    /// Ends the session: when this returns, none of its hooks is running or
    /// will run.
    pub(crate) fn stop(&self) -> Result<ReportFile, HostError> {
        self.with(State::stop)
    }

    /// Changes a key of the running session's backend.
    pub(crate) fn configure(&self, key: &str, value: &str) -> Result<(), HostError> {
        self.with(|state| state.configure(key, value))
    }

    /// Keeps these stacks from now on, in the running session.
    pub(crate) fn keep_stacks(&self, stacks: &Stacks) -> Result<(), HostError> {
        self.with(|state| state.keep_stacks(stacks))
    }

    /// Wakes the backend of the running session, if it sleeps; `cause` is for
    /// the report.
    pub(crate) fn wake(&self, cause: &str) -> Result<(), HostError> {
        self.with(|state| state.wake(cause))
    }

    /// Asks the running session's backend how it is to go on, if it is time.
    fn ask_if_due(&self) {
        self.with(State::ask_if_due);
    }

    /// How the running session stands; nothing if none runs.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.with(|state| state.standing())
    }

    /// Takes a probe: its gate is opened whenever a session runs.
    pub(crate) fn adopt(&self, probe: &'static Probe) -> Result<(), HostError> {
        self.with(|state| state.adopt(probe))
    }

    /// Asks the register of the copy of `lockscope-core` that this host is
    /// linked with for its probes, now and later.
    pub(crate) fn listen(&'static self) {
        probe::on_arrival(|probe| {
            if gates::hand_in(probe) {
                ENGINE.adopt_handed_in();
            }
        });
    }

    /// Whether probes came that could not be taken, and none that could.
    pub(crate) fn refusal(&self) -> Option<HostError> {
        self.with(
            |state| {
                if gates::probes().next().is_some() { None } else { state.refusals.pop() }
            },
        )
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let inner = self.inner();
        let mut state = lock(&inner.state);
        let done = act(&mut state);
        // While the state is held: of two who follow each other, the second's
        // word stands.
        inner.pacer.set(state.ask_at());
        inner.watcher.set(state.keeps_stacks());
        drop(state);
        self.adopt_handed_in();
        done
    }

    fn inner(&self) -> &'static Inner {
        // Acquire: pairs with the release below.
        let known = self.inner.load(Ordering::Acquire);
        // SAFETY: what is stored here is never freed.
        if let Some(inner) = unsafe { known.as_ref() } {
            return inner;
        }
        let fresh = Box::into_raw(Box::default());
        // Release: whoever finds it finds it made.
        let (stored, seen) = (Ordering::Release, Ordering::Acquire);
        match self.inner.compare_exchange(core::ptr::null_mut(), fresh, stored, seen) {
            // SAFETY: it was made above and is never freed.
            Ok(_) => unsafe { &*fresh },
            Err(other) => {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                // SAFETY: what is stored here is never freed.
                unsafe { &*other }
            }
        }
    }

    /// In the child of a fork: leaves the parent's state to itself. Only
    /// stores.
    fn forget(&self) {
        self.inner.store(core::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Takes the probes that were left, unless somebody holds the engine, who
    /// will do this on leaving.
    fn adopt_handed_in(&self) {
        // SeqCst: between leaving a probe and trying the lock here, and
        // between giving the lock back and looking for probes there; one of
        // the two sees the other.
        sync::fence(Ordering::SeqCst);
        while gates::any_handed_in() {
            let Ok(mut state) = self.inner().state.try_lock() else { return };
            for probe in gates::take_handed_in() {
                if let Err(error) = state.adopt(probe) {
                    state.refuse(error);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
