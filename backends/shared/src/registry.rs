//! All records of a session, and the way from a lock to its own.

use lockscope_core::clock::ClockScale;
use lockscope_core::pad::Lent;
use lockscope_core::report::Report;
use lockscope_core::sync::{
    Arc, AtomicU32, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError,
};
use lockscope_core::{Event, LockKind, LockRef, Session};

use crate::ledger::Use;
use crate::map::Map;
use crate::record::{Kept, Origin, Record};
use crate::report::{self, Losses};

/// What a slot says of a lock that got no record.
const REFUSED: u64 = 1;
const _: () = assert!(align_of::<Record<()>>() > REFUSED as usize);

/// By what a lock is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// A lock with a slot: by its id.
    Id(u64),
    /// A lock without one: by the probe that sees it, where it is, and what it
    /// is. Of another kind, it is another lock that came to the same place.
    Place(u32, usize, LockKind),
}

impl Key {
    fn of(lock: &LockRef) -> Self {
        match lock.id {
            0 => Self::Place(lock.probe, lock.address, lock.kind),
            id => Self::Id(id),
        }
    }
}

/// How much may be told apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// So many locks have a record at one time.
    pub locks: u32,
    /// So many call sites of one lock have a place of their own.
    pub sites: u32,
}

/// The records of the running session, or of the last.
#[derive(Debug, Default)]
pub struct Registry<K: Kept = ()> {
    max_locks: AtomicU32,
    max_sites: AtomicU32,
    /// Of locks that live, and of those that failed tries have named.
    living: Map<Key, Record<K>>,
    /// Of locks that were dropped, folded by origin.
    dropped: Map<Origin, Record<K>>,
    /// Records in both.
    count: AtomicUsize,
    /// Operations of locks without record: weighted.
    refused: AtomicU64,
    /// Operations whose call site has no place of its own: weighted.
    merged: AtomicU64,
    /// Held while a lock moves from `living` to `dropped`, and while somebody
    /// makes a list of both: so that nothing is listed twice, or not at all.
    folding: Mutex<()>,
    /// Gives ids to locks without slot; none before the first session.
    next_lock_id: Mutex<Option<NextLockId>>,
}

type NextLockId = extern "C" fn() -> u64;

impl<K: Kept> Registry<K> {
    /// Empties it for a session. No hook runs.
    pub fn start(&self, session: &Session, limits: Limits) {
        self.living.clear();
        self.dropped.clear();
        for count in [&self.refused, &self.merged] {
            count.store(0, Ordering::Relaxed);
        }
        self.count.store(0, Ordering::Relaxed);
        self.max_locks.store(limits.locks, Ordering::Relaxed);
        self.max_sites.store(limits.sites, Ordering::Relaxed);
        *guarded(&self.next_lock_id) = Some(session.next_lock_id);
    }

    /// Lets `act` have the record of `lock`, to which the lock's slot leads
    /// from then on; what it answers. An operation of a lock without record is
    /// counted with `weight`, and the answer is `None`.
    ///
    /// # Safety
    ///
    /// - `lock` comes from a probe, within the call that it was handed to, in
    ///   the session that was started last, and in a generation that began after
    ///   the last call of [`Registry::fold`].
    /// - Nobody but this writes the state word of its slot.
    #[inline]
    pub unsafe fn with<R>(
        &self,
        lock: &LockRef,
        weight: u32,
        act: impl FnOnce(&Record<K>) -> R,
    ) -> Option<R> {
        match lock.state {
            0 => self.with_new(lock, weight, act),
            REFUSED => {
                self.refuse(weight);
                None
            }
            // SAFETY:
            // - the word is one that `with_new` put into the slot in this
            //   generation: the address of a record in `living`;
            // - records stay there until their lock is dropped, which it is not
            //   while a call speaks of it, or until `fold` takes them or the next
            //   session starts, neither of which happens while hooks run.
            record => Some(act(unsafe { &*(record as usize as *const Record<K>) })),
        }
    }

