//! The session's life: init → start ⇄ stop → report.
//!
//! There is one engine in a process, because there is one gate per probe. It
//! is the only one who opens and closes gates, but for two exceptions that
//! only close them: a hook that abandons its session, and the child of a fork.

mod cost;
mod entrance;
mod gates;
mod reporting;
mod scale;

pub(crate) use scale::{VARIABLE as CLOCK_VARIABLE, to_be_told as clock_to_be_told};

use core::ffi::c_void;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lockscope_core::backend::{BackendBox, BackendError, ErrorKind, SessionRef};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::{Opening, state as gate_state};
use lockscope_core::sync::{self, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use lockscope_core::{HookTable, Probe, Session, probe};

use crate::config::{Config, Placed, Resolved};
use crate::error::HostError;
use crate::filter::{Filter, LockPattern};
use crate::loader::{Found, Plugin, SearchPath};
use crate::report::model::{Place, ReportFile};
use crate::tell::tell;
use entrance::Entrance;

/// The engine of this process.
pub(crate) static ENGINE: Engine = Engine { state: AtomicPtr::new(core::ptr::null_mut()) };

/// Of the last session, those that measure a backend's cost included. Written
/// by whoever holds the engine; a fork goes on from it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Starts and stops sessions, and knows the probes.
pub(crate) struct Engine {
    /// Null until somebody asks, and again in the child of a fork: the
    /// parent's sessions are not its own, and their lock may be held by a
    /// thread that was not forked. Never freed.
    state: AtomicPtr<Mutex<State>>,
}

/// What a session is to be made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) plugin: Plugin,
    pub(crate) settings: Resolved,
    include: Vec<Placed<LockPattern>>,
    exclude: Vec<Placed<LockPattern>>,
}

impl Plan {
    /// Finds the backend that `config` chooses, and its configuration.
    pub(crate) fn new(config: &Config) -> Result<Self, HostError> {
        let Found { plugin, others } = SearchPath::new(config).find(&config.backend)?;
        let settings = config.settings_for(&plugin.description, &others)?;
        let (include, exclude) = (config.include.clone(), config.exclude.clone());
        Ok(Self { plugin, settings, include, exclude })
    }
}

#[derive(Default)]
struct State {
    /// Sessions that were started.
    sessions: u32,
    session: Option<Running>,
    instances: Vec<Instance>,
    /// What probes said of their call sites.
    places: HashMap<(u32, usize), Place>,
    /// Why probes are not watched.
    refusals: Vec<HostError>,
}

/// A backend that has taken its configuration.
struct Instance {
    plugin: PathBuf,
    settings: Resolved,
    entry: Entry,
    sample_cost_ns: Option<f64>,
}

/// The two faces of a backend.
#[derive(Clone, Copy)]
struct Entry {
    backend: &'static BackendBox,
    hooks: &'static HookTable,
}

/// The session that is running.
struct Running {
    name: String,
    version: String,
    plugin: PathBuf,
    settings: Vec<(String, String)>,
    entry: Entry,
    entrance: Entrance,
    sample_cost_ns: Option<f64>,
    /// Its number in this process, from 1.
    number: u32,
    generation: u32,
    expedited: bool,
    clock: ClockScale,
    /// In ticks.
    started: u64,
    started_unix_ns: u64,
    /// Losses of each probe's threads before the session, by its `lost` entry.
    lost_before: HashMap<usize, u64>,
    notes: Vec<String>,
    abandonment_told: bool,
}

impl Engine {
    /// Begins a session.
    pub(crate) fn start(&self, plan: &Plan) -> Result<(), HostError> {
        self.with(|state| state.start(plan))
    }

    /// What the running session has recorded so far.
    pub(crate) fn snapshot(&self) -> Result<ReportFile, HostError> {
        self.with(|state| state.report(false))
    }

    /// Ends the session: when this returns, none of its hooks is running or
    /// will run.
    pub(crate) fn stop(&self) -> Result<ReportFile, HostError> {
        self.with(State::stop)
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
        let done = act(&mut self.lock());
        self.adopt_handed_in();
        done
    }

