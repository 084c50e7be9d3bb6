//! The session that runs, and the backends that there are.

use core::ffi::c_void;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lockscope_core::backend::{BackendBox, BackendError, ErrorKind, Pace, SessionRef};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::{Opening, state as gate_state};
use lockscope_core::sync::{self, AtomicU32, AtomicU64, Ordering};
use lockscope_core::{HookTable, Probe, Session};

use super::entrance::Entrance;
use super::naming::Names;
use super::{Plan, Stacks, cost, gates, scale};
use crate::config::Resolved;
use crate::error::HostError;
use crate::report::model::ReportFile;
use crate::tell::tell;

/// Of the last session, those that measure a backend's cost included. Written
/// by whoever holds the engine; a fork goes on from it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
pub(super) struct State {
    /// Sessions that were started.
    sessions: u32,
    session: Option<Running>,
    instances: Vec<Instance>,
    /// What call sites are called.
    pub(super) names: Names,
    /// Why probes are not watched.
    pub(super) refusals: Vec<HostError>,
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
pub(super) struct Entry {
    pub(super) backend: &'static BackendBox,
    pub(super) hooks: &'static HookTable,
}

/// The session that is running.
pub(super) struct Running {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) plugin: PathBuf,
    pub(super) settings: Vec<(String, String)>,
    pub(super) entry: Entry,
    pub(super) entrance: Entrance,
    pub(super) sample_cost_ns: Option<f64>,
    /// Its number in this process, from 1.
    pub(super) number: u32,
    /// The generation that it began with, by which its backend names it.
    pub(super) session: u32,
    /// That of the gates now: a new one each time their state changes.
    pub(super) generation: u32,
    /// What the backend said last of how it is to go on, and when.
    pub(super) pace: Pace,
    pub(super) asked: Instant,
    /// Operations that had not ended when the gates changed: never told.
    pub(super) unfinished: u64,
    pub(super) expedited: bool,
    pub(super) clock: ClockScale,
    /// In ticks.
    pub(super) started: u64,
    pub(super) started_unix_ns: u64,
    /// Losses of each probe's threads before the session, by its `lost` entry.
    pub(super) lost_before: HashMap<usize, u64>,
    /// Stacks that were lost before the session.
    pub(super) stacks_lost_before: lockscope_stacks::Losses,
    pub(super) notes: Vec<String>,
    pub(super) abandonment_told: bool,
}

/// How a session that runs stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) backend: String,
    pub(crate) backend_version: String,
    /// The backend's configuration: key and value.
    pub(crate) settings: Vec<(String, String)>,
    /// Its number in this process, from 1.
    pub(crate) number: u32,
    pub(crate) started_unix_ns: u64,
    pub(crate) length_ns: u64,
    /// Whether its backend waits to be woken.
    pub(crate) is_asleep: bool,
}

impl State {
    pub(super) fn start(&mut self, plan: &Plan) -> Result<(), HostError> {
        if let Some(running) = &self.session {
            return Err(HostError::SessionRunning { backend: running.name.clone() });
        }
        let running = self.prepare(plan)?;
        self.begin(running);
        Ok(())
    }

    pub(super) fn switch(&mut self, plan: &Plan) -> Result<ReportFile, HostError> {
        if self.session.is_none() {
            return Err(HostError::NoSession);
        }
        let next = self.prepare(plan)?;
        let now = next.started;
        let old = self.session.take();
        // From one to the other: what is open is not closed between.
        self.begin(next);
        quiesce();
        match old {
            Some(old) => self.conclude(old, now),
            None => Err(HostError::NoSession),
        }
    }

    /// Starts a backend, whose session is not open yet.
    fn prepare(&mut self, plan: &Plan) -> Result<Running, HostError> {
        gates::close_in_forked_children();
        let clock = scale::scale();
        let expedited = sync::register_expedited();
        let frames = plan.stacks.prepare()?;
        let Instance { entry, mut sample_cost_ns, .. } = *self.instance(plan)?;
        if frames != 0 {
            sample_cost_ns = sample_cost_ns.map(|cost| cost + cost::of_stack_ns(frames));
        }
        let started_unix_ns = unix_ns();
        let open = self.session.as_ref().map(|running| running.generation);
        let session = next_session(started_unix_ns, open);
        let Session { generation, started, .. } = session;
        let failed = |what| move |source| failed(plan, what, source);
        let begin = entry.backend.start(SessionRef((&raw const session).cast()));
        begin.into_result().map_err(failed("start"))?;
        let pace = entry.backend.pace().into_result().map_err(failed("say how it is to go on"))?;
        self.sessions += 1;
        Ok(Running {
            name: plan.plugin.description.name.to_string(),
            version: plan.plugin.description.version.to_string(),
            plugin: plan.plugin.path.clone(),
            settings: plan.settings.pairs(),
            entry,
            entrance: Entrance::new(entry.hooks, plan.filter().map(Arc::new), frames),
            sample_cost_ns,
            number: self.sessions,
            session: generation,
            generation,
            pace,
            asked: Instant::now(),
            unfinished: 0,
            expedited,
            clock,
            started,
            started_unix_ns,
            lost_before: HashMap::new(),
            stacks_lost_before: lockscope_stacks::losses(),
            notes: Vec::new(),
            abandonment_told: false,
        })
    }

