//! Whatever happens, in whatever order: the backend says what a naive one
//! would, which writes everything down and adds it up when asked.

use std::collections::BTreeMap;

use lockscope_core::backend::Backend;
use lockscope_core::report::{Estimate, Report, Times};
use lockscope_core::{CallSite, Event, EventKind, Mode};
use proptest::prelude::*;

use crate::probe::{GIVEN, Lock, begin, event, started, tell};

const LOCKS: usize = 4;
/// Creation sites of locks without slot are greater.
const SLOTLESS: usize = 100;

#[derive(Clone, Debug)]
enum Step {
    /// Something happens with a lock.
    Happens(usize, Happening),
    /// A lock is dropped, and another one made at the same line.
    Replaced(usize),
    /// The session ends, and another begins.
    Restarted,
}

#[derive(Clone, Debug)]
struct Happening {
    kind: EventKind,
    site: usize,
    mode: Mode,
    weight: u32,
    /// Who held the lock, for how long one waited.
    wait: Option<(usize, u64)>,
    hold_ns: u64,
    thread: u32,
}

/// By creation site (of dropped locks) or id (of living ones), call site, mode.
type Line = (usize, u64, usize, u8);

/// What is known of a line: all that [`Report`] says of a call site.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    samples: u64,
    acquisitions: Estimate,
    contentions: Estimate,
    failures: Estimate,
    idles: Estimate,
    wait: Sums,
    hold: Sums,
    idle: Sums,
}

/// Total, longest, and how many there are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    total: Estimate,
    max_ns: u64,
    weight: f64,
}

impl Sums {
    fn add(&mut self, ns: u64, weight: u32) {
        self.total += estimate(ns as f64, weight);
        self.max_ns = self.max_ns.max(ns);
        self.weight += f64::from(weight);
    }

    fn of(times: &Times) -> Self {
        Self {
            total: times.total_ns,
            max_ns: times.max_ns,
            weight: times.histogram.iter().map(|bucket| bucket.weight).sum(),
        }
    }
}

fn estimate(x: f64, weight: u32) -> Estimate {
    let w = f64::from(weight);
    Estimate { value: w * x, variance: w * (w - 1.0) * x * x }
}

impl Known {
    fn add(&mut self, happening: &Happening) {
        let Happening { weight, hold_ns, .. } = *happening;
        let one = estimate(1.0, weight);
        match happening.kind {
            EventKind::FAILED => self.failures += one,
            EventKind::IDLE => {
                self.idles += one;
                self.idle.add(happening.wait.map_or(0, |(_, ns)| ns), weight);
            }
            _ => {
                self.samples += 1;
                self.acquisitions += one;
                self.hold.add(hold_ns, weight);
                if let Some((_, wait_ns)) = happening.wait {
                    self.contentions += one;
                    self.wait.add(wait_ns, weight);
                }
            }
        }
    }
}

/// Everything that a session was told, added up when it is asked for.
#[derive(Default)]
struct Naive {
    log: Vec<(usize, u64, Happening)>,
    dropped: Vec<u64>,
}

type Lines = BTreeMap<Line, Known>;
type Charges = BTreeMap<(usize, u64, usize, usize), (f64, f64)>;

impl Naive {
    /// Who is dropped has no id any more; who has no slot, one of the host's.
    fn shown_id(&self, created: usize, id: u64) -> u64 {
        match id {
            id if self.dropped.contains(&id) => 0,
            _ if created >= SLOTLESS => GIVEN,
            id => id,
        }
    }

    fn lines(&self) -> Lines {
        let mut lines = Lines::new();
        for (created, id, happening) in &self.log {
            let line = (*created, self.shown_id(*created, *id), happening.site, happening.mode.0);
            lines.entry(line).or_default().add(happening);
        }
        lines
    }

    fn charges(&self) -> Charges {
        let mut charges = Charges::new();
        for (created, id, happening) in &self.log {
            let Some((holder, wait_ns)) = happening.wait else { continue };
            if happening.kind == EventKind::RELEASED {
                let key = (*created, self.shown_id(*created, *id), holder, happening.site);
                let charge = charges.entry(key).or_default();
                charge.0 += f64::from(happening.weight);
                charge.1 += wait_ns as f64 * f64::from(happening.weight);
            }
        }
        charges
    }
}

fn lines(report: &Report) -> Lines {
    let mut lines = Lines::new();
    for lock in &report.locks {
        for site in &lock.sites {
            let known = Known {
                samples: site.samples,
                acquisitions: site.acquisitions,
                contentions: site.contentions,
                failures: site.failures,
                idles: site.idles,
                wait: Sums::of(&site.wait),
                hold: Sums::of(&site.hold),
                idle: Sums::of(&site.idle),
            };
            let before =
                lines.insert((lock.created, lock.id.min(GIVEN), site.site, site.mode), known);
            assert!(before.is_none(), "a line is there twice");
        }
    }
    lines
}

