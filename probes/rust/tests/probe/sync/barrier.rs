//! `Barrier`: time at it is idleness.

use lockscope::sync::Barrier;
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, IDLE, SHARED, summary};

const READY_LINE: u32 = line!() + 1;
static READY: Barrier = Barrier::named("ready", 3);

#[test]
fn every_wait_is_idleness_at_its_line() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        backend.start(state, 100);
        let mut line = 0;
        let leaders = std::thread::scope(|scope| {
            line = line!() + 1;
            let wait = || READY.wait().is_leader();
            let waiters = [scope.spawn(wait), scope.spawn(wait), scope.spawn(wait)];
            waiters.map(|waiter| waiter.join().unwrap())
        });
        assert_eq!(leaders.iter().filter(|is_leader| **is_leader).count(), 1);
        let seen = backend.seen();
        assert_eq!(summary(&seen), [(IDLE, SHARED, false, line); 3]);
        for seen in seen {
            assert_eq!((seen.name, seen.lock_kind), (Some("ready"), LockKind::BARRIER));
            assert_eq!(seen.created, in_this_file!(READY_LINE));
            assert!(seen.weight == 1 && seen.times.is_sorted());
        }
    }
}

#[test]
fn a_closed_gate_tells_nothing() {
    let backend = Backend::closed();
    let barrier = Barrier::new(1);
    assert!(barrier.wait().is_leader());
    assert_eq!(backend.seen().len(), 0);
    assert_eq!(format!("{barrier:?}"), format!("{:?}", std::sync::Barrier::new(1)));
}
