//! The first lock operation of a process, which looks for a host: each way to
//! begin, in a process of its own.

use std::process::Command;

use lockscope::sync::{Barrier, LazyLock, Mutex, Once, OnceLock, RwLock};
use lockscope_core::gate::state;
use lockscope_core::{EventKind, Mode};

use crate::backend::{Backend, EXCLUSIVE, IDLE, RELEASED, SHARED};

/// Tells this test, in the child, which operation to begin with.
const OPERATION: &str = "LOCKSCOPE_TEST_FIRST_OPERATION";

/// An operation, and what is seen of it.
type Operation = (fn(), EventKind, Mode);

macro_rules! operations {
    ($($operation:expr => $kind:ident $mode:ident,)*) => {{
        let operations: &[Operation] = &[$((|| ended($operation), $kind, $mode)),*];
        operations.to_vec()
    }};
}

/// Ends what an operation began, if it is a hold.
fn ended<T>(_: T) {}

fn operations() -> Vec<Operation> {
    let mut operations = operations! {
        Mutex::new(0).lock() => RELEASED EXCLUSIVE,
        Mutex::new(0).try_lock() => RELEASED EXCLUSIVE,
        RwLock::new(0).read() => RELEASED SHARED,
        RwLock::new(0).try_read() => RELEASED SHARED,
        RwLock::new(0).write() => RELEASED EXCLUSIVE,
        RwLock::new(0).try_write() => RELEASED EXCLUSIVE,
        Once::new().call_once(|| {}) => RELEASED EXCLUSIVE,
        Once::new().call_once_force(|_| {}) => RELEASED EXCLUSIVE,
        OnceLock::new().set(1) => RELEASED EXCLUSIVE,
        { let _: &i32 = OnceLock::new().get_or_init(|| 1); } => RELEASED EXCLUSIVE,
        { let _: &i32 = LazyLock::force(&LazyLock::new(|| 1)); } => RELEASED EXCLUSIVE,
        Barrier::new(1).wait() => IDLE SHARED,
    };
    operations.extend(of_parking_lot());
    operations
}

#[cfg(feature = "parking_lot")]
fn of_parking_lot() -> Vec<Operation> {
    use lockscope::parking_lot::{Mutex, Once, ReentrantMutex, RwLock, slotless};
    use std::time::Duration;

    const UPGRADABLE: Mode = Mode::UPGRADABLE;
    operations! {
        Mutex::new(0).lock() => RELEASED EXCLUSIVE,
        Mutex::new(0).try_lock() => RELEASED EXCLUSIVE,
        Mutex::new(0).try_lock_for(Duration::ZERO) => RELEASED EXCLUSIVE,
        slotless::Mutex::new(0).lock() => RELEASED EXCLUSIVE,
        ReentrantMutex::new(0).lock() => RELEASED EXCLUSIVE,
        RwLock::new(0).read() => RELEASED SHARED,
        RwLock::new(0).upgradable_read() => RELEASED UPGRADABLE,
        Once::new().call_once(|| {}) => RELEASED EXCLUSIVE,
    }
}

#[cfg(not(feature = "parking_lot"))]
fn of_parking_lot() -> Vec<Operation> {
    Vec::new()
}

/// In the child: begins with `operation`, with a host or without.
fn begin_with((operation, kind, mode): Operation, with_host: bool) {
    let gate = &lockscope::probe().gate;
    assert_eq!(gate.state(), state::UNSEEN);
    let backend = with_host.then(Backend::at_the_first_operation);
    operation();
    let Some(backend) = backend else {
        return assert_eq!(gate.state(), state::CLOSED);
    };
    let seen = backend.one();
    assert_eq!((seen.kind, seen.mode, seen.contended), (kind, mode, false));
    assert_eq!(seen.file(), file!());
}

/// Runs this very test again, in a process of its own.
fn begin_elsewhere(number: usize, with_host: bool) -> bool {
    let (_, module) = module_path!().split_once("::").unwrap();
    let test = format!("{module}::the_first_operation_is_recorded_as_any_other");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &test, "--test-threads=1"]);
    child.env(OPERATION, format!("{number} {with_host}"));
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "{text}");
    output.status.success()
}

#[test]
fn the_first_operation_is_recorded_as_any_other() {
    let operations = operations();
    if let Ok(wanted) = std::env::var(OPERATION) {
        let (number, with_host) = wanted.split_once(' ').unwrap();
        let number: usize = number.parse().unwrap();
        return begin_with(operations[number], with_host == "true");
    }
    let failed: Vec<_> = (0..operations.len())
        .flat_map(|number| [(number, false), (number, true)])
        .filter(|&(number, with_host)| !begin_elsewhere(number, with_host))
        .collect();
    assert_eq!(failed, [], "operation by its place in the list, and whether there was a host");
}