    /// Writes `event` down in the ledger of `record`, its lock's only one.
    #[inline]
    pub fn note(&self, record: &Record<K>, event: &Event) {
        if !record.ledger.note(event, self.sites()) {
            self.note_merged(event.weight);
        }
    }

    /// A pad for what `event`, which has just been [noted](Registry::note), was
    /// one of; none if its lock has no record, or its call site no place of its
    /// own.
    ///
    /// # Safety
    ///
    /// - Those of [`Registry::with`].
    /// - All events of the lock are noted by [`Registry::note`].
    pub unsafe fn lend(&self, event: &Event) -> Option<Lent> {
        let lend = |record: &Record<K>| {
            let place = record.ledger.place_of(Use::of(event), self.sites());
            // SAFETY: records, and what is in them, live until their lock is
            // dropped or `fold` or the next session takes them; and `note` writes
            // what an exclusive owner did for that owner.
            (!place.merged).then(|| unsafe { place.node.value.lend() })
        };
        // SAFETY: by the caller's promise.
        unsafe { self.with(&event.lock, 0, lend) }.flatten()
    }

    /// Notes that an operation's call site had no place of its own.
    #[inline]
    pub fn note_merged(&self, weight: u32) {
        self.merged.fetch_add(u64::from(weight), Ordering::Relaxed);
    }

    /// How many call sites of one lock are told apart.
    #[inline]
    #[must_use]
    pub fn sites(&self) -> u32 {
        self.max_sites.load(Ordering::Relaxed)
    }

    #[cold]
    fn with_new<R>(
        &self,
        lock: &LockRef,
        weight: u32,
        act: impl FnOnce(&Record<K>) -> R,
    ) -> Option<R> {
        // SAFETY: the caller of `with` answers for the lock.
        let record = unsafe { self.record_of(lock, weight) };
        // SAFETY: as above.
        if let Some(slot) = unsafe { lock.slot() } {
            match &record {
                // Release: publishes the record to whoever is shown the word. All who
                // have found one at one time have found the same.
                //
                // An exchange, although what was there does not matter: loom does
                // not know that no store comes between an exchange and what that
                // has read.
                Some(record) => {
                    let address = Arc::as_ptr(record) as usize as u64;
                    slot.state().swap(address, Ordering::Release);
                }
                // Another may have found the last room for this lock meanwhile.
                // Relaxed: nothing hangs on the word. Model:
                // `the_last_room_is_for_all_readers_of_a_lock`.
                None => {
                    let relaxed = Ordering::Relaxed;
                    let _ = slot.state().compare_exchange(0, REFUSED, relaxed, relaxed);
                }
            }
        }
        record.map(|record| act(&record))
    }

    /// The record of `lock`, found by its id or place; none if there is no room
    /// for it, and then an operation is counted with `weight`.
    ///
    /// # Safety
    ///
    /// - `lock` comes from a probe, within the call that it was handed to.
    pub unsafe fn record_of(&self, lock: &LockRef, weight: u32) -> Option<Arc<Record<K>>> {
        let record = self.find_or_make(lock);
        if record.is_none() {
            self.refuse(weight);
        }
        record
    }

