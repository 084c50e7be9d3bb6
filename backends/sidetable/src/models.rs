//! Model checks of the ways that threads remember: every interleaving of two
//! threads, one property each, and for each a twin with a bug seeded
//! into it. See `lockscope_core::exploration`. In a model there is one line.

use lockscope_backends::ledger::Use;
use lockscope_core::exploration::loom::sync::Arc;
use lockscope_core::exploration::loom::thread;
use lockscope_core::exploration::{Seen, must_fail};
use lockscope_core::sync::{AtomicBool, Ordering};

use crate::asked::{Asked, Name};
use crate::ways::{Way, Ways};

const CALL: Use = Use { site: 7, mode: 0 };

/// What a way leads to: whose place it is, and whether it is still there.
#[derive(Debug)]
struct Place {
    thread: u32,
    is_gone: AtomicBool,
}

impl Place {
    fn of(thread: u32) -> Self {
        Self { thread, is_gone: AtomicBool::new(false) }
    }
}

type Lines = Ways<Place, Place>;
type Find = for<'a> unsafe fn(&'a Lines, &Asked) -> Option<Way<'a, Place, Place>>;
type Remember = for<'a> fn(&'a Lines, &Asked, &Way<'_, Place, Place>);

/// The same lock and call site for all: only the thread differs.
fn asked(thread: u32) -> Asked {
    Asked { thread, lock: Name { number: 1, at: 0 }, call: CALL }
}

fn remember(lines: &Lines, by: Remember, place: &Place) {
    by(lines, &asked(place.thread), &Way { ledger: place, tally: place });
}

/// Two threads whose ways fall on one line: what the first finds after it has
/// remembered its own.
fn fight(find: Find, by: Remember, seen: Option<&'static Seen>) {
    let lines = Arc::new(Lines::default());
    // Longer than the model's threads: a way leads there until it is forgotten.
    let places = Arc::new([Place::of(1), Place::of(2)]);
    let threads = [0, 1].map(|index| {
        let (lines, places) = (lines.clone(), places.clone());
        thread::spawn(move || {
            let place = &places[index];
            remember(&lines, by, place);
            // SAFETY: this is the only thread of this number, and the places live.
            let way = unsafe { find(&lines, &asked(place.thread)) };
            for found in way.iter().flat_map(|way| [way.ledger, way.tally]) {
                assert_eq!(found.thread, place.thread, "another thread's place");
            }
            if let Some(seen) = seen {
                seen.note(if way.is_some() { "found" } else { "lost" });
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().expect("a thread of the model"));
}

#[test]
fn ways_lead_to_ones_own() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["found", "lost"], || fight(Lines::find, Lines::remember, Some(&SEEN)));
}

#[test]
fn ways_that_are_looked_at_once_are_caught() {
    must_fail(|| fight(Lines::find_with_a_bug, Lines::remember, None));
}

#[test]
fn ways_that_are_written_without_a_claim_are_caught() {
    must_fail(|| fight(Lines::find, Lines::remember_with_a_bug, None));
}

type Forget = fn(&Lines, &Asked);

/// A lock is dropped, and another made at its place, which the first thread uses;
/// meanwhile another thread takes the line. Whoever uses the new lock knows of it
/// from whoever dropped the old one, so here they are one.
fn drop_and_make(forget: Forget, seen: Option<&'static Seen>) {
    let lines = Arc::new(Lines::default());
    let places = Arc::new([Place::of(1), Place::of(2)]);
    remember(&lines, Lines::remember, &places[0]);
    let neighbour = {
        let (lines, places) = (lines.clone(), places.clone());
        thread::spawn(move || {
            remember(&lines, Lines::remember, &places[1]);
            // SAFETY: as in `fight`.
            let way = unsafe { Lines::find(&lines, &asked(2)) };
            if let Some(seen) = seen {
                seen.note(if way.is_some() { "taken" } else { "not taken" });
            }
        })
    };
    let owner = thread::spawn(move || {
        forget(&lines, &asked(1));
        places[0].is_gone.store(true, Ordering::Relaxed);
        // SAFETY: as in `fight`; whether the place is gone is what is asked.
        let way = unsafe { Lines::find(&lines, &asked(1)) };
        let is_gone = way.map(|way| way.ledger.is_gone.load(Ordering::Relaxed));
        assert_ne!(is_gone, Some(true), "a way to what is gone");
    });
    for thread in [neighbour, owner] {
        thread.join().expect("a thread of the model");
    }
}

#[test]
fn ways_to_a_dropped_lock_are_not_found() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["not taken", "taken"], || drop_and_make(Lines::forget, Some(&SEEN)));
}

#[test]
fn ways_that_are_not_forgotten_are_caught() {
    must_fail(|| drop_and_make(|_, _| (), None));
}
