//! One period, the same for all that is sampled.

use lockscope_core::Countdown;
use lockscope_core::backend::Backend;

use super::probe::{Lock, lock_once, started};

/// From the next countdown on.
pub fn it_can_be_changed_while_a_session_runs_and_nothing_else_can<B: Backend>() {
    let backend: B = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    assert_eq!(lock_once(&backend, &lock, 1, 10), Countdown::EVERY);
    backend.configure("period", "50").expect("it can be changed");
    assert_eq!(lock_once(&backend, &lock, 1, 10).weight, 50);
    assert_eq!(backend.snapshot().expect("a session runs").periods.as_slice(), [1, 50]);
    assert!(backend.configure("period", "0").is_err());
    let held = backend.configure("max_locks", "5").expect_err("it holds").message;
    assert!(held.contains("holds for the life of a backend"), "{held}");
    let unknown = backend.configure("perod", "5").expect_err("no such key").message;
    let description = B::describe();
    let keys: Vec<&str> = description.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(unknown, format!("there is no key 'perod'; the keys are {}", keys.join(", ")));
}