    fn find_or_make(&self, lock: &LockRef) -> Option<Arc<Record<K>>> {
        let key = Key::of(lock);
        if let Some(record) = self.living.get(&key) {
            return Some(record);
        }
        if !self.reserve() {
            return None;
        }
        let make = || Record::new(self.id_of(lock), Origin::of(lock));
        let (record, is_new) = self.living.get_or_make(key, make);
        if !is_new {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        Some(record)
    }

    fn id_of(&self, lock: &LockRef) -> u64 {
        match (lock.id, *guarded(&self.next_lock_id)) {
            (0, Some(next)) => next(),
            (id, _) => id,
        }
    }

    /// Makes room for one record, if there may be one more.
    fn reserve(&self) -> bool {
        let limit = self.max_locks.load(Ordering::Relaxed) as usize;
        // The look first: who is refused at every operation only reads.
        if self.count.load(Ordering::Relaxed) >= limit {
            return false;
        }
        let has_room = self.count.fetch_add(1, Ordering::Relaxed) < limit;
        if !has_room {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        has_room
    }

    fn refuse(&self, weight: u32) {
        self.refused.fetch_add(u64::from(weight), Ordering::Relaxed);
    }

    /// `lock` is no more: what it has seen goes to those of its origin. Its
    /// record, of which nobody will hear any more, if it had one.
    pub fn drop_lock(&self, lock: &LockRef) -> Option<Arc<Record<K>>> {
        let key = Key::of(lock);
        if !self.living.has(&key) {
            return None;
        }
        let folding = guarded(&self.folding);
        self.fold_one(&folding, key)
    }

    /// What was seen of one lock goes to those of its origin.
    fn fold_one(&self, _: &MutexGuard<'_, ()>, key: Key) -> Option<Arc<Record<K>>> {
        let record = self.living.remove(&key)?;
        // The origin takes the place that the lock leaves, unless another lock
        // has been faster; then it is as if nothing were known of the origin.
        self.count.fetch_sub(1, Ordering::Relaxed);
        let known = self.dropped.has(&record.origin) || self.reserve();
        let origin = if known { record.origin } else { record.origin.unknown() };
        let (folded, _) = self.dropped.get_or_make(origin, || Record::new(0, origin));
        folded.absorb(&record, self.sites());
        Some(record)
    }

    /// What comes from now on to a place where a lock without slot was is
    /// another lock. The records of those that were are kept by their ids.
    ///
    /// For a backend that will not be told of dropped locks for a while. No hook
    /// runs.
    pub fn lose_sight(&self) {
        let _folding = guarded(&self.folding);
        for (place, record) in self.living.entries() {
            if matches!(place, Key::Place(..)) {
                self.living.remove(&place);
                self.living.insert(Key::Id(record.id), record);
            }
        }
    }

    /// What was seen of those locks goes to those of their origins, as if they
    /// were dropped. One of them that lives gets a new record when it is seen
    /// again.
    ///
    /// No hook runs, and each lock is met anew before the next one does: slots
    /// still lead to what is gone.
    pub fn fold(&self, is_over: impl Fn(&Record<K>) -> bool) {
        let folding = guarded(&self.folding);
        for (key, record) in self.living.entries() {
            if is_over(&record) {
                drop(record);
                self.fold_one(&folding, key);
            }
        }
        self.living.shrink();
    }

    /// How many records there are: of living locks, and of origins.
    #[must_use]
    pub fn records(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many samples were taken in the session. Exact while no hook runs.
    #[must_use]
    pub fn samples(&self) -> u64 {
        let _folding = guarded(&self.folding);
        let living = self.living.entries().into_iter().map(|(_, record)| record.samples());
        let dropped = self.dropped.entries().into_iter().map(|(_, record)| record.samples());
        living.chain(dropped).sum()
    }

    /// What the session has seen and lost so far; its ticks are `clock`'s.
    #[must_use]
    pub fn report(&self, clock: ClockScale) -> Report {
        let mut report = Report::default();
        // First, while nothing is folded, what was folded already; then what
        // lived at that moment.
        let living = {
            let _folding = guarded(&self.folding);
            let dropped = self.dropped.entries();
            dropped.iter().for_each(|(_, record)| report::add(&mut report, record, clock));
            self.living.entries()
        };
        living.iter().for_each(|(_, record)| report::add(&mut report, record, clock));
        let limits = Limits { locks: self.max_locks.load(Ordering::Relaxed), sites: self.sites() };
        let losses = Losses {
            limits,
            refused: self.refused.load(Ordering::Relaxed),
            merged: self.merged.load(Ordering::Relaxed),
        };
        report.losses.extend(losses.told());
        report
    }
}

fn guarded<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