fn charges(report: &Report) -> Charges {
    let mut charges = Charges::new();
    for lock in &report.locks {
        for blame in &lock.blame {
            let key = (lock.created, lock.id.min(GIVEN), blame.holder, blame.waiter);
            charges.insert(key, (blame.contentions.value, blame.wait_ns.value));
        }
    }
    charges
}

/// Duration and weight such that sums of them are exact.
fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        6 => Just(EventKind::RELEASED),
        1 => Just(EventKind::FAILED),
        1 => Just(EventKind::IDLE)
    ];
    let mode = prop_oneof![Just(Mode::EXCLUSIVE), Just(Mode::SHARED), Just(Mode::UPGRADABLE)];
    let weight = prop_oneof![Just(1_u32), Just(64)];
    let wait = proptest::option::of((0..3_usize, 0..5_000_u64));
    // 0 for a thread that is not known.
    let thread = prop_oneof![8 => 1..4_u32, 1 => 4..200_u32, 1 => Just(0)];
    (kind, 1..4_usize, mode, weight, wait, 0..5_000_u64, thread).prop_map(
        |(kind, site, mode, weight, wait, hold_ns, thread)| Happening {
            mode: if kind == EventKind::IDLE { Mode::SHARED } else { mode },
            kind,
            site,
            weight,
            wait,
            hold_ns,
            thread,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..LOCKS, happening()).prop_map(|(lock, what)| Step::Happens(lock, what)),
        2 => (0..LOCKS).prop_map(Step::Replaced),
        1 => Just(Step::Restarted),
    ]
}

fn told(lock: &Lock, happening: &Happening) -> Event {
    let (holder, wait_ns) = match (happening.kind, happening.wait) {
        // A failed try is told with the time that it took, which is no wait.
        (EventKind::RELEASED, None) | (EventKind::FAILED, _) => (0, 0),
        (_, wait) => wait.unwrap_or((0, 0)),
    };
    let contended = happening.kind == EventKind::RELEASED && happening.wait.is_some();
    Event {
        kind: happening.kind,
        weight: happening.weight,
        thread: happening.thread,
        contended: u8::from(contended),
        holder: CallSite(holder),
        begin: 1_000,
        acquired: 1_000 + wait_ns,
        end: 1_000 + wait_ns + happening.hold_ns,
        ..event(lock, happening.site, happening.mode)
    }
}

/// Half of the locks have a slot, and were made at one line. The others are
/// known by their creation site here, because the backend gives them ids, and
/// are where the one before them was.
fn make(index: usize, id: u64) -> Lock {
    if index < LOCKS / 2 {
        return Lock::new(id, 7);
    }
    Lock { id, created: SLOTLESS + index, ..Lock::slotless(64 * (1 + index)) }
}

/// A session of `backend`, its locks, and what was done with them.
struct Run<B> {
    backend: B,
    generation: u32,
    locks: Vec<Lock>,
    next_id: u64,
    naive: Naive,
}

impl<B: Backend> Run<B> {
    fn new(settings: &[(&str, &str)]) -> Self {
        Self {
            backend: started(settings),
            generation: 1,
            locks: (0..LOCKS).map(|index| make(index, 1 + index as u64)).collect(),
            next_id: 1 + LOCKS as u64,
            naive: Naive::default(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Happens(index, happening) => {
                let lock = &self.locks[*index];
                // A failed try does not meet the lock: its owner does.
                if happening.kind != EventKind::FAILED {
                    lock.meet(&self.backend, self.generation);
                }
                tell(&self.backend, told(lock, happening));
                self.naive.log.push((lock.created, lock.id, happening.clone()));
            }
            Step::Replaced(index) => {
                let fresh = make(*index, self.next_id);
                self.next_id += 1;
                let gone = core::mem::replace(&mut self.locks[*index], fresh);
                let stamp = u64::from(self.generation) << 32;
                if gone.slot.as_ref().is_none_or(|slot| slot.is_current(stamp)) {
                    self.backend.dropped(&gone.as_ref());
                    self.naive.dropped.push(gone.id);
                }
            }
            Step::Restarted => {
                self.backend.stop().unwrap();
                self.locks.iter().for_each(Lock::outlive);
                self.generation += 1;
                begin(&self.backend, self.generation);
                self.naive = Naive::default();
            }
        }
    }
}

/// Whatever happens.
pub fn agrees_with_the_naive_backend<B: Backend>() {
    agrees_with_these_settings::<B>(&[("period", "64")]);
}

/// Whatever happens to a backend with these settings, which must not make it
/// lose anything.
pub fn agrees_with_these_settings<B: Backend>(settings: &[(&str, &str)]) {
    proptest!(|(steps in proptest::collection::vec(step(), 0..80))| {
        let mut run = Run::<B>::new(settings);
        steps.iter().for_each(|step| run.take(step));
        let report = run.backend.snapshot().unwrap();
        prop_assert_eq!(lines(&report), run.naive.lines());
        prop_assert_eq!(charges(&report), run.naive.charges());
        prop_assert!(report.losses.is_empty());
    });
}
