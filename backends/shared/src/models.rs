//! Model checks of what records are made of: every interleaving of two or
//! three threads, one property each, and for each a twin with a bug seeded
//! into it. See `lockscope_core::exploration`.

use lockscope_core::exploration::loom::alloc::Track;
use lockscope_core::exploration::loom::cell::UnsafeCell;
use lockscope_core::exploration::loom::sync::Arc;
use lockscope_core::exploration::loom::thread;
use lockscope_core::exploration::{Seen, must_fail};
use lockscope_core::sync::{AtomicPtr, AtomicU32, Ordering};

use crate::keyed::{self, Keyed, Limit, Node};
use crate::lazy::{self, Lazy};

/// A value of which loom tells when it is used before it is seen to be made,
/// and when it is never freed.
struct Value {
    made: UnsafeCell<()>,
    uses: AtomicU32,
    _freed: Track<()>,
}

// SAFETY: `made` is only ever read, through loom, which tells if it is not yet
// made for the reader.
unsafe impl Sync for Value {}

impl Default for Value {
    fn default() -> Self {
        Self { made: UnsafeCell::new(()), uses: AtomicU32::default(), _freed: Track::new(()) }
    }
}

impl Value {
    fn touch(&self) {
        self.made.with(|_| ());
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    fn uses(&self) -> u32 {
        self.uses.load(Ordering::Relaxed)
    }
}

/// Runs one thread for each of `acts`, on one `shared`.
fn race<S: 'static>(shared: &Arc<S>, acts: impl IntoIterator<Item = impl FnOnce(&S) + 'static>) {
    let threads: Vec<_> = acts
        .into_iter()
        .map(|act| {
            let shared = shared.clone();
            thread::spawn(move || act(&shared))
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread of the model");
    }
}

// lazy: makers that race get one value, and it is made for all who find it.

type Fill = fn(&AtomicPtr<Value>, *mut Value) -> Result<(), *mut Value>;

fn makers(fill: Fill) {
    let lazy = Arc::new(Lazy::<Value>::default());
    race(&lazy, [(); 2].map(|()| move |lazy: &Lazy<Value>| lazy.make_by(fill).touch()));
    assert_eq!(lazy.get().map(Value::uses), Some(2), "two values");
}

#[test]
fn lazy_makers_get_one_value() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["lost", "won"], || {
        makers(|place, fresh| {
            let published = lazy::publish(place, fresh);
            SEEN.note(if published.is_ok() { "won" } else { "lost" });
            published
        });
    });
}

#[test]
fn lazy_makers_that_store_are_caught() {
    must_fail(|| {
        makers(|place, fresh| {
            place.store(fresh, Ordering::Release);
            Ok(())
        });
    });
}

#[test]
fn lazy_loser_without_acquire_is_caught() {
    must_fail(|| {
        makers(|place, fresh| {
            let (stored, seen) = (Ordering::Release, Ordering::Relaxed);
            place.compare_exchange(core::ptr::null_mut(), fresh, stored, seen).map(drop)
        });
    });
}

/// One thread makes the value, another looks.
fn look(fill: Fill, seen: Option<&'static Seen>) {
    let lazy = Arc::new(Lazy::<Value>::default());
    let make = Box::new(move |lazy: &Lazy<Value>| lazy.make_by(fill).touch());
    let look = Box::new(move |lazy: &Lazy<Value>| {
        let found = lazy.get();
        found.iter().for_each(|value| value.touch());
        if let Some(seen) = seen {
            seen.note(if found.is_some() { "made" } else { "nothing" });
        }
    });
    race(&lazy, [make as Box<dyn FnOnce(&Lazy<Value>)>, look]);
}

#[test]
fn lazy_value_is_made_when_it_is_found() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["made", "nothing"], || look(lazy::publish, Some(&SEEN)));
}

#[test]
fn lazy_publication_without_release_is_caught() {
    must_fail(|| {
        let fill: Fill = |place, fresh| {
            let (stored, seen) = (Ordering::Relaxed, Ordering::Acquire);
            place.compare_exchange(core::ptr::null_mut(), fresh, stored, seen).map(drop)
        };
        look(fill, None);
    });
}

