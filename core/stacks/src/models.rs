//! Model checks: every interleaving of two or three threads, one property each, and
//! for each a twin with a bug seeded into it. See `lockscope_core::exploration`.

use lockscope_core::exploration::loom::cell::UnsafeCell;
use lockscope_core::exploration::loom::sync::Arc;
use lockscope_core::exploration::loom::thread;
use lockscope_core::exploration::{Seen, must_fail};
use lockscope_core::sync::{AtomicU32, Ordering};

use crate::End;
use crate::store::{Stack, Store};
use crate::turn::Turn;

// store: a stack has one number, and whoever has the number finds the stack.

type Publish = fn(&AtomicU32, u32) -> Result<(), u32>;
const FRAMES: [u64; 1] = [7];

/// Two threads keep stacks, of sites that are the same or not, and read what they have.
fn keep(sites: [usize; 2], publish: Option<Publish>, note: impl Fn(&'static str)) {
    let store = Arc::new(Store::new(2).expect("room"));
    let threads = sites.map(|site| {
        let store = store.clone();
        thread::spawn(move || {
            let stack = Stack { site, frames: &FRAMES, end: End::Whole };
            let found = store.find(&stack);
            let number = match publish {
                Some(publish) => store.keep_by(&stack, 0, publish),
                None => store.keep(&stack, 0),
            };
            let number = number.expect("there is room");
            let kept = store.get(number as usize).expect("it is kept");
            assert_eq!((kept.site, &*kept.frames), (site, &FRAMES[..]));
            assert!(found.is_none_or(|found| found == number));
            (number, found.is_some())
        })
    });
    let [one, other] = threads.map(|thread| thread.join().expect("a thread of the model"));
    if sites[0] == sites[1] {
        assert_eq!(one.0, other.0, "one stack has two numbers");
        note(if one.1 || other.1 { "found" } else { "raced" });
    } else {
        assert_ne!(one.0, other.0, "one number has two stacks");
    }
}

#[test]
fn store_gives_a_stack_one_number() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["found", "raced"], || keep([5, 5], None, |outcome| SEEN.note(outcome)));
}

#[test]
fn store_gives_two_stacks_two_numbers() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["kept"], || {
        keep([5, 6], None, |_| ());
        SEEN.note("kept");
    });
}

#[test]
fn store_without_asking_who_was_faster_is_caught() {
    fn publish(place: &AtomicU32, number: u32) -> Result<(), u32> {
        place.store(number, Ordering::Release);
        Ok(())
    }
    must_fail(|| keep([5, 5], Some(publish), |_| ()));
}

#[test]
fn store_that_does_not_publish_the_words_is_caught() {
    fn publish(place: &AtomicU32, number: u32) -> Result<(), u32> {
        place.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed).map(drop)
    }
    must_fail(|| keep([5, 5], Some(publish), |_| ()));
}

// turn: what was replaced is in nobody's hands once everybody was idle.

/// One thread reads what stands in `current`, in its turn; another replaces it and
/// takes the old one away.
fn replace(was_idle: fn(&Turn) -> bool, note: impl Fn(&'static str) + 'static) {
    let turn = Arc::new(Turn::default());
    let current = Arc::new(AtomicU32::new(0));
    let values = Arc::new([UnsafeCell::new(()), UnsafeCell::new(())]);
    let reader = {
        let (turn, current, values) = (turn.clone(), current.clone(), values.clone());
        thread::spawn(move || {
            if !turn.take() {
                return "busy";
            }
            let found = current.load(Ordering::Acquire);
            // loom reports an access that is not ordered with the other's.
            values[found as usize].with(|_| ());
            turn.give_back();
            if found == 0 { "old" } else { "new" }
        })
    };
    let writer = thread::spawn(move || {
        current.swap(1, Ordering::AcqRel);
        if was_idle(&turn) {
            values[0].with_mut(|_| ());
        }
    });
    note(reader.join().expect("the reader"));
    writer.join().expect("the writer");
}

#[test]
fn turn_lets_nobody_keep_what_was_replaced() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["busy", "new", "old"], || {
        replace(Turn::was_idle, |outcome| SEEN.note(outcome));
    });
}

#[test]
fn turn_that_is_only_looked_at_is_caught() {
    must_fail(|| replace(Turn::was_idle_with_a_bug, |_| ()));
}
