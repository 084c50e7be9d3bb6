// What the types promise without being used: variance, drop check, constness,
// trait impls, and that a glob import serves as well.

use std::fmt::{Debug, Display};
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use family::{
    LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use crate::swap::Found;

pub(super) fn run(found: &mut Found) {
    traits(found);
    graph(found);
    found.push(from_a_glob().to_string());
    find!(found: FROM_CONST_FN.lock(), nested().lock().unwrap().read());
    let mutex = Mutex::new(1);
    find!(found: shorter(mutex.lock().unwrap(), &mutex));
    let names = RwLock::new("static");
    let own = String::from("own");
    find!(found: either(names.read().unwrap(), &own));
}

// A guard may be used as one of a shorter borrow.
fn shorter<'long: 'short, 'short>(
    guard: MutexGuard<'long, u8>,
    _for_as_long_as: &'short Mutex<u8>,
) -> MutexGuard<'short, u8> {
    guard
}

// A reader's guard is covariant in its data, too.
fn either<'data>(
    guard: RwLockReadGuard<'_, &'static str>,
    other: &'data str,
) -> impl Debug + use<'data> {
    fn shorter<'guard, 'data>(
        guard: RwLockReadGuard<'guard, &'static str>,
    ) -> RwLockReadGuard<'guard, &'data str> {
        guard
    }
    let guard: RwLockReadGuard<'_, &'data str> = shorter(guard);
    [*guard, other]
}

fn writer<'long: 'short, 'short>(
    guard: RwLockWriteGuard<'long, u8>,
) -> RwLockWriteGuard<'short, u8> {
    guard
}

// Data that is borrowed for exactly as long as the lock lives.
#[derive(Default)]
struct Node<'a> {
    next: OnceLock<&'a Node<'a>>,
    peers: Mutex<Vec<&'a Node<'a>>>,
    watched: RwLock<Option<&'a Node<'a>>>,
}

fn graph(found: &mut Found) {
    let (first, second) = (Node::default(), Node::default());
    find!(found: first.next.set(&second).is_ok(), second.next.set(&first).is_ok());
    first.peers.lock().unwrap().push(&second);
    *second.watched.write().unwrap() = Some(&first);
    find!(found: first.peers.lock().unwrap().len(), second.watched.read().unwrap().is_some());
    drop(RwLock::new(0).write().map(writer));
}

const fn make(value: u32) -> Mutex<u32> {
    Mutex::new(value)
}
static FROM_CONST_FN: Mutex<u32> = make(7);

fn nested() -> Mutex<RwLock<u32>> {
    Mutex::new(RwLock::new(1))
}

fn lock<T: ?Sized + Debug + Send + Sync + UnwindSafe + RefUnwindSafe + Unpin>(_: &T) {}
fn read_guard<T: Deref<Target = u8> + Debug + Display + Sync>(_: &T) {}
fn write_guard<T: DerefMut<Target = u8> + Debug + Display + Sync + UnwindSafe>(_: &T) {}

fn traits(found: &mut Found) {
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    lock(&mutex);
    lock(&rwlock);
    lock(&OnceLock::<u8>::new());
    lock(&LazyLock::<u8>::default());
    write_guard(&mutex.lock().unwrap());
    read_guard(&rwlock.read().unwrap());
    write_guard(&rwlock.write().unwrap());
    let slices: (&Mutex<[u8]>, &RwLock<[u8]>) = (&Mutex::new([1]), &RwLock::new([1]));
    lock(slices.0);
    lock(slices.1);
    find!(found: PoisonError::new(1), slices);
}

fn from_a_glob() -> impl Display {
    use family::*;

    let (sender, receiver) = mpsc::sync_channel(1);
    let shared: Arc<(Mutex<u8>, Condvar)> = Arc::default();
    let once = Once::new();
    once.call_once(|| sender.send(*shared.0.lock().unwrap()).unwrap());
    shared.1.notify_all();
    Barrier::new(1).wait();
    let count = atomic::AtomicU8::new(receiver.recv().unwrap());
    count.load(atomic::Ordering::SeqCst)
}
