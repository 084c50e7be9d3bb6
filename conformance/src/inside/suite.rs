//! The macro that makes tests of all this.

/// The inside door: tests of a backend, which is named by its whole path. See
/// [`inside`](crate::inside) for what they are, and for the groups that may follow.
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
#[macro_export]
macro_rules! suite {
    ($backend:ty $(, $group:ident)* $(,)?) => {
        $crate::suite!(@ $backend, identity:
            a_dropped_lock_and_another_at_its_address_are_two,
            locks_of_two_kinds_at_one_address_are_two,
            a_lock_without_slot_that_moves_becomes_another,
            a_lock_with_slot_that_moves_stays_the_same,
        );
        $crate::suite!(@ $backend, model: agrees_with_the_naive_backend);
        $crate::suite!(@ $backend, sessions:
            calls_at_the_wrong_time_are_errors_and_change_nothing,
            a_session_begins_empty_for_locks_that_are_there_already,
            a_failed_try_of_a_lock_that_the_session_has_not_met_leaves_its_slot_alone,
        );
        $crate::suite!(@ $backend, threads:
            owners_one_after_the_other,
            readers_beside_each_other_and_failed_tries_beside_writers,
            waits_at_the_same_time,
            a_snapshot_beside_threads_that_use_one_lock,
            a_snapshot_beside_locks_that_come_and_go,
        );
        $($crate::suite!(@@ $backend, $group);)*
    };
    (@@ $backend:ty, settings) => {
        $crate::suite!(@ $backend, settings:
            a_value_that_cannot_be_used_is_named_with_those_that_can,
            the_default_period_is_in_force,
        );
    };
    (@@ $backend:ty, limits) => {
        $crate::suite!(@ $backend, limits:
            locks_beyond_the_limit_are_counted_as_lost,
            a_dropped_lock_makes_room_for_a_new_one,
            origins_beyond_the_limit_are_one,
            call_sites_beyond_the_limit_are_recorded_together,
            who_waited_for_whom_is_bounded_as_well,
        );
    };
    (@@ $backend:ty, period) => {
        $crate::suite!(@ $backend, period:
            it_can_be_changed_while_a_session_runs_and_nothing_else_can,
        );
    };
    (@@ $backend:ty, $group:ident) => {
        compile_error!(concat!(
            "there is no group '", stringify!($group), "'; the groups are settings, limits, period"
        ));
    };
    (@ $backend:ty, $module:ident: $($name:ident),* $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::inside::$module::$name::<$backend>();
                }
            )*
        }
    };
}

/// The inside door in a build for models: see [`inside`](crate::inside).
#[cfg(any(lockscope_loom, lockscope_shuttle))]
#[macro_export]
macro_rules! suite {
    ($backend:ty $(, $group:ident)* $(,)?) => {
        mod models {
            $crate::suite!(@ $backend:
                owners_one_after_the_other_beside_a_look,
                readers_beside_each_other_and_a_look,
                readers_who_meet_a_lock_together,
                waits_beside_each_other,
                locks_that_come_and_go_beside_a_look,
                a_place_that_one_lock_leaves_to_the_next,
            );
            $($crate::suite!(@@ $backend, $group);)*
        }
    };
    (@@ $backend:ty, limits) => {
        $crate::suite!(@ $backend: the_last_room_is_for_all_readers_of_a_lock);
    };
    // What two threads are not needed for, models say nothing of.
    (@@ $backend:ty, $group:ident) => {};
    (@ $backend:ty: $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                $crate::inside::models::$name::<$backend>();
            }
        )*
    };
}
