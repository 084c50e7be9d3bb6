//! Lock ids: no two locks have one, no lock has two, and none comes again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;

use lockscope::parking_lot::{self, slotless};
use lockscope::sync;
use lockscope_host::report::model::ReportFile;
use proptest::prelude::*;

use crate::locks::{Lock, Mode};
use crate::support::{backend, for_each_backend, introduce_probe, turn};

/// The ids of all locks that live, by their names; those of locks without slot,
/// which have none, under the empty one.
fn ids(report: &ReportFile) -> BTreeMap<String, BTreeSet<u64>> {
    let mut ids: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for lock in report.locks.iter().filter(|lock| lock.id != 0) {
        let of_name = ids.entry(lock.name.clone().unwrap_or_default()).or_default();
        assert!(of_name.insert(lock.id), "{} twice", lock.id);
    }
    ids
}

/// Many threads meet at each of some locks which nobody has touched before.
fn meet<L: Lock>(name: &str, locks: &'static str, mode: Mode) {
    const THREADS: usize = 4;
    const LOCKS: usize = 200;
    let _turn = turn();
    introduce_probe();
    let locks: Vec<L> = (0..LOCKS).map(|_| L::named(locks)).collect();
    let profiler = backend(name, 1).start().unwrap();
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for lock in &locks {
                    together.wait();
                    lock.hold(mode, || ());
                }
            });
        }
    });
    let report = profiler.stop().unwrap();
    assert_eq!(report.locks.len(), LOCKS);
    let ids: BTreeSet<u64> = report.locks.iter().map(|lock| lock.id).collect();
    assert_eq!((ids.len(), ids.contains(&0)), (LOCKS, false));
    for lock in &report.locks {
        assert_eq!(lock.acquisitions(), THREADS as f64, "{lock:?}");
    }
}

fn a_mutex_has_one_id_for_all_threads(name: &str) {
    meet::<sync::Mutex<()>>(name, "met", Mode::Write);
}

/// Readers may ask for the id of a lock at the same time.
fn a_rwlock_has_one_id_for_all_readers(name: &str) {
    meet::<parking_lot::RwLock<()>>(name, "met", Mode::Read);
}

fn a_lock_without_slot_has_one_id_for_all_readers(name: &str) {
    meet::<slotless::RwLock<()>>(name, "", Mode::Read);
}

/// What may happen to one of a few places where locks are.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A new lock, at the address of an old one if the allocator likes.
    Make,
    Drop,
    Lock,
}

/// A place for a lock of either kind: with a slot, and without one.
#[derive(Default)]
struct Place {
    named: Option<Box<sync::Mutex<()>>>,
    bare: Option<Box<slotless::Mutex<()>>>,
    name: &'static str,
}

/// Names that no other lock of the process has had.
fn fresh_name() -> &'static str {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("lock {}", NEXT.fetch_add(1, Ordering::Relaxed)).leak()
}

impl Place {
    fn act(&mut self, act: Act) {
        match act {
            Act::Make => {
                let name = fresh_name();
                // First the old ones go, so that their addresses are free.
                self.act(Act::Drop);
                let (named, bare) = (Lock::named(name), Lock::named(""));
                *self = Self { named: Some(Box::new(named)), bare: Some(Box::new(bare)), name };
            }
            Act::Drop => *self = Self::default(),
            Act::Lock => {
                drop(self.named.as_ref().map(|lock| lock.lock()));
                drop(self.bare.as_ref().map(|lock| lock.lock()));
            }
        }
    }
}

/// What is known of ids: whose they are, or that they are nobody's any more.
#[derive(Default)]
struct Known {
    of_name: BTreeMap<String, u64>,
    /// Of locks without slot, session by session: there nobody can know them
    /// again in the next.
    bare: BTreeSet<u64>,
    earlier: BTreeSet<u64>,
}

impl Known {
    /// Compares a report with what is known, and with what lives.
    fn check(&mut self, report: &ReportFile, places: &[Place]) {
        let mut ids = ids(report);
        let bare = ids.remove("").unwrap_or_default();
        assert!(bare.is_disjoint(&self.earlier), "{bare:?} were gone");
        let living = places.iter().filter(|place| place.bare.is_some()).count();
        assert!(bare.len() <= living, "{bare:?} of {living} locks");
        // Who was there and is no more never comes again.
        self.earlier.extend(self.bare.difference(&bare));
        self.bare = bare;
        for (name, ids) in ids {
            assert!(places.iter().any(|place| place.name == name), "{name} does not live");
            let [id] = ids.into_iter().collect::<Vec<_>>()[..] else { panic!("{name} is two") };
            assert_eq!(*self.of_name.entry(name).or_insert(id), id);
        }
        let all: BTreeSet<u64> = self.of_name.values().copied().collect();
        assert_eq!(all.len(), self.of_name.len(), "two locks share an id");
        assert!(all.is_disjoint(&self.bare) && all.is_disjoint(&self.earlier));
    }
}

fn acts() -> impl Strategy<Value = Vec<(Act, usize)>> {
    let act = prop_oneof![3 => Just(Act::Make), 1 => Just(Act::Drop), 4 => Just(Act::Lock)];
    proptest::collection::vec((act, 0..3_usize), 1..40)
}

/// Some sessions, with a look at each after whatever happens, and locks that come
/// and go within and between them.
fn an_id_is_one_locks_for_ever(name: &str) {
    let acts = proptest::collection::vec((acts(), acts()), 1..4);
    let config =
        ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(sessions in acts)| {
        let _turn = turn();
        let mut places: [Place; 3] = Default::default();
        let mut known = Known::default();
        for (within, between) in sessions {
            let profiler = backend(name, 1).start().unwrap();
            for (act, place) in within {
                places[place].act(act);
                known.check(&profiler.snapshot().unwrap(), &places);
            }
            known.check(&profiler.stop().unwrap(), &places);
            known.earlier.append(&mut known.bare);
            for (act, place) in between {
                places[place].act(act);
            }
        }
    });
}

for_each_backend!(
    a_mutex_has_one_id_for_all_threads,
    a_rwlock_has_one_id_for_all_readers,
    a_lock_without_slot_has_one_id_for_all_readers,
    an_id_is_one_locks_for_ever,
);
