//! Programs that must not compile, each with a twin that does. Documentation
//! tests, and nothing else: this module is there for them alone.
//!
//! rustdoc checks the codes on nightly; on stable it is the twin, which differs
//! in nothing but what is wrong, that shows what the failure is about. Which
//! types may be sent and shared is compared with the originals in
//! `tests/probe/*/likeness.rs`. (trybuild would compare whole messages, which
//! name private types of std's as they are in one release.)

/// A guard ends before its mutex.
///
/// ```compile_fail,E0505
/// let mutex = lockscope::sync::Mutex::new(0);
/// let guard = mutex.lock().unwrap();
/// drop(mutex);
/// drop(guard);
/// ```
///
/// ```
/// let mutex = lockscope::sync::Mutex::new(0);
/// let guard = mutex.lock().unwrap();
/// drop(guard);
/// drop(mutex);
/// ```
struct GuardPastItsMutex;

/// A guard ends before its reader-writer lock, in either mode and in both after
/// each other.
///
/// ```compile_fail,E0597
/// use lockscope::sync::{RwLock, RwLockWriteGuard};
///
/// let read = {
///     let rwlock = RwLock::new(0);
///     let write = rwlock.write().unwrap();
///     RwLockWriteGuard::downgrade(write)
/// };
/// drop(read);
/// ```
///
/// ```
/// use lockscope::sync::{RwLock, RwLockWriteGuard};
///
/// let rwlock = RwLock::new(0);
/// let read = {
///     let write = rwlock.write().unwrap();
///     RwLockWriteGuard::downgrade(write)
/// };
/// drop(read);
/// ```
struct GuardPastItsRwLock;

/// A condition wait gives back a guard of the same mutex.
///
/// ```compile_fail,E0505
/// use lockscope::sync::{Condvar, Mutex};
///
/// let (mutex, condvar) = (Mutex::new(0), Condvar::new());
/// let guard = condvar.wait_while(mutex.lock().unwrap(), |_| false).unwrap();
/// drop(mutex);
/// drop(guard);
/// ```
///
/// ```
/// use lockscope::sync::{Condvar, Mutex};
///
/// let (mutex, condvar) = (Mutex::new(0), Condvar::new());
/// let guard = condvar.wait_while(mutex.lock().unwrap(), |_| false).unwrap();
/// drop(condvar);
/// drop(guard);
/// ```
struct GuardPastACondition;

/// What a guard gives ends with it.
///
/// ```compile_fail,E0505
/// let mutex = lockscope::sync::Mutex::new(0);
/// let mut guard = mutex.lock().unwrap();
/// let value = &mut *guard;
/// drop(guard);
/// *value += 1;
/// ```
///
/// ```
/// let mutex = lockscope::sync::Mutex::new(0);
/// let mut guard = mutex.lock().unwrap();
/// let value = &mut *guard;
/// *value += 1;
/// drop(guard);
/// ```
struct DataPastItsGuard;

/// Nobody takes a lock apart that is held.
///
/// ```compile_fail,E0505
/// let mutex = lockscope::sync::Mutex::new(0);
/// let guard = mutex.lock().unwrap();
/// let value = mutex.into_inner().unwrap();
/// drop(guard);
/// assert_eq!(value, 0);
/// ```
///
/// ```
/// let mutex = lockscope::sync::Mutex::new(0);
/// let guard = mutex.lock().unwrap();
/// drop(guard);
/// let value = mutex.into_inner().unwrap();
/// assert_eq!(value, 0);
/// ```
struct TakenApartWhileHeld;

/// A mutex shares what may be sent.
///
/// ```compile_fail,E0277
/// let mutex = lockscope::sync::Mutex::new(std::rc::Rc::new(0));
/// std::thread::scope(|scope| scope.spawn(|| drop(mutex.lock())).join()).unwrap();
/// ```
///
/// ```
/// let mutex = lockscope::sync::Mutex::new(std::sync::Arc::new(0));
/// std::thread::scope(|scope| scope.spawn(|| drop(mutex.lock())).join()).unwrap();
/// ```
struct DataOfOneThread;

/// A reader-writer lock and a cell share what may be shared.
///
/// ```compile_fail,E0277
/// let rwlock = lockscope::sync::RwLock::new(std::cell::Cell::new(0));
/// std::thread::scope(|scope| scope.spawn(|| drop(rwlock.read())).join()).unwrap();
/// ```
///
/// ```compile_fail,E0277
/// let cell = lockscope::sync::OnceLock::from(std::cell::Cell::new(0));
/// std::thread::scope(|scope| scope.spawn(|| drop(cell.get())).join()).unwrap();
/// ```
///
/// ```
/// let rwlock = lockscope::sync::RwLock::new(0);
/// std::thread::scope(|scope| scope.spawn(|| drop(rwlock.read())).join()).unwrap();
/// let cell = lockscope::sync::OnceLock::from(0);
/// std::thread::scope(|scope| scope.spawn(|| drop(cell.get())).join()).unwrap();
/// ```
struct DataNotToBeShared;

/// A guard that is not kept unlocks at once, and the compiler says so.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// let rwlock = lockscope::sync::RwLock::new(0);
/// let write = rwlock.write().unwrap();
/// lockscope::sync::RwLockWriteGuard::downgrade(write);
/// ```
///
/// ```
/// #![deny(unused_must_use)]
/// let rwlock = lockscope::sync::RwLock::new(0);
/// let write = rwlock.write().unwrap();
/// let _read = lockscope::sync::RwLockWriteGuard::downgrade(write);
/// ```
struct GuardNotKept;

/// Guards of the parking_lot family may be sent if its feature says so.
#[cfg_attr(feature = "send_guard", doc = "```")]
#[cfg_attr(not(feature = "send_guard"), doc = "```compile_fail,E0277")]
/// static MUTEX: lockscope::parking_lot::Mutex<u32> = lockscope::parking_lot::Mutex::new(0);
/// let guard = MUTEX.lock();
/// std::thread::spawn(move || drop(guard)).join().unwrap();
/// ```
///
/// ```
/// static MUTEX: lockscope::parking_lot::Mutex<u32> = lockscope::parking_lot::Mutex::new(0);
/// let guard = MUTEX.lock();
/// std::thread::scope(|scope| scope.spawn(|| assert_eq!(*guard, 0)).join()).unwrap();
/// ```
#[cfg(feature = "parking_lot")]
struct ParkingLotGuard;

/// Those that own their thread may not, whatever the feature says.
///
/// ```compile_fail,E0277
/// use lockscope::parking_lot::ReentrantMutex;
///
/// static MUTEX: ReentrantMutex<u32> = ReentrantMutex::new(0);
/// let guard = MUTEX.lock();
/// std::thread::spawn(move || drop(guard)).join().unwrap();
/// ```
///
/// ```
/// use lockscope::parking_lot::ReentrantMutex;
///
/// static MUTEX: ReentrantMutex<u32> = ReentrantMutex::new(0);
/// std::thread::spawn(move || drop(MUTEX.lock())).join().unwrap();
/// ```
#[cfg(feature = "parking_lot")]
struct ReentrantGuard;
