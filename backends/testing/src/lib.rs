//! Tests that backends have in common: a probe that makes everything up, a naive
//! backend to compare with, and what must hold of limits, sessions, identities
//! and threads.
//!
//! For the tests of backends alone, so that each is held to the same text. A
//! crate of its own, and not a feature of the one that backends are made of: what
//! ships must not be built with what only tests need.
//!
//! A backend's own test calls [`tests!`] with its type, and adds what only it
//! promises.
#![forbid(unsafe_code)]
// A model's atomics cannot be statics; and nothing here is a model.
#![cfg(not(lockscope_loom))]
#![allow(clippy::missing_panics_doc, reason = "a test that cannot go on has failed")]
#![allow(clippy::unwrap_used, reason = "as above")]

pub mod identity;
pub mod limits;
pub mod model;
pub mod period;
pub mod probe;
pub mod sessions;
pub mod threads;

/// All tests of this crate, for the backend of this type, which is to be named
/// by its whole path. Its configuration has at least the keys `period`,
/// `max_locks` and `max_sites`, and its period is what is configured.
///
/// `tests!(path::Backend, but for its period)` for one that begins with the
/// period that is configured and moves on from there.
#[macro_export]
macro_rules! tests {
    ($backend:ty) => {
        $crate::tests!($backend, period:
            it_can_be_changed_while_a_session_runs_and_nothing_else_can,
        );
        $crate::tests!($backend, but for its period);
    };
    ($backend:ty, but for its period) => {
        $crate::tests!($backend, identity:
            a_dropped_lock_and_another_at_its_address_are_two,
            locks_of_two_kinds_at_one_address_are_two,
            a_lock_without_slot_that_moves_becomes_another,
            a_lock_with_slot_that_moves_stays_the_same,
        );
        $crate::tests!($backend, limits:
            locks_beyond_the_limit_are_counted_as_lost,
            a_dropped_lock_makes_room_for_a_new_one,
            origins_beyond_the_limit_are_one,
            call_sites_beyond_the_limit_are_recorded_together,
            who_waited_for_whom_is_bounded_as_well,
        );
        $crate::tests!($backend, model: agrees_with_the_naive_backend);
        $crate::tests!($backend, sessions:
            a_value_that_cannot_be_used_is_named_with_those_that_can,
            the_default_period_is_in_force,
            calls_at_the_wrong_time_are_errors_and_change_nothing,
            a_session_begins_empty_for_locks_that_are_there_already,
            a_failed_try_of_a_lock_that_the_session_has_not_met_leaves_its_slot_alone,
        );
        $crate::tests!($backend, threads:
            owners_one_after_the_other,
            readers_beside_each_other_and_failed_tries_beside_writers,
            waits_at_the_same_time,
            a_snapshot_beside_threads_that_use_one_lock,
            a_snapshot_beside_locks_that_come_and_go,
        );
    };
    ($backend:ty, $module:ident: $($name:ident),* $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::$module::$name::<$backend>();
                }
            )*
        }
    };
}