    fn lock(&self) -> MutexGuard<'static, State> {
        self.state().lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> &'static Mutex<State> {
        // Acquire: pairs with the release below.
        let known = self.state.load(Ordering::Acquire);
        // SAFETY: what is stored here is never freed.
        if let Some(state) = unsafe { known.as_ref() } {
            return state;
        }
        let fresh = Box::into_raw(Box::default());
        // Release: whoever finds the state finds it made.
        let (stored, seen) = (Ordering::Release, Ordering::Acquire);
        match self.state.compare_exchange(core::ptr::null_mut(), fresh, stored, seen) {
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
        self.state.store(core::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Takes the probes that were left, unless somebody holds the engine, who
    /// will do this on leaving.
    fn adopt_handed_in(&self) {
        // SeqCst: between leaving a probe and trying the lock here, and
        // between giving the lock back and looking for probes there; one of
        // the two sees the other.
        sync::fence(Ordering::SeqCst);
        while gates::any_handed_in() {
            let Ok(mut state) = self.state().try_lock() else { return };
            for probe in gates::take_handed_in() {
                if let Err(error) = state.adopt(probe) {
                    state.refuse(error);
                }
            }
        }
    }
}

impl State {
    fn start(&mut self, plan: &Plan) -> Result<(), HostError> {
        gates::close_in_forked_children();
        if let Some(running) = &self.session {
            return Err(HostError::SessionRunning { backend: running.name.clone() });
        }
        let clock = scale::scale();
        let expedited = sync::register_expedited();
        let Instance { entry, sample_cost_ns, .. } = *self.instance(plan)?;
        let started_unix_ns = unix_ns();
        let session = next_session(started_unix_ns);
        let Session { generation, started, .. } = session;
        entry
            .backend
            .start(SessionRef((&raw const session).cast()))
            .into_result()
            .map_err(|source| failed(plan, "start", source))?;
        self.sessions += 1;
        self.session = Some(Running {
            name: plan.plugin.description.name.to_string(),
            version: plan.plugin.description.version.to_string(),
            plugin: plan.plugin.path.clone(),
            settings: plan.settings.pairs(),
            entry,
            entrance: Entrance::new(entry.hooks, Filter::new(&plan.include, &plan.exclude)),
            sample_cost_ns,
            number: self.sessions,
            generation,
            expedited,
            clock,
            started,
            started_unix_ns,
            lost_before: HashMap::new(),
            notes: Vec::new(),
            abandonment_told: false,
        });
        gates::probes().for_each(|probe| self.open(probe));
        Ok(())
    }

    /// An instance of the plugin that was initialised with these settings: a
    /// backend is initialised once, and lives for ever.
    fn instance(&mut self, plan: &Plan) -> Result<&Instance, HostError> {
        let same = |instance: &Instance| {
            instance.plugin == plan.plugin.path && instance.settings == plan.settings
        };
        if let Some(known) = self.instances.iter().position(same) {
            return Ok(&self.instances[known]);
        }
        let (backend, hooks) = plan.plugin.create()?;
        let entry = Entry { backend, hooks };
        backend.init(plan.settings.for_backend().into()).into_result().map_err(|source| {
            HostError::Init {
                backend: plan.plugin.description.name.to_string(),
                settings: match source.kind {
                    ErrorKind::Setting => plan.settings.in_question(&source),
                    _ => String::new(),
                },
                source,
            }
        })?;
        let trial = next_session(unix_ns());
        Ok(self.instances.push_mut(Instance {
            plugin: plan.plugin.path.clone(),
            settings: plan.settings.clone(),
            entry,
            sample_cost_ns: cost::of_sample_ns(entry, &trial),
        }))
    }

    fn adopt(&mut self, probe: &'static Probe) -> Result<(), HostError> {
        if gates::probes().any(|known| core::ptr::eq(known, probe)) {
            return Ok(());
        }
        let number = gates::next_number().ok_or_else(|| HostError::ProbeTooMany {
            probe: probe.name().to_owned(),
            limit: gates::MAX_PROBES,
        })?;
        if !gates::take(probe, number) {
            return Err(HostError::ProbeOccupied { probe: probe.name().to_owned() });
        }
        gates::add(probe);
        self.open(probe);
        Ok(())
    }

    /// Opens the probe's gate, if a session is running.
    fn open(&mut self, probe: &'static Probe) {
        let Some(running) = &mut self.session else { return };
        if gates::is_abandoned(running.generation) {
            return;
        }
        // Again: a fork gives its probes back.
        if !gates::take(probe, probe.index()) {
            let error = HostError::ProbeOccupied { probe: probe.name().to_owned() };
            running.notes.push(error.to_string());
            return;
        }
        if probe.gate.generation() >= running.generation {
            running.notes.push(format!(
                "The probe '{}' came with a newer generation than this session's; it is watched from the next session on.",
                probe.name()
            ));
            return;
        }
        running.lost_before.entry(probe.lost as usize).or_insert_with(|| (probe.lost)());
        let opening = Opening {
            state: gate_state::OPEN,
            generation: running.generation,
            hooks: running.entrance.hooks,
            tsc: running.clock.tsc == 1,
            expedited: running.expedited,
            contended_period: 1,
        };
        // SAFETY:
        // - tables and their contexts live for ever, see `Plugin::create`;
        // - the gate is closed, or its probe is at its first operation; and only
        //   the engine opens, one at a time.
        unsafe { probe.gate.open(&opening) };
        if gates::is_abandoned(running.generation) {
            // Abandoned while it was opened: whoever did that may have come
            // before us.
            probe.gate.close();
        }
    }

    fn refuse(&mut self, error: HostError) {
        tell(&error);
        if let Some(running) = &mut self.session {
            running.notes.push(error.to_string());
        }
        self.refusals.push(error);
    }

    fn stop(&mut self) -> Result<ReportFile, HostError> {
        let running = self.session.as_ref().ok_or(HostError::NoSession)?;
        let backend = running.entry.backend;
        gates::close_all();
        for probe in gates::probes() {
            (probe.quiesce)(probe);
        }
        let stopped = backend.stop().into_result();
        if let (Err(error), Some(running)) = (stopped, &mut self.session) {
            running.notes.push(format!("The backend could not stop: {error}."));
        }
        let report = self.report(true);
        self.session = None;
        report
    }
}

/// What a backend learns of a session that begins now.
fn next_session(unix_ns: u64) -> Session {
    let seen = gates::probes().map(|probe| probe.gate.generation()).max().unwrap_or(0);
    let generation = GENERATION.load(Ordering::Relaxed).max(seen) + 1;
    GENERATION.store(generation, Ordering::Relaxed);
    let clock = scale::scale();
    Session {
        generation,
        reserved: 0,
        clock,
        started: clock::now(clock.tsc == 1),
        seed: unix_ns ^ u64::from(std::process::id()) << 32,
        next_lock_id,
        abandon: gates::abandon,
        context: generation as usize as *const c_void,
    }
}

fn failed(plan: &Plan, what: &'static str, source: BackendError) -> HostError {
    HostError::Backend { backend: plan.plugin.description.name.to_string(), what, source }
}

/// Ids of locks without slot: the upper 16 bits are a number that no probe
/// has (see [`Probe::next_lock_id`]).
extern "C" fn next_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    0xffff << 48 | NEXT.fetch_add(1, Ordering::Relaxed)
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
