//! The machine, in time that the tests make up.

mod any;

use lockscope_core::backend::{Pace, Setting};
use lockscope_core::report::{Report, Window};

use super::{CLOSED, OPEN, Schedule, WATCH, Waits};
use crate::report;
use crate::settings::Terms;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// It watches all the time, if anything is to wake it.
const PLAIN: [(&str, &str); 3] =
    [("wake_on_wait_percent", "0"), ("watch_window_ms", "1000"), ("watch_percent", "100")];

/// A session, and the host that drives it.
struct Host {
    schedule: Schedule,
    now_ns: u64,
    /// What contention was told, which is while the gates stand open for it.
    waits: Waits,
    pace: Pace,
    /// When to ask again.
    due_ns: u64,
    /// One in each nanosecond in which the gates stand open.
    samples: u64,
}

impl Host {
    fn new(settings: &[(&str, &str)]) -> Self {
        Self::started(settings, false)
    }

    fn started(settings: &[(&str, &str)], is_awake: bool) -> Self {
        // Without the default trigger, unless it is what a test is about.
        let plain = PLAIN.iter().filter(|(key, _)| settings.iter().all(|(own, _)| own != key));
        let settings: Vec<_> = settings
            .iter()
            .chain(plain)
            .map(|(key, value)| Setting { key: (*key).into(), value: (*value).into() })
            .collect();
        let mut schedule = Schedule::default();
        *schedule.terms_mut() = Terms::of(&settings).unwrap();
        schedule.start(0, is_awake);
        let mut host = Self {
            schedule,
            now_ns: 0,
            waits: Waits::default(),
            pace: Pace::STEADY,
            due_ns: 0,
            samples: 0,
        };
        host.ask();
        host
    }

    fn ask(&mut self) {
        if self.schedule.is_settling() {
            self.schedule.settle(self.samples);
        }
        self.pace = self.schedule.next(self.now_ns, self.waits);
        self.due_ns = self.now_ns.saturating_add(self.pace.ask_after_ns);
    }

    fn wake(&mut self, cause: &str) {
        assert!(self.schedule.wake(cause));
        self.ask();
    }

    fn set(&mut self, key: &str, value: &str) {
        assert!(self.schedule.terms_mut().set(key, value).unwrap());
        self.ask();
    }

    /// Lets time pass, and asks when it is wanted.
    fn pass(&mut self, ns: u64) {
        self.pass_with(ns, 0, 0);
    }

    /// Lets time pass in which so many acquisitions a second have to wait, for
    /// so long each.
    fn pass_with(&mut self, ns: u64, per_second: u64, wait_ns: u64) {
        let end_ns = self.now_ns + ns;
        loop {
            let is_due = self.due_ns <= end_ns;
            let passed_ns = self.due_ns.min(end_ns) - self.now_ns;
            if self.pace.gate != CLOSED {
                let number = per_second * passed_ns / S;
                self.waits.number += number;
                self.waits.wait_ns += number * wait_ns;
            }
            if self.pace.gate == OPEN {
                self.samples += passed_ns;
            }
            self.now_ns += passed_ns;
            if !is_due {
                return;
            }
            self.ask();
        }
    }

    fn windows(&self) -> Vec<Window> {
        self.told().windows.into()
    }

    fn told(&self) -> Report {
        let mut told = Report::default();
        report::add(&mut told, self.schedule.told(self.now_ns, self.samples));
        told
    }

    fn causes(&self) -> Vec<String> {
        self.windows().into_iter().map(|window| window.cause.into()).collect()
    }

    fn notes(&self) -> Vec<String> {
        self.told().notes.into_iter().map(Into::into).collect()
    }
}

fn window(cause: &str, after_ns: u64, length_ns: u64) -> Window {
    // The samples that the host above takes.
    Window { cause: cause.into(), after_ns, length_ns, samples: length_ns }
}

#[test]
fn without_a_trigger_it_sleeps_until_it_is_woken_and_asks_for_nothing() {
    let mut host = Host::new(&[]);
    let asleep = Pace { gate: CLOSED, contended_period: 1, ask_after_ns: u64::MAX };
    assert_eq!(host.pace, asleep);
    host.pass(100 * S);
    assert_eq!(host.pace, asleep);
    host.wake("a command");
    assert_eq!(host.pace, Pace { gate: OPEN, contended_period: 1, ask_after_ns: 10 * S });
    host.pass(10 * S);
    assert_eq!(host.pace, asleep);
    assert_eq!(host.windows(), [window("a command", 100 * S, 10 * S)]);
}