    fn begin(&mut self, running: Running) {
        self.session = Some(running);
        gates::probes().for_each(|probe| self.open(probe));
    }

    /// An instance of the plugin that was initialised with these settings, and
    /// has no session: a backend is initialised once, and lives for ever.
    fn instance(&mut self, plan: &Plan) -> Result<&Instance, HostError> {
        let running = self.session.as_ref().map(|running| running.entry);
        let same = |instance: &Instance| {
            instance.plugin == plan.plugin.path
                && instance.settings == plan.settings
                && running
                    .is_none_or(|running| !core::ptr::eq(running.backend, instance.entry.backend))
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
        let trial = next_session(unix_ns(), None);
        Ok(self.instances.push_mut(Instance {
            plugin: plan.plugin.path.clone(),
            settings: plan.settings.clone(),
            entry,
            sample_cost_ns: cost::of_sample_ns(entry, &trial),
        }))
    }

    pub(super) fn adopt(&mut self, probe: &'static Probe) -> Result<(), HostError> {
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
        if gates::is_abandoned(running.session) {
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
        let Pace { gate, contended_period, .. } = running.pace;
        if gate == gate_state::CLOSED {
            gates::close(probe);
            return;
        }
        let opening = Opening {
            state: gate,
            generation: running.generation,
            hooks: running.entrance.hooks,
            tsc: running.clock.tsc == 1,
            expedited: running.expedited,
            contended_period,
        };
        // SAFETY:
        // - tables and their contexts live for ever, see `Plugin::create`;
        // - if the gate is open, it is so for the generation that
        //   `next_generation` was told of, and since then the engine has waited
        //   until no hook of an older one ran;
        // - only the engine opens, one at a time.
        unsafe { probe.gate.open(&opening) };
        if gates::is_abandoned(running.session) {
            // Abandoned while it was opened: whoever did that may have come
            // before us.
            probe.gate.close();
        }
    }

    pub(super) fn refuse(&mut self, error: HostError) {
        tell(&error);
        if let Some(running) = &mut self.session {
            running.notes.push(error.to_string());
        }
        self.refusals.push(error);
    }

    pub(super) fn stop(&mut self) -> Result<ReportFile, HostError> {
        let running = self.session.take().ok_or(HostError::NoSession)?;
        gates::close_all();
        quiesce();
        self.conclude(running, u64::MAX)
    }

    /// Ends a session none of whose hooks runs any more: its last report.
    /// Another may have followed it at the time `until`, in ticks.
    fn conclude(&mut self, mut running: Running, until: u64) -> Result<ReportFile, HostError> {
        running.count_unfinished();
        if let Err(error) = running.entry.backend.stop().into_result() {
            running.notes.push(format!("The backend could not stop: {error}."));
        }
        self.report_of(&mut running, Some(until))
    }

    /// When the backend wants to be asked again how it is to go on.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        self.session.as_ref().and_then(Running::ask_at)
    }

    /// Asks the backend, if it is time.
    pub(super) fn ask_if_due(&mut self) {
        if self.ask_at().is_some_and(|at| at <= Instant::now()) {
            self.ask();
        }
    }

    /// Asks the backend how its session is to go on, and sees to it.
    fn ask(&mut self) {
        let Some(running) = &mut self.session else { return };
        running.asked = Instant::now();
        let pace = match running.entry.backend.pace().into_result() {
            Ok(pace) if !gates::is_abandoned(running.session) => pace,
            Ok(_) => {
                // It has closed the gates, and that is the end of it.
                running.pace.ask_after_ns = u64::MAX;
                return;
            }
            Err(error) => {
                running.notes.push(format!(
                    "The backend could not say how it is to go on, and stays as it was: {error}."
                ));
                running.pace.ask_after_ns = u64::MAX;
                return;
            }
        };
        let before = core::mem::replace(&mut running.pace, pace);
        if before.gate == pace.gate {
            for probe in gates::probes() {
                probe.gate.set_contended_period(pace.contended_period);
            }
            return;
        }
        self.reopen(before.gate);
    }

    /// Opens the gates anew, as another part of the session, in which all slots are
    /// empty. They stood as in `before`.
    fn reopen(&mut self, before: u32) {
        let Some(running) = &mut self.session else { return };
        let ended = running.generation;
        running.generation = next_generation(Some(ended));
        gates::probes().for_each(|probe| self.open(probe));
        quiesce();
        if before != gate_state::CLOSED
            && let Some(running) = &mut self.session
        {
            running.unfinished += unfinished(ended);
        }
    }

    pub(super) fn keep_stacks(&mut self, stacks: &Stacks) -> Result<(), HostError> {
        let running = self.session.as_mut().ok_or(HostError::NoSession)?;
        let frames = stacks.prepare()?;
        if frames != running.entrance.frames() {
            let next = running.entrance.with_frames(frames);
            // Hooks may run behind the old one until the gates were opened anew.
            let old = core::mem::replace(&mut running.entrance, next);
            let gate = running.pace.gate;
            self.reopen(gate);
            drop(old);
        }
        Ok(())
    }

    /// Whether the running session keeps stacks.
    pub(super) fn keeps_stacks(&self) -> bool {
        self.session.as_ref().is_some_and(|running| running.entrance.frames() != 0)
    }

    pub(super) fn configure(&mut self, key: &str, value: &str) -> Result<(), HostError> {
        let running = self.session.as_mut().ok_or(HostError::NoSession)?;
        let backend = running.entry.backend;
        backend.configure(key.into(), value.into()).into_result().map_err(|source| {
            HostError::Backend { backend: running.name.clone(), what: "take the new value", source }
        })?;
        let changed = |(known, kept): &mut (String, String)| {
            if known == key {
                value.clone_into(kept);
            }
        };
        running.settings.iter_mut().for_each(changed);
        // Whoever asks for the settings as they were gets another instance.
        let is_its = |instance: &&mut Instance| core::ptr::eq(instance.entry.backend, backend);
        if let Some(instance) = self.instances.iter_mut().find(is_its) {
            for (known, kept, _) in &mut instance.settings.settings {
                if known == key {
                    value.clone_into(kept);
                }
            }
        }
        self.ask();
        Ok(())
    }

    pub(super) fn wake(&mut self, cause: &str) -> Result<(), HostError> {
        let running = self.session.as_mut().ok_or(HostError::NoSession)?;
        running.entry.backend.wake(cause.into()).into_result().map_err(|source| {
            HostError::Backend { backend: running.name.clone(), what: "wake up", source }
        })?;
        self.ask();
        Ok(())
    }

    /// How the running session stands.
    pub(super) fn standing(&self) -> Option<Standing> {
        let running = self.session.as_ref()?;
        Some(Standing {
            backend: running.name.clone(),
            backend_version: running.version.clone(),
            settings: running.settings.clone(),
            number: running.number,
            started_unix_ns: running.started_unix_ns,
            length_ns: running.length_ns(),
            is_asleep: running.is_asleep(),
        })
    }

    /// What the running session has recorded so far.
    pub(super) fn report(&mut self) -> Result<ReportFile, HostError> {
        let mut running = self.session.take().ok_or(HostError::NoSession)?;
        let report = self.report_of(&mut running, None);
        self.session = Some(running);
        report
    }
}

impl Running {
    fn ask_at(&self) -> Option<Instant> {
        let after = self.pace.ask_after_ns;
        if after == u64::MAX { None } else { self.asked.checked_add(Duration::from_nanos(after)) }
    }

