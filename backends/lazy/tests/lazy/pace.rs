//! What a host does, one answer after the other.

use std::time::{Duration, Instant};

use lockscope_core::backend::Backend;
use lockscope_core::gate::state;
use lockscope_core::report::Report;
use lockscope_lazy::Lazy;

/// Asks until nothing is due at once: how the gates stand.
pub(crate) fn ask(lazy: &Lazy) -> u32 {
    loop {
        let pace = lazy.pace();
        if pace.ask_after_ns > 0 {
            return pace.gate;
        }
        assert_eq!(pace.gate, state::CLOSED);
    }
}

pub(crate) fn wake(lazy: &Lazy, cause: &str) {
    lazy.wake(cause).unwrap();
    assert_eq!(ask(lazy), state::OPEN);
}

/// Lets the window end. The minute is for a test that fails, so that it says so.
pub(crate) fn sleep(lazy: &Lazy) {
    lazy.configure("window_ms", "1").unwrap();
    wake(lazy, "to end soon");
    let begin = Instant::now();
    while ask(lazy) == state::OPEN {
        assert!(begin.elapsed() < Duration::from_secs(60), "it does not sleep");
        std::thread::sleep(Duration::from_millis(1));
    }
    lazy.configure("window_ms", "10000").unwrap();
}

/// How many wakes the causes of its windows tell.
pub(crate) fn wakes(report: &Report) -> usize {
    let of = |cause: &str| match cause.split_once(", prolonged ") {
        None => 1,
        Some((_, by)) if by.starts_with("by ") => 2,
        Some((_, times)) => 1 + times.split(' ').next().unwrap().parse::<usize>().unwrap(),
    };
    report.windows.iter().map(|window| of(&window.cause)).sum()
}
