//! A program that stands still: its report, which is written while it runs,
//! says why.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use lockscope::sync::Mutex;
use lockscope_host::report::table::{TableOptions, render};

use crate::support::{Started, folder, report_that, run};

static ACCOUNTS: Mutex<()> = Mutex::named("accounts", ());
static JOURNAL: Mutex<()> = Mutex::named("journal", ());

/// Two threads take two locks, in two orders. Neither has done anything before.
pub(crate) fn run_into_it() {
    // Somebody has to be first, and opens the session.
    drop(ACCOUNTS.lock());
    let together = Barrier::new(2);
    thread::scope(|scope| {
        for [first, second] in [[&ACCOUNTS, &JOURNAL], [&JOURNAL, &ACCOUNTS]] {
            let together = &together;
            scope.spawn(move || {
                let _first = first.lock();
                together.wait();
                let _second = second.lock();
            });
        }
    });
}

/// Neither hold was sampled, at one operation in a million, or only one was: the
/// waiters have found who has what they wait for.
#[test]
fn a_deadlock_is_shown_at_any_period() {
    for period in ["1", "1000000"] {
        let dir = folder();
        let plugins = crate::support::plugins();
        let flags = ["--period", period, "--flush-interval", "50ms", "--plugin-path"];
        let flags = [&flags[..], &[plugins.to_str().unwrap()]].concat();
        let started = Started::new(&mut run(dir.path(), &flags, "deadlock"));
        let path = dir.path().join("lockscope.json");
        let is_told = |text: &str| text.contains(" wait for each other: a deadlock");
        let options = TableOptions::default();
        let report = report_that(&path, |report| {
            // A wait that has lasted a while will not end of its own accord.
            let waits = report.pending.iter().filter(|pending| pending.waiting);
            waits.filter(|wait| wait.for_ns > Duration::from_millis(10).as_nanos() as u64).count()
                == 2
        });
        let text = render(&report, &options);
        assert!(is_told(&text), "at period {period}:\n{text}");
        let holder = "which acquired it at ";
        assert_eq!(text.matches(holder).count(), 2, "at period {period}:\n{text}");
        started.kill(libc::SIGTERM);
        drop(started.end());
    }
}
