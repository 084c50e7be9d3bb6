//! The usual keys: what is said of a value that cannot be used, and what holds if
//! nobody says otherwise.

use lockscope_core::backend::{Backend, ErrorKind};

use super::probe::{settings, started};

fn refused<B: Backend>(key: &str, value: &str) -> String {
    let error = B::default().init(&settings(&[(key, value)])).expect_err("it cannot be used");
    assert_eq!(error.kind, ErrorKind::Setting);
    error.message.into_string()
}

/// In words that say what to do.
pub fn a_value_that_cannot_be_used_is_named_with_those_that_can<B: Backend>() {
    assert_eq!(
        refused::<B>("period", "0"),
        "the key 'period' must be a whole number from 1 to 1000000, and is '0'; correct it"
    );
    assert_eq!(
        refused::<B>("max_locks", "many"),
        "the key 'max_locks' must be a whole number from 1 to 10000000, and is 'many'; correct it"
    );
    assert_eq!(
        refused::<B>("max_sites", "-1"),
        "the key 'max_sites' must be a whole number from 1 to 10000, and is '-1'; correct it"
    );
}

/// What the backend says of itself holds if nobody says otherwise.
pub fn the_default_period_is_in_force<B: Backend>() {
    let description = B::describe();
    let period = description.keys.iter().find(|key| key.name == "period").expect("it has one");
    let period: u32 = period.default.parse().expect("a number");
    let backend: B = started(&[]);
    assert_eq!(backend.meet(None).weight, period);
    assert_eq!(backend.snapshot().expect("a session runs").periods.as_slice(), [period]);
}