// keyed: adders that race share a node, keep the limit, and lose nothing.

type List = Keyed<u32, Value>;
type Prepend =
    fn(&AtomicPtr<Node<u32, Value>>, *mut Node<u32, Value>, *mut Node<u32, Value>) -> bool;

const CATCH_ALL: u32 = 0;

/// Two threads add a key each, to a list for one key.
fn adders(keys: [u32; 2], prepend: Prepend) -> Vec<(u32, u32)> {
    const ONE: Limit<u32> = Limit { keys: 1, catch_all: CATCH_ALL };
    let list = Arc::new(List::default());
    race(
        &list,
        keys.map(|key| move |list: &List| list.add_by(key, ONE, prepend).node.value.touch()),
    );
    let mut uses: Vec<_> = list.iter().map(|node| (node.key, node.value.uses())).collect();
    uses.sort_unstable();
    uses
}

fn share(prepend: Prepend) {
    assert_eq!(adders([1, 1], prepend), [(1, 2)], "one node, used twice");
}

#[test]
fn keyed_adders_of_one_key_share_its_node() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["lost", "won"], || {
        share(|head, seen, fresh| {
            let published = keyed::publish(head, seen, fresh);
            SEEN.note(if published { "won" } else { "lost" });
            published
        });
    });
}

fn store(
    head: &AtomicPtr<Node<u32, Value>>,
    _: *mut Node<u32, Value>,
    fresh: *mut Node<u32, Value>,
) -> bool {
    head.store(fresh, Ordering::Release);
    true
}

#[test]
fn keyed_adders_that_store_are_caught() {
    must_fail(|| share(store));
}

/// Of two keys where there is place for one, the second is merged.
fn limit(prepend: Prepend, seen: Option<&'static Seen>) {
    let outcome = match adders([1, 2], prepend)[..] {
        [(CATCH_ALL, 1), (1, 1)] => "two was merged",
        [(CATCH_ALL, 1), (2, 1)] => "one was merged",
        ref other => panic!("no limit holds: {other:?}"),
    };
    if let Some(seen) = seen {
        seen.note(outcome);
    }
}

#[test]
fn keyed_limit_holds() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["one was merged", "two was merged"], || limit(keyed::publish, Some(&SEEN)));
}

/// Publishes whatever the head is by now, behind what the caller saw.
#[test]
fn keyed_limit_by_a_look_too_early_is_caught() {
    must_fail(|| {
        limit(
            |head, _, fresh| {
                let mut seen = head.load(Ordering::Acquire);
                loop {
                    // The node's neighbour and number stay those of the first look.
                    match head.compare_exchange(seen, fresh, Ordering::Release, Ordering::Acquire) {
                        Ok(_) => return true,
                        Err(now) => seen = now,
                    }
                }
            },
            None,
        )
    });
}

/// Two threads add a key each, and a third reads what it finds.
fn read(prepend: Prepend, seen: Option<&'static Seen>) {
    const TWO: Limit<u32> = Limit { keys: 2, catch_all: CATCH_ALL };
    let list = Arc::new(List::default());
    let add = |key| -> Box<dyn FnOnce(&List)> {
        Box::new(move |list: &List| list.add_by(key, TWO, prepend).node.value.touch())
    };
    let read = Box::new(move |list: &List| {
        let found = list.iter().inspect(|node| node.value.touch()).count();
        if let Some(seen) = seen {
            seen.note(["none", "one", "two"][found]);
        }
    });
    race(&list, [add(1), add(2), read]);
}

#[test]
fn keyed_nodes_are_made_when_they_are_found() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["none", "one", "two"], || read(keyed::publish, Some(&SEEN)));
}

#[test]
fn keyed_publication_without_release_is_caught() {
    must_fail(|| {
        let prepend: Prepend = |head, seen, fresh| {
            let relaxed = Ordering::Relaxed;
            head.compare_exchange(seen, fresh, relaxed, relaxed).is_ok()
        };
        read(prepend, None);
    });
}
