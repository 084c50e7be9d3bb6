//! What may happen, one after the other.

use core::fmt;

use lockscope_core::{EventKind, Mode};
use proptest::prelude::*;

/// How many locks there are at one time; those in the second half have no slot.
pub(super) const LOCKS: usize = 4;

/// A kind of event that was made after the backend.
const NEW_KIND: EventKind = EventKind(77);

/// One step of a history. Locks are known by their place among [`LOCKS`].
#[derive(Clone)]
pub(super) enum Step {
    /// Something happens with a lock.
    Happens(usize, Happening),
    /// A lock is dropped, and another one made at the same line, in its place.
    Replaced(usize),
    /// A lock is forgotten, and another one made at the same line.
    Leaked(usize),
    /// A lock moves: without slot, it becomes another.
    Moved(usize),
    /// A thread's own countdown ends.
    Counted,
    /// The host asks what was recorded.
    Looked,
    /// The host sets the period, if there is one.
    Configured(u32),
    /// The host sets a key that there is not.
    Misconfigured,
    /// The host starts a session, if it is the time for it or not.
    Started,
    /// The host stops the session, if there is one or not.
    Stopped,
}

#[derive(Clone)]
pub(super) struct Happening {
    pub(super) kind: EventKind,
    pub(super) site: usize,
    pub(super) mode: Mode,
    pub(super) weight: u32,
    /// Who held the lock, for how long one waited.
    pub(super) wait: Option<(usize, u64)>,
    pub(super) hold_ns: u64,
    pub(super) thread: u32,
}

/// As a person would tell it.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Places have letters, as locks have numbers.
        let name = |place: &usize| {
            let slot = if *place < LOCKS / 2 { "" } else { " (without slot)" };
            format!("lock {}{slot}", ["A", "B", "C", "D"][*place])
        };
        match self {
            Self::Happens(lock, happening) => write!(f, "{}: {happening:?}", name(lock)),
            Self::Replaced(lock) => write!(f, "{} is dropped, and another made there", name(lock)),
            Self::Leaked(lock) => write!(f, "{} is forgotten, and another made", name(lock)),
            Self::Moved(lock) => write!(f, "{} moves", name(lock)),
            Self::Counted => f.write_str("a thread asks for a countdown"),
            Self::Looked => f.write_str("snapshot"),
            Self::Configured(period) => write!(f, "configure the period to be {period}"),
            Self::Misconfigured => f.write_str("configure a key that there is not"),
            Self::Started => f.write_str("start"),
            Self::Stopped => f.write_str("stop"),
        }
    }
}

impl fmt::Debug for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, site, mode, weight, wait, hold_ns, thread } = self;
        match *kind {
            EventKind::RELEASED => write!(f, "{}, held {hold_ns} ns", mode.as_str())?,
            EventKind::FAILED => write!(f, "{} tried in vain", mode.as_str())?,
            EventKind::IDLE => f.write_str("idle")?,
            EventKind(other) => write!(f, "an event of the unknown kind {other}")?,
        }
        if let Some((holder, ns)) = wait {
            write!(f, ", after {ns} ns behind call site {holder}")?;
        }
        write!(f, ", at call site {site}, weight {weight}, by thread {thread}")
    }
}

/// Duration and weight such that sums of them are exact.
fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        12 => Just(EventKind::RELEASED),
        2 => Just(EventKind::FAILED),
        2 => Just(EventKind::IDLE),
        1 => Just(NEW_KIND),
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

/// A history, of which the shortest that fails is found.
pub(super) fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        24 => (0..LOCKS, happening()).prop_map(|(lock, what)| Step::Happens(lock, what)),
        4 => (0..LOCKS).prop_map(Step::Replaced),
        1 => (0..LOCKS).prop_map(Step::Leaked),
        1 => (0..LOCKS).prop_map(Step::Moved),
        1 => Just(Step::Counted),
        2 => Just(Step::Looked),
        1 => prop_oneof![Just(1), Just(8), Just(64)].prop_map(Step::Configured),
        1 => Just(Step::Misconfigured),
        2 => Just(Step::Started),
        1 => Just(Step::Stopped),
    ];
    proptest::collection::vec(step, 0..80)
}