/// A tenth of the time, from the session's start on, a window at a time.
#[test]
fn by_default_it_watches_now_and_then() {
    let mut host = Host::new(&[
        ("wake_on_wait_percent", "50"),
        ("watch_window_ms", "200"),
        ("watch_percent", "10"),
    ]);
    for _ in 0..3 {
        assert_eq!(host.pace.gate, WATCH);
        host.pass(199 * MS);
        assert_eq!(host.pace.gate, WATCH);
        host.pass(MS);
        assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, 1_800 * MS));
        host.pass(1_800 * MS);
    }
    assert_eq!(
        host.notes()[1],
        "The backend is asleep, and watches for contention in 10 % of the time."
    );
    host.waits.wait_ns += 99 * MS;
    host.pass(20 * MS);
    assert_eq!(host.pace.gate, WATCH);
    host.waits.wait_ns += MS;
    host.pass(20 * MS);
    assert_eq!(host.pace.gate, OPEN);
    assert_eq!(host.causes(), ["waits worth 50 % of a thread's time"]);
}

#[test]
fn while_it_does_not_look_it_can_be_woken_and_told_to_look() {
    let blind = || {
        let mut host = Host::new(&[("wake_on_contentions", "5"), ("watch_percent", "50")]);
        host.pass(S);
        assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, S));
        host
    };
    let mut woken = blind();
    woken.wake("a command");
    assert_eq!(woken.pace.gate, OPEN);
    let mut told = blind();
    told.set("wake_on_contentions", "0");
    assert_eq!(told.pace, Pace { gate: CLOSED, contended_period: 1, ask_after_ns: u64::MAX });
}

#[test]
fn a_window_is_closed_first_and_settled_when_it_is_asked_again() {
    let mut host = Host::new(&[("window_ms", "5")]);
    host.wake("a command");
    host.now_ns = 5 * MS;
    host.pace = host.schedule.next(host.now_ns, host.waits);
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, 0));
    assert_eq!((host.schedule.window(), host.schedule.is_settling()), (1, true));
    // Hooks that were on their way have told what they had to tell.
    host.samples = 7;
    host.ask();
    assert_eq!((host.schedule.window(), host.schedule.is_settling()), (0, false));
    assert_eq!(host.windows()[0].samples, 7);
}

#[test]
fn a_first_window_begins_with_the_session() {
    let mut host = Host::started(&[("window_ms", "20")], true);
    assert_eq!(host.pace.gate, OPEN);
    host.pass(S);
    assert_eq!(host.pace.gate, CLOSED);
    assert_eq!(host.windows(), [window("the session's start", 0, 20 * MS)]);
}

#[test]
fn a_wake_prolongs_a_window_to_its_full_length_from_then() {
    let mut host = Host::new(&[("window_ms", "100")]);
    host.wake("a command");
    host.pass(60 * MS);
    host.wake("signal SIGUSR2");
    assert_eq!(host.causes(), ["a command, prolonged by signal SIGUSR2"]);
    host.pass(60 * MS);
    assert_eq!(host.pace.gate, OPEN);
    host.wake("the program");
    host.pass(100 * MS);
    assert_eq!(host.pace.gate, CLOSED);
    let cause = "a command, prolonged 2 times, last by the program";
    assert_eq!(host.windows(), [window(cause, 0, 220 * MS)]);
}

#[test]
fn wakes_at_one_time_are_one_window_that_tells_them_all() {
    let mut host = Host::new(&[("window_ms", "100")]);
    for cause in ["a command", "the program", "signal SIGUSR2"] {
        assert!(host.schedule.wake(cause));
    }
    host.ask();
    host.pass(30 * MS);
    for cause in ["another command", "the program again"] {
        assert!(host.schedule.wake(cause));
    }
    host.ask();
    host.pass(S);
    let cause = "a command, prolonged 4 times, last by the program again";
    assert_eq!(host.windows(), [window(cause, 0, 130 * MS)]);
}

