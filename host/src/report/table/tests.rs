//! The table as people see it.

use proptest::prelude::*;

use super::super::model::Window;
use super::super::sample::{deadlock, empty, exact, lock, place, populated, site};
use super::*;

const ESCAPE: char = '\u{1b}';

fn at(width: usize) -> TableOptions {
    TableOptions { width: Some(width), ..TableOptions::default() }
}

/// What a terminal shows of `text`: everything but the colours.
fn seen(text: &str) -> String {
    let mut pieces = text.split(ESCAPE);
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |seen, piece| seen + piece.split_once('m').expect("a colour").1)
}

#[test]
fn in_60_columns() {
    insta::assert_snapshot!(render(&populated(), &at(60)), @r"
    ./indexer --threads 8 (pid 1234): 12.3 s under wrapper
      0.1.0, one operation in 100, 45,210 samples of about 42 ns
      each

                           acqui-     wait  most to blame:
    lock                  sitions    total  share held at
    index                  2.94 M   1.23 s   84 % …c/index.rs:88
    …c/pool.rs:41 ×1,000   ~100 k  3.00 ms   33 % src/pool.rs:57
    …aling/steal.rs:1234        7   500 ns  100 % …steal.rs:1301
    lock 562949953421313        1        –      –

    Share: the part of the lock's wait total that began while it
    was held from there. ~: an estimate with a standard error of
    1 % or more, which a wider table shows.

    index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90
      ms at most; 300 of 40,000 readers waited, 130 ms in all,
      900 µs at most.
    A try or a timed acquisition ended without the lock 12
      times, all of them at index.
    Idle, which is not waiting for a lock: 2,003 times at
      condition variables and the like, 8.00 s in all.
    In progress when the report was made: 1 wait.
    - thread 4711 has waited 1.20 s for index (rwlock) at
      src/index.rs:88; held by src/index.rs:112 when the wait
      began
    Not recorded: 12,345 samples beyond 32 held locks per
      thread.
    Note: the clock of this machine is not invariant; times are
      rounded.
    ");
}

#[test]
fn in_80_columns() {
    insta::assert_snapshot!(render(&populated(), &at(80)), @r"
    ./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in
      100, 45,210 samples of about 42 ns each

                       acqui-  conten-     wait     wait      hold  most to blame:
    lock              sitions    tions    total      p99      mean  share held at
    index              2.94 M   90,300   1.23 s  2.31 ms  ~1.19 µs   84 % …dex.rs:88
    …ol.rs:41 ×1,000   ~100 k    2,000  3.00 ms  1.15 µs    ~43 ns   33 % …ool.rs:57
    …g/steal.rs:1234        7        1   500 ns   500 ns     41 ns  100 % …l.rs:1301
    …562949953421313        1        0        –        –         –      –

    Share: the part of the lock's wait total that began while it was held from
    there. p99: off by 11 % at most. ~: an estimate with a standard error of 1 % or
    more, which a wider table shows.

    index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of
      40,000 readers waited, 130 ms in all, 900 µs at most.
    A try or a timed acquisition ended without the lock 12 times, all of them at
      index.
    Idle, which is not waiting for a lock: 2,003 times at condition variables and
      the like, 8.00 s in all.
    In progress when the report was made: 1 wait.
    - thread 4711 has waited 1.20 s for index (rwlock) at src/index.rs:88; held by
      src/index.rs:112 when the wait began
    Not recorded: 12,345 samples beyond 32 held locks per thread.
    Note: the clock of this machine is not invariant; times are rounded.
    ");
}

#[test]
fn in_120_columns() {
    insta::assert_snapshot!(render(&populated(), &at(120)), @r"
    ./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in 100, 45,210 samples of about 42 ns each

                                          acqui-  conten-     wait     wait     hold          hold  most to blame:
    lock                      kind       sitions    tions    total      p99    total          mean  share held at
    index                     rwlock      2.94 M   90,300   1.23 s  2.31 ms   3.50 s  1.19 µs ±1 %   84 % src/index.rs:88
    src/pool.rs:41 ×1,000     mutex   100 k ±3 %    2,000  3.00 ms  1.15 µs  4.30 ms    43 ns ±3 %   33 % src/pool.rs:57
    …/stealing/steal.rs:1234  mutex            7        1   500 ns   500 ns   287 ns         41 ns  100 % …ing/steal.rs:1301
    lock 562949953421313      mutex            1        0        –        –        –             –      –

    Share: the part of the lock's wait total that began while it was held from there. p99: off by 11 % at most. ±: standard
    error of an estimate, where it is 1 % or more.

    index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of 40,000 readers waited, 130 ms in all, 900
      µs at most.
    A try or a timed acquisition ended without the lock 12 times, all of them at index.
    Idle, which is not waiting for a lock: 2,003 times at condition variables and the like, 8.00 s in all.
    In progress when the report was made: 1 wait.
    - thread 4711 has waited 1.20 s for index (rwlock) at src/index.rs:88; held by src/index.rs:112 when the wait began
    Not recorded: 12,345 samples beyond 32 held locks per thread.
    Note: the clock of this machine is not invariant; times are rounded.
    ");
}

#[test]
fn in_200_columns() {
    insta::assert_snapshot!(render(&populated(), &at(200)), @r"
    ./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in 100, 45,210 samples of about 42 ns each

                                                                                  acqui-  conten-     wait     wait     hold          hold  most to blame:
    lock                                                              kind       sitions    tions    total      p99    total          mean  share held at
    index                                                             rwlock      2.94 M   90,300   1.23 s  2.31 ms   3.50 s  1.19 µs ±1 %   84 % src/index.rs:88
    src/pool.rs:41 ×1,000                                             mutex   100 k ±3 %    2,000  3.00 ms  1.15 µs  4.30 ms    43 ns ±3 %   33 % src/pool.rs:57
    …exer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1234  mutex            7        1   500 ns   500 ns   287 ns         41 ns  100 % …endor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1301
    lock 562949953421313                                              mutex            1        0        –        –        –             –      –

    Share: the part of the lock's wait total that began while it was held from there. p99: off by 11 % at most. ±: standard error of an estimate, where it is 1 % or more.

    index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of 40,000 readers waited, 130 ms in all, 900 µs at most.
    A try or a timed acquisition ended without the lock 12 times, all of them at index.
    Idle, which is not waiting for a lock: 2,003 times at condition variables and the like, 8.00 s in all.
    In progress when the report was made: 1 wait.
    - thread 4711 has waited 1.20 s for index (rwlock) at src/index.rs:88; held by src/index.rs:112 when the wait began
    Not recorded: 12,345 samples beyond 32 held locks per thread.
    Note: the clock of this machine is not invariant; times are rounded.
    ");
}

#[test]
fn without_a_terminal_nothing_is_cut() {
    let text = render(&populated(), &TableOptions::default());
    let path = "/usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs";
    assert!(text.contains(&format!("\n{path}:1234  mutex ")), "{text}");
    assert!(text.contains(&format!("  100 % {path}:1301\n")), "{text}");
    assert!(!text.contains(ESCAPE));
}

#[test]
fn a_deadlock() {
    insta::assert_snapshot!(render(&deadlock(), &at(80)), @r"
    ./indexer --threads 8 (pid 1234): 12.3 s so far under wrapper 0.1.0, one
      operation in 100, 45,210 samples of about 42 ns each

                      acqui-  conten-     wait     wait    hold  most to blame:
    lock      kind   sitions    tions    total      p99    mean  share held at
    accounts  mutex     ~100        2  3.00 µs  1.15 µs  ~43 ns   33 % …c/pool.rs:57
    journal   mutex     ~100        2  3.00 µs  1.15 µs  ~43 ns   33 % …c/pool.rs:57

    Share: the part of the lock's wait total that began while it was held from
    there. p99: off by 11 % at most. ~: an estimate with a standard error of 1 % or
    more, which a wider table shows.

    In progress when the report was made: 3 waits.
    - thread 13 has waited 1.20 s for accounts (mutex) at src/audit.rs:7; held by
      thread 11, which acquired it at src/bank.rs:39 1.50 s ago
    - thread 12 has waited 1.20 s for accounts (mutex) at src/bank.rs:40; held by
      thread 11, which acquired it at src/bank.rs:39 1.50 s ago
    - thread 11 has waited 1.20 s for journal (mutex) at src/bank.rs:52; held by
      thread 12, which acquired it at src/bank.rs:51 1.50 s ago
    Threads 11 and 12 wait for each other: a deadlock, unless one of the waits is
      timed.
    ");
}

#[test]
fn colours_change_nothing_but_colours() {
    for report in [populated(), deadlock(), empty()] {
        let plain = at(100);
        let colours = TableOptions { colour: true, ..plain };
        assert_eq!(seen(&render(&report, &colours)), render(&report, &plain));
    }
    let text = render(&deadlock(), &TableOptions { colour: true, ..at(200) });
    let alarm = "\u{1b}[1m\u{1b}[31mThreads 11 and 12 wait for each other";
    assert!(text.contains(alarm), "{text:?}");
    assert!(text.contains("\u{1b}[2mmutex\u{1b}[0m"), "{text:?}");
}

/// The last lines of the table of `report`, from the one that begins so.
fn from(report: &ReportFile, begin: &str) -> String {
    let text = render(report, &TableOptions::default());
    let start = text.find(&format!("\n{begin}")).unwrap_or_else(|| panic!("{begin}: {text}"));
    text[start + 1..].to_owned()
}

#[test]
fn nothing_seen_says_what_that_means() {
    let said = |periods: &[u32]| {
        let mut report = empty();
        report.session.periods = periods.to_vec();
        from(&report, "No ")
    };
    assert_eq!(
        said(&[1]),
        "No lock was acquired while the session ran, as far as its probes see.\n"
    );
    assert_eq!(
        said(&[]),
        "No lock was contended while the session ran, as far as its probes see.\n"
    );
    let sampled = "No lock was contended while the session ran, and no acquisition was among the samples, as far as its probes see.\n";
    assert_eq!(said(&[100]), sampled);
    assert_eq!(said(&[1, 100]), sampled);
}

#[test]
fn idleness_is_told_and_called_no_contention() {
    let mut report = populated();
    report.locks.retain(|lock| lock.kind == "condvar");
    report.locks[0].sites[0].idles.standard_error = 200.0;
    report.pending.clear();
    let text = from(&report, "Idle");
    assert!(
        text.starts_with(
            "Idle, which is not waiting for a lock: 2,000 ±10 % times at condition variables and the like, 8.00 s in all.\n"
        ),
        "{text}"
    );
    assert!(!render(&report, &at(120)).contains("work is ready"));
}

#[test]
fn a_wait_without_end_is_not_called_no_contention() {
    let mut report = deadlock();
    for site in report.locks.iter_mut().flat_map(|lock| &mut lock.sites) {
        site.contentions = exact(0.0);
    }
    assert!(!render(&report, &at(80)).contains("No lock was contended."));
    report.pending.clear();
    assert_eq!(from(&report, "No "), "No lock was contended.\n");
    let mut report = deadlock();
    report.locks.clear();
    assert!(
        from(&report, "No ")
            .starts_with("No acquisition was recorded to its end while the session ran.\n")
    );
}

#[test]
fn losses_and_notes_stand_below() {
    let mut report = populated();
    report.losses[0].count = 0;
    report.notes.push("It was late.".to_owned());
    assert_eq!(
        from(&report, "Note: the"),
        "Note: the clock of this machine is not invariant; times are rounded.\nNote: It was late.\n"
    );
    assert!(!render(&report, &at(80)).contains("Not recorded"));
    assert!(
        from(&populated(), "Not")
            .starts_with("Not recorded: 12,345 samples beyond 32 held locks per thread.\n")
    );
}

#[test]
fn an_estimate_says_how_true_it_is_or_that_it_is_one() {
    let cells = |width| {
        let text = render(&populated(), &at(width));
        let row = text.lines().find(|line| line.contains("×1,000")).unwrap().to_owned();
        (row, text.replace('\n', " "))
    };
    let (row, text) = cells(120);
    assert!(row.contains(" 100 k ±3 % "), "{row}");
    assert!(
        text.contains(" ±: standard error of an estimate, where it is 1 % or more. "),
        "{text}"
    );
    let (row, text) = cells(80);
    assert!(row.contains(" ~100 k ") && !row.contains('±'), "{row}");
    assert!(text.contains(" ~: an estimate with a standard error of 1 % or more, "), "{text}");
    // 2,940,000 within 0.6 %.
    assert!(text.contains(" 2.94 M "), "{text}");
}

#[test]
fn what_is_exact_needs_no_legend() {
    let mut report = populated();
    report.locks.retain(|lock| lock.probe == "pthread");
    let text = render(&report, &at(120));
    assert!(!text.contains("Share:") && !text.contains("p99:") && !text.contains('±'), "{text}");
}

#[test]
fn a_percentile_says_how_far_it_may_be_off() {
    let mut report = empty();
    let mut waits = site(place("a.rs", 1), "write");
    waits.contentions = exact(1.0);
    waits.wait_ns.total = exact(110.0);
    waits.wait_ns.max = 150;
    waits.wait_ns.histogram = vec![(96, 112, 99.0), (112, 144, 1.0)];
    let mut one = lock(1, "mutex");
    one.sites = vec![waits];
    report.locks = vec![one];
    // 112, from a bucket that begins at 96: 16 of 112.
    assert!(from(&report, "Share").contains(" p99: off by 14 % at most.\n"));
}

#[test]
fn rows_that_are_not_shown_are_counted() {
    let options = TableOptions { top: 1, ..at(120) };
    let text = render(&populated(), &options);
    assert!(text.contains("3 rows with 1,002 locks not shown; `--top 4` shows all.\n"), "{text}");
    assert!(!text.contains("pool.rs"), "{text}");
}

#[test]
fn many_waits_are_cut_short_and_counted() {
    let mut report = deadlock();
    let one = report.pending[2].clone();
    report.pending.extend(
        (100..120).map(|thread| super::super::model::PendingAcquisition { thread, ..one.clone() }),
    );
    let text = render(&report, &TableOptions::default());
    assert!(text.contains("In progress when the report was made: 23 waits.\n"), "{text}");
    assert!(text.contains("\n- and 3 shorter waits\n"), "{text}");
    assert_eq!(text.matches("\n- thread").count(), 20);
    // However short the list, a circle is told.
    assert!(text.contains("\nThreads 11 and 12 wait for each other: "), "{text}");
}

#[test]
fn the_periods_in_words() {
    let said = |list: &[u32]| {
        let mut session = empty().session;
        session.periods = list.to_vec();
        periods(&session)
    };
    assert_eq!(said(&[]), "contended operations only");
    assert_eq!(said(&[1]), "every operation");
    assert_eq!(said(&[1, 1_000]), "every operation, then one operation in 1,000");
    assert_eq!(said(&[8, 4, 2, 64]), "4 periods from one operation in 2 to one operation in 64");
}

#[test]
fn what_rows_are_ordered_by_stays_to_the_end() {
    for (sort, head) in
        [(SortKey::Wait, "wait"), (SortKey::Hold, "hold"), (SortKey::Contentions, "conten-")]
    {
        let text = render(&populated(), &TableOptions { sort, ..at(24) });
        assert!(text.lines().any(|line| line.trim() == head), "{text}");
    }
}

proptest! {
    /// Names of any length, with characters that take two columns or none, or
    /// that move the cursor.
    #[test]
    fn no_line_is_wider_than_the_terminal(
        names in proptest::collection::vec("(?s:.){0,40}|[鎖錠]{1,60}|[a-z/]{60,120}", 6),
        width in 24..220_usize,
        colour: bool,
    ) {
        let mut report = populated();
        for (lock, name) in report.locks.iter_mut().zip(&names) {
            lock.name = Some(name.clone());
            for blame in &mut lock.blame {
                blame.holder = Some(place(name, 1));
            }
        }
        report.session.command = names.clone();
        report.notes = names;
        let text = render(&report, &TableOptions { colour, ..at(width) });
        let seen = if colour { seen(&text) } else { text };
        for line in seen.lines() {
            prop_assert!(super::width(line) <= width, "{} columns: {line}", super::width(line));
        }
        let obeyed = seen.chars().find(|c| c.is_control() && *c != '\n');
        prop_assert_eq!(obeyed, None);
    }
}

#[test]
fn windows_are_told_with_what_woke_them() {
    let window = |after_s: u64, cause: &str| Window {
        cause: cause.to_owned(),
        after_ns: after_s * 1_000_000_000,
        length_ns: 500_000_000,
        samples: after_s,
    };
    let mut report = empty();
    report.windows = vec![window(3, "a command"), window(60, "412 contentions a second")];
    let text = render(&report, &TableOptions::default());
    let told = text.split_once("Awake ").expect("windows").1;
    assert_eq!(
        told,
        "2 times, 1.00 s in all, first 3.00 s after the start; what is above is of these times alone.\n\
         - after 3.00 s for 500 ms, woken by a command: 3 samples\n\
         - after 60.0 s for 500 ms, woken by 412 contentions a second: 60 samples\n"
    );
    report.windows = (1..=12).map(|after| window(after, "a command")).collect();
    let text = render(&report, &TableOptions::default());
    assert!(text.contains("- 2 windows before these\n- after 3.00 s"), "{text}");
}

#[test]
fn a_session_that_slept_says_nothing_of_contention() {
    let mut report = empty();
    report.session.asleep = true;
    let text = render(&report, &TableOptions::default());
    assert!(
        text.ends_with("\nNothing was recorded, because the backend has slept all the while.\n")
    );
}
