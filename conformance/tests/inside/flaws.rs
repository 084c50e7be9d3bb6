//! Each flaw is found, by the test that is named here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::plain::{self, Plain};

/// What a test says of a backend: nothing, or why it fails.
pub(crate) fn outcome(test: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(test)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

macro_rules! caught {
    ($($test:path: $($flaw:ident),*;)*) => {
        /// The flaw, and what the test that is to find it says.
        fn outcomes() -> Vec<(&'static str, &'static str, Result<(), String>)> {
            vec![$($((
                stringify!($flaw),
                stringify!($test),
                {
                    use $test as test;
                    outcome(test::<Plain<{ plain::$flaw }>>)
                },
            ),)*)*]
        }
    };
}

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
caught! {
    lockscope_conformance::inside::model::agrees_with_the_naive_backend:
        FAILED_TRIES_COUNT, UNKNOWN_KINDS_COUNT, EVENTS_COUNT_TWICE, READERS_ARE_WRITERS,
        WEIGHTS_ARE_IGNORED, VARIANCE_IS_WEIGHT_SQUARED, WAITS_ARE_CHARGED_TO_THE_WAITER,
        DROPPED_LOCKS_ARE_FORGOTTEN, DROPPED_LOCKS_STAY, START_KEEPS_WHAT_WAS,
        START_TWICE_IS_FINE, STOP_FORGETS, LOOKS_TAKE_AWAY, ANY_KEY_IS_FINE,
        THREADS_GET_NO_COUNTDOWN, LOCKS_ARE_THEIR_ADDRESS, THE_LAST_IS_THE_LONGEST;
    lockscope_conformance::inside::identity::a_dropped_lock_and_another_at_its_address_are_two:
        DROPPED_LOCKS_ARE_FORGOTTEN, DROPPED_LOCKS_STAY;
    lockscope_conformance::inside::identity::locks_of_two_kinds_at_one_address_are_two:
        KINDS_ARE_ONE;
    lockscope_conformance::inside::identity::a_lock_with_slot_that_moves_stays_the_same:
        LOCKS_ARE_THEIR_ADDRESS;
    lockscope_conformance::inside::sessions::calls_at_the_wrong_time_are_errors_and_change_nothing:
        START_TWICE_IS_FINE, STOP_FORGETS;
    lockscope_conformance::inside::sessions::a_session_begins_empty_for_locks_that_are_there_already:
        START_KEEPS_WHAT_WAS;
}

#[cfg(any(lockscope_loom, lockscope_shuttle))]
caught! {
    lockscope_conformance::inside::models::owners_one_after_the_other_beside_a_look:
        EVENTS_COUNT_TWICE;
    lockscope_conformance::inside::models::readers_beside_each_other_and_a_look:
        EVENTS_COUNT_TWICE;
    lockscope_conformance::inside::models::readers_who_meet_a_lock_together:
        READS_THEN_WRITES, LOOKS_THEN_MAKES;
    lockscope_conformance::inside::models::waits_beside_each_other:
        READS_THEN_WRITES, CHARGES_IN_TWO_STEPS;
    lockscope_conformance::inside::models::locks_that_come_and_go_beside_a_look:
        LOOKS_IN_TWO_STEPS;
    lockscope_conformance::inside::models::a_place_that_one_lock_leaves_to_the_next:
        DROPPED_LOCKS_STAY, DROPPED_LOCKS_ARE_FORGOTTEN;
}

// Loom, with its weaker order, does not say what a look must show.
#[cfg(lockscope_shuttle)]
#[test]
fn models_find_what_a_look_misses() {
    use lockscope_conformance::inside::models;
    let missing =
        models::locks_that_come_and_go_beside_a_look::<Plain<{ plain::DROPS_IN_TWO_STEPS }>>;
    assert!(outcome(missing).is_err());
    let early = models::readers_beside_each_other_and_a_look::<Plain<{ plain::READS_THEN_WRITES }>>;
    assert!(outcome(early).is_err());
}

#[test]
fn models_and_tests_find_each_flaw() {
    let mut missed = Vec::new();
    for (flaw, test, outcome) in outcomes() {
        match outcome {
            Ok(()) => missed.push(format!("{flaw} is not found by {test}")),
            // It was not that what ought to happen never did.
            Err(why) => assert!(!why.contains("the outcomes were others"), "{flaw}, {test}: {why}"),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