#[test]
fn a_wake_while_a_window_settles_opens_the_next_one_at_once() {
    let mut host = Host::new(&[("window_ms", "100")]);
    host.wake("a command");
    host.now_ns = 100 * MS;
    host.pace = host.schedule.next(host.now_ns, host.waits);
    assert!(host.schedule.is_settling());
    host.wake("another");
    assert_eq!((host.pace.gate, host.schedule.window()), (OPEN, 2));
    assert_eq!(host.causes(), ["a command", "another"]);
}

#[test]
fn contention_at_the_threshold_wakes_it_and_below_does_not() {
    let settings = [("wake_on_contentions", "500"), ("window_ms", "100")];
    let mut host = Host::new(&settings);
    assert_eq!(host.pace, Pace { gate: WATCH, contended_period: 1, ask_after_ns: 100 * MS });
    host.pass_with(20 * S, 490, 1_000);
    assert_eq!((host.pace.gate, host.windows().len()), (WATCH, 0));
    // A look is a tenth of what it looks at: it sees 500 in a second by then.
    host.pass_with(S, 500, 1_000);
    assert_eq!(host.windows(), [window("500 contentions a second", 21 * S, 0)]);
    let mut host = Host::new(&settings);
    host.pass_with(200 * MS, 5_000, 1_000);
    assert_eq!(host.causes(), ["500 contentions a second"], "a tenth of a second is enough of it");
}

#[test]
fn time_waited_at_the_threshold_wakes_it_and_below_does_not() {
    let mut host = Host::new(&[("wake_on_wait_percent", "60"), ("watch_window_ms", "200")]);
    host.pass_with(20 * S, 100, 5_900_000);
    assert_eq!((host.pace.gate, host.windows().len()), (WATCH, 0));
    host.pass_with(S, 100, 6_000_000);
    assert_eq!(host.causes(), ["waits worth 60 % of a thread's time"]);
    // Six threads that wait all the time.
    let mut host = Host::new(&[("wake_on_wait_percent", "600")]);
    host.pass_with(1_100 * MS, 6, S);
    assert_eq!(host.causes(), Vec::<String>::new(), "what has begun to wait is not told yet");
    host.pass_with(S, 60, 100 * MS);
    assert_eq!(host.causes(), ["waits worth 600 % of a thread's time"]);
}

#[test]
fn contention_that_is_over_does_not_wake_it() {
    let mut host = Host::new(&[("wake_on_contentions", "500")]);
    for _ in 0..20 {
        host.pass_with(900 * MS, 500, 1_000);
        host.pass(S);
    }
    assert!(host.windows().is_empty(), "{:?}", host.windows());
}

#[test]
fn looks_that_come_late_do_not_change_what_is_seen() {
    let mut host = Host::new(&[("wake_on_contentions", "1000")]);
    for late_ms in [0, 70, 30, 250, 10, 90, 400, 0, 130] {
        // 990 in a second, told evenly.
        let passed_ns = (100 + late_ms) * MS;
        host.now_ns += passed_ns;
        host.waits.number += 990 * passed_ns / S;
        host.ask();
        assert_eq!(host.pace.gate, WATCH, "{late_ms} ms late");
    }
}

#[test]
fn where_many_contentions_wake_it_not_all_are_told() {
    let period = |settings: &[_]| Host::new(settings).pace.contended_period;
    assert_eq!(period(&[("wake_on_contentions", "1999")]), 1);
    assert_eq!(period(&[("wake_on_contentions", "100000")]), 100);
    assert_eq!(period(&[("wake_on_contentions", "100000"), ("watch_window_ms", "100")]), 10);
    assert_eq!(
        period(&[("wake_on_contentions", "1000000000"), ("watch_window_ms", "3600000")]),
        1 << 20
    );
    // One long wait may be all there is.
    assert_eq!(period(&[("wake_on_contentions", "100000"), ("wake_on_wait_percent", "50")]), 1);
}

