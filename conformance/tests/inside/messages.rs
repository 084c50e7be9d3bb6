//! What a failure of the state machine says.

use lockscope_conformance::inside::model::agrees_with_the_naive_backend as test;

use crate::flaws::outcome;
use crate::plain::{self, Plain};

#[test]
fn the_shortest_history_is_told_as_a_person_would() {
    let dropped = outcome(test::<Plain<{ plain::DROPPED_LOCKS_STAY }>>);
    assert_eq!(
        dropped.expect_err("it has a flaw"),
        "\
plain does not say what a naive backend says, which writes everything down.

the lock without slot that was made at 102, call site 1, write:
  expected  samples 1; acquisitions 1; hold 0 ns, at most 0 ns, 1 in buckets
  observed  samples 2; acquisitions 2; hold 0 ns, at most 0 ns, 2 in buckets

The shortest history after which it is so:

  1. start
  2. lock C (without slot): write, held 0 ns, at call site 1, weight 1, by thread 1
  3. lock C (without slot) is dropped, and another made there
  4. lock C (without slot): write, held 0 ns, at call site 1, weight 1, by thread 1

To see it again: LOCKSCOPE_SEED=1 cargo test agrees_with_the_naive_backend"
    );
    let started = outcome(test::<Plain<{ plain::START_TWICE_IS_FINE }>>);
    assert_eq!(
        started.expect_err("it has a flaw"),
        "\
plain does not say what a naive backend says, which writes everything down.

a second start:
  expected  an error of the kind State
  observed  none

The shortest history after which it is so:

  1. start
  2. start

To see it again: LOCKSCOPE_SEED=1 cargo test agrees_with_the_naive_backend"
    );
}