    /// Whether its backend waits to be woken.
    pub(super) fn is_asleep(&self) -> bool {
        self.pace.gate != gate_state::OPEN
    }

    /// How long it has run, in nanoseconds.
    pub(super) fn length_ns(&self) -> u64 {
        let now = clock::now(self.clock.tsc == 1);
        self.clock.ns(now.saturating_sub(self.started))
    }

    /// Counts what the session has begun and was never told, now that it is over.
    fn count_unfinished(&mut self) {
        if self.pace.gate != gate_state::CLOSED {
            self.unfinished += unfinished(self.generation);
        }
    }
}

/// Returns when no hook runs of a generation that no gate shows any more.
fn quiesce() {
    for probe in gates::probes() {
        (probe.quiesce)(probe);
    }
}

/// Operations of a generation that is over, and quiet, which are never told.
fn unfinished(generation: u32) -> u64 {
    let mut asked = HashSet::new();
    // Probes of one copy of the core share their threads.
    gates::probes()
        .filter(|probe| asked.insert(probe.unfinished as usize))
        .map(|probe| (probe.unfinished)(generation))
        .sum()
}

/// The number of what comes next: of a session, or of a part of one. It is even
/// if that of what is `open` is odd, and the other way round: see
/// [`Gate::open`](lockscope_core::Gate::open).
fn next_generation(open: Option<u32>) -> u32 {
    let seen = gates::probes().map(|probe| probe.gate.generation()).max().unwrap_or(0);
    let mut generation = GENERATION.load(Ordering::Relaxed).max(seen) + 1;
    if open.is_some_and(|open| open % 2 == generation % 2) {
        generation += 1;
    }
    GENERATION.store(generation, Ordering::Relaxed);
    generation
}

/// What a backend learns of a session that begins now.
fn next_session(unix_ns: u64, open: Option<u32>) -> Session {
    let generation = next_generation(open);
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
pub(super) extern "C" fn next_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    0xffff << 48 | NEXT.fetch_add(1, Ordering::Relaxed)
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