#[test]
fn after_a_window_contention_does_not_wake_it_and_a_command_does() {
    let mut host = Host::new(&[
        ("wake_on_contentions", "500"),
        ("window_ms", "100"),
        ("cool_down_ms", "5000"),
    ]);
    host.wake("a command");
    host.pass_with(100 * MS, 9_000, 1_000);
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, 5 * S));
    assert_eq!(
        host.notes(),
        ["The backend is asleep; contention does not wake it for another 5.0 s."]
    );
    host.pass_with(3 * S, 9_000, 1_000);
    host.wake("a command");
    assert_eq!(host.pace.gate, OPEN);
    host.pass_with(100 * MS + 5 * S - 1, 9_000, 1_000);
    assert_eq!((host.pace.gate, host.windows().len()), (CLOSED, 2));
    host.pass(1);
    assert_eq!(host.pace.gate, WATCH, "what there was before is forgotten");
    host.pass_with(100 * MS, 9_000, 1_000);
    assert_eq!(host.causes(), ["a command", "a command", "900 contentions a second"]);
}

#[test]
fn what_is_changed_holds_from_the_next_answer_on() {
    let mut host = Host::new(&[]);
    host.set("wake_on_contentions", "10");
    assert_eq!(host.pace.gate, WATCH);
    host.set("watch_window_ms", "50");
    assert_eq!(host.pace.ask_after_ns, 5 * MS);
    host.set("wake_on_contentions", "0");
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, u64::MAX));
    host.wake("a command");
    host.set("window_ms", "20");
    host.set("cool_down_ms", "1000");
    assert_eq!(host.pace.ask_after_ns, 10 * S, "a window that is open keeps its end");
    host.pass(10 * S);
    host.set("wake_on_wait_percent", "10");
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, S));
    host.set("cool_down_ms", "0");
    assert_eq!(host.pace.gate, WATCH);
    host.wake("a command");
    assert_eq!(host.pace.ask_after_ns, 20 * MS);
    let terms = *host.schedule.terms_mut();
    assert!(host.schedule.terms_mut().set("window_ms", "0").is_err());
    assert!(!host.schedule.terms_mut().set("max_locks", "5").unwrap());
    assert_eq!(*host.schedule.terms_mut(), terms);
}

#[test]
fn stop_ends_a_window_with_what_is_in_it() {
    let mut host = Host::new(&[]);
    host.wake("a command");
    host.pass(3 * S);
    host.schedule.stop(host.now_ns, host.samples);
    host.now_ns += S;
    assert_eq!(host.windows(), [window("a command", 0, 3 * S)]);
    assert!(host.notes().is_empty(), "there is nothing that may change");
    assert!(!host.schedule.wake("too late"));
    host.ask();
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (CLOSED, u64::MAX));
    host.schedule.start(host.now_ns, false);
    assert!(host.windows().is_empty());
}

#[test]
fn how_it_stands_is_told() {
    let mut host = Host::new(&[("window_ms", "1500")]);
    let nothing = "Nothing has woken the backend, so nothing is recorded; wake it by a command, a signal or the program, or by less contention than it takes now (wake_on_contentions, wake_on_wait_percent).";
    assert_eq!(host.notes(), [nothing, "The backend is asleep."]);
    host.set("wake_on_contentions", "10");
    assert_eq!(host.notes(), [nothing, "The backend is asleep, and watches for contention."]);
    host.wake("a command");
    host.pass(S);
    assert_eq!(host.notes(), ["The backend is awake for another 500 ms."]);
    assert_eq!(host.windows(), [window("a command", 0, S)]);
    host.pass(150 * S);
    host.set("window_ms", "8000000");
    host.wake("a command");
    host.pass(600 * S);
    assert_eq!(host.notes(), ["The backend is awake for another 2.1 h."]);
    host.set("window_ms", "600000");
    host.wake("a command");
    assert_eq!(host.notes(), ["The backend is awake for another 10 min."]);
}

#[test]
fn windows_without_end_are_listed_up_to_a_limit() {
    let mut host = Host::new(&[("window_ms", "10")]);
    for number in 0..1_234 {
        host.wake(&format!("command {number}"));
        host.pass(10 * MS);
    }
    host.wake("the last");
    let windows = host.windows();
    assert_eq!((windows.len(), &*windows[0].cause), (1_001, "command 234"));
    let unlisted = "The first 234 windows, 2.3 s in all, are not listed; what was seen in them is in the totals.";
    assert_eq!(host.notes()[0], unlisted);
}

#[test]
fn a_cause_of_any_length_is_cut_off() {
    let mut host = Host::new(&[]);
    for _ in 0..1_000 {
        host.wake(&"ü".repeat(100_000));
    }
    let cause = &host.causes()[0];
    assert_eq!(cause.chars().filter(|char| *char == 'ü').count(), 400);
}
