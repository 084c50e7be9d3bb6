// `Mutex` and `RwLock`, every method and trait.

use family::{
    Arc, LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    TryLockError, TryLockResult,
};

use crate::swap::{Found, panic_of};

static COUNT: Mutex<u32> = Mutex::new(0);
static TABLE: RwLock<[u32; 2]> = RwLock::new([1, 2]);
#[expect(clippy::declare_interior_mutable_const, reason = "each use is to be a lock of its own")]
const FRESH: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static ROWS: [RwLock<Vec<u32>>; 2] = [const { RwLock::new(Vec::new()) }; 2];

pub(super) fn run(found: &mut Found) {
    mutex(found);
    broken_mutex(found);
    rwlock(found);
    broken_rwlock(found);
    unsized_data(found);
    errors(found);
    unwinding(found);
}

fn mutex(found: &mut Found) {
    // Each run of this text begins with the same value.
    *COUNT.lock().unwrap() = 1;
    *COUNT.lock().unwrap() += 1;
    find!(found: COUNT, COUNT.lock(), COUNT.try_lock(), COUNT.is_poisoned());
    let guard: MutexGuard<'_, u32> = COUNT.lock().unwrap();
    find!(found: guard, guard.to_string(), COUNT, COUNT.try_lock());
    drop(guard);
    let mut fresh = FRESH;
    fresh.get_mut().unwrap().push(1);
    find!(found: fresh, fresh.into_inner());
    find!(found: Mutex::from(1), Mutex::<u8>::default(), Into::<Mutex<&str>>::into("text"));
    let shared = Arc::new(Mutex::new(String::from("a")));
    std::thread::scope(|scope| scope.spawn(|| shared.lock().unwrap().push('b')).join().unwrap());
    find!(found: shared, Arc::into_inner(shared).map(Mutex::into_inner));
}

fn broken_mutex(found: &mut Found) {
    let mut mutex = Mutex::new(1);
    find!(found: panic_of(|| {
        let _guard = mutex.lock();
        panic!("with a guard");
    }));
    find!(found: mutex.is_poisoned(), mutex, mutex.lock(), mutex.try_lock(), mutex.get_mut());
    *mutex.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    match mutex.try_lock() {
        Err(TryLockError::Poisoned(mut poisoned)) => **poisoned.get_mut() += 1,
        other => find!(found: other),
    }
    find!(found: mutex.lock().map_err(|poisoned| **poisoned.get_ref()));
    mutex.clear_poison();
    find!(found: mutex.is_poisoned(), mutex.lock());
    find!(found: panic_of(|| mutex.lock().map(|_guard| panic!("once more"))));
    find!(found: mutex.into_inner());
}

fn rwlock(found: &mut Found) {
    *TABLE.write().unwrap() = [3, 4];
    find!(found: TABLE, TABLE.read(), TABLE.try_read(), TABLE.write(), TABLE.try_write());
    let read: RwLockReadGuard<'_, [u32; 2]> = TABLE.read().unwrap();
    find!(found: read, TABLE, TABLE.try_read(), TABLE.try_write());
    drop(read);
    let mut write: RwLockWriteGuard<'_, [u32; 2]> = TABLE.write().unwrap();
    write[0] += 1;
    find!(found: write, TABLE, TABLE.try_read(), TABLE.try_write());
    let read = RwLockWriteGuard::downgrade(write);
    find!(found: read, TABLE.try_read(), TABLE.try_write());
    drop(read);
    find!(found: RwLock::from(5).read().unwrap().to_string());
    find!(found: RwLock::new(5).write().unwrap().to_string());
    find!(found: RwLock::<u8>::default(), Into::<RwLock<&str>>::into("text"));
    for row in &ROWS {
        let mut row = row.write().unwrap();
        row.clear();
        row.push(1);
    }
    find!(found: ROWS);
    let mut owned = RwLock::new(1);
    *owned.get_mut().unwrap() += 1;
    find!(found: owned.is_poisoned(), owned.into_inner());
}

fn broken_rwlock(found: &mut Found) {
    let mut rwlock = RwLock::new(1);
    let panic_with = |hold: &dyn Fn()| panic_of(hold);
    find!(found: panic_with(&|| {
        let _read = rwlock.read();
        panic!("as a reader");
    }));
    find!(found: rwlock.is_poisoned());
    find!(found: panic_with(&|| {
        let _read = RwLockWriteGuard::downgrade(rwlock.write().unwrap());
        panic!("as a reader who wrote");
    }));
    find!(found: rwlock.is_poisoned());
    find!(found: panic_with(&|| {
        let _write = rwlock.write();
        panic!("as a writer");
    }));
    find!(found: rwlock.is_poisoned(), rwlock, rwlock.get_mut());
    find!(found: rwlock.read(), rwlock.try_read(), rwlock.write(), rwlock.try_write());
    let write = rwlock.write().unwrap_or_else(PoisonError::into_inner);
    find!(found: RwLockWriteGuard::downgrade(write));
    rwlock.clear_poison();
    find!(found: rwlock.read(), rwlock.into_inner());
}

fn unsized_data(found: &mut Found) {
    let boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2]));
    let shared: Arc<Mutex<dyn std::fmt::Debug>> = Arc::new(Mutex::new("text"));
    let borrowed: &RwLock<[u8]> = &RwLock::new([3, 4]);
    let text: std::rc::Rc<RwLock<dyn std::fmt::Display>> = std::rc::Rc::new(RwLock::new(7));
    boxed.lock().unwrap().reverse();
    find!(found: boxed, shared, borrowed, text.read().unwrap().to_string());
    find!(found: boxed.lock(), shared.try_lock(), borrowed.write(), borrowed.is_poisoned());
}

fn errors(found: &mut Found) {
    let mutex = Mutex::new(1);
    let mut texts = Vec::new();
    let guard = mutex.lock();
    let refused: TryLockResult<MutexGuard<'_, i32>> = mutex.try_lock();
    texts.push(refused.as_ref().unwrap_err().to_string());
    let error: &dyn std::error::Error = &refused.unwrap_err();
    texts.push(error.to_string());
    drop(guard);
    panic_of(|| mutex.lock().map(|_guard| panic!("with a guard")));
    let poisoned: LockResult<MutexGuard<'_, i32>> = mutex.lock();
    texts.push(poisoned.as_ref().unwrap_err().to_string());
    texts.push(TryLockError::from(poisoned.unwrap_err()).to_string());
    find!(found: texts);
    fn with_question_mark(mutex: &Mutex<i32>) -> Result<i32, PoisonError<MutexGuard<'_, i32>>> {
        Ok(*mutex.lock()?)
    }
    find!(found: with_question_mark(&mutex));
}

/// Locks while its thread unwinds.
struct LockAtTheEnd<'a>(&'a Mutex<u8>, &'a RwLock<u8>);

impl Drop for LockAtTheEnd<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
        *self.1.write().unwrap() += 1;
    }
}

fn unwinding(found: &mut Found) {
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    find!(found: panic_of(|| {
        let _end = LockAtTheEnd(&mutex, &rwlock);
        panic!("with a lock to take");
    }));
    find!(found: mutex, rwlock);
}
