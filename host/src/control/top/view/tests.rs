//! The screen as people see it.

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;

use super::super::super::error::ControlError;
use super::super::super::fake::status;
use super::super::link::News;
use super::*;
use crate::report::sample::{deadlock, populated};

fn screen() -> Screen {
    let mut screen = Screen::new(4711, SortKey::Wait);
    screen.hear(News::State(Box::new((status(), Some(populated())))));
    screen
}

fn drawn(screen: &mut Screen, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(screen, frame)).unwrap();
    terminal.backend().clone()
}

#[test]
fn in_80_columns() {
    insta::assert_snapshot!(drawn(&mut screen(), 80, 24), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in  "
    "  100, 45,210 samples of about 42 ns each                                       "
    "running; 4 rows by wait; 1 wait in progress                                     "
    "                                                                                "
    "                   acqui-  conten-     wait     wait      hold  most to blame:  "
    "lock              sitions    tions    total      p99      mean  share held at   "
    "index              2.94 M   90,300   1.23 s  2.31 ms  ~1.19 µs   84 % …dex.rs:88"
    "…ol.rs:41 ×1,000   ~100 k    2,000  3.00 ms  1.15 µs    ~43 ns   33 % …ool.rs:57"
    "…g/steal.rs:1234        7        1   500 ns   500 ns     41 ns  100 % …l.rs:1301"
    "…562949953421313        1        0        –        –         –      –           "
    "                                                                                "
    "index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of  "
    "  40,000 readers waited, 130 ms in all, 900 µs at most.                         "
    "A try or a timed acquisition ended without the lock 12 times, all of them at    "
    "  index.                                                                        "
    "Idle, which is not waiting for a lock: 2,003 times at condition variables and   "
    "  the like, 8.00 s in all.                                                      "
    "In progress when the report was made: 1 wait.                                   "
    "- thread 4711 has waited 1.20 s for index (rwlock) at src/index.rs:88; held by  "
    "  src/index.rs:112 when the wait began                                          "
    "Not recorded: 12,345 samples beyond 32 held locks per thread.                   "
    "Note: the clock of this machine is not invariant; times are rounded.            "
    "                                                                                "
    "q quit  s stop  o order  / filter  r all rows  p/P period  b backend  ↑↓ move   "
    "#);
}

#[test]
fn in_40_columns() {
    insta::assert_snapshot!(drawn(&mut screen(), 40, 14), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s"
    "  under wrapper 0.1.0, one operation in "
    "  100, 45,210 samples of about 42 ns    "
    "  each                                  "
    "running; 4 rows by wait; 1 wait in      "
    "progress                                "
    "                                        "
    "                                    wait"
    "lock                               total"
    "                                        "
    "index: 90,000 of 2.90 M writers waited, "
    "  1.10 s in all, 4.90 ms at most; 300 of"
    "                                        "
    "q quit  s stop  o order  / filter  r al…"
    "#);
}

#[test]
fn in_so_little_room_that_nothing_fits() {
    for (width, height) in [(1, 1), (5, 2), (24, 3), (200, 1), (3, 50), (0, 0)] {
        drawn(&mut screen(), width, height);
    }
}

#[test]
fn before_the_first_answer() {
    insta::assert_snapshot!(drawn(&mut Screen::new(4711, SortKey::Wait), 60, 5), @r#"
    "process 4711: waiting for its first answer                  "
    "                                                            "
    "                                                            "
    "                                                            "
    "q quit  s start  o order  / filter  r all rows  p/P period …"
    "#);
}

#[test]
fn a_filter_that_is_typed() {
    let mut screen = screen();
    for key in "/pool".chars() {
        screen.press(KeyCode::Char(key).into());
    }
    insta::assert_snapshot!(drawn(&mut screen, 80, 12), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in  "
    "  100, 45,210 samples of about 42 ns each                                       "
    "running; 1 row with 'pool' by wait; 1 wait in progress                          "
    "                                                                                "
    "                    acqui-  conten-     wait     wait    hold  most to blame:   "
    "lock               sitions    tions    total      p99    mean  share held at    "
    "…ool.rs:41 ×1,000   ~100 k    2,000  3.00 ms  1.15 µs  ~43 ns   33 % …pool.rs:57"
    "                                                                                "
    "index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of  "
    "  40,000 readers waited, 130 ms in all, 900 µs at most.                         "
    "                                                                                "
    "filter: pool▏  Enter keeps it, Esc does not                                     "
    "#);
}

#[test]
fn a_process_that_has_ended() {
    let mut screen = screen();
    screen.hear(News::Failed(ControlError::NoProcess { pid: 4711 }));
    insta::assert_snapshot!(drawn(&mut screen, 80, 14), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in  "
    "  100, 45,210 samples of about 42 ns each                                       "
    "not reached: what was seen last; 4 rows by wait; 1 wait in progress             "
    "                                                                                "
    "                   acqui-  conten-     wait     wait      hold  most to blame:  "
    "lock              sitions    tions    total      p99      mean  share held at   "
    "index              2.94 M   90,300   1.23 s  2.31 ms  ~1.19 µs   84 % …dex.rs:88"
    "…ol.rs:41 ×1,000   ~100 k    2,000  3.00 ms  1.15 µs    ~43 ns   33 % …ool.rs:57"
    "                                                                                "
    "index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of  "
    "  40,000 readers waited, 130 ms in all, 900 µs at most.                         "
    "A try or a timed acquisition ended without the lock 12 times, all of them at    "
    "there is no process 4711; `lockscope ps` lists those that can be controlled     "
    "q quit  s start  o order  / filter  r all rows  p/P period  b backend  ↑↓ move  "
    "#);
}

#[test]
fn no_session_runs() {
    let mut screen = Screen::new(4711, SortKey::Hold);
    let stopped = Status { state: State::Stopped, ..status() };
    screen.hear(News::State(Box::new((stopped.clone(), None))));
    insta::assert_snapshot!(drawn(&mut screen, 60, 5), @r#"
    "process 4711: no session runs; s starts one                 "
    "                                                            "
    "                                                            "
    "                                                            "
    "q quit  s start  o order  / filter  r all rows  p/P period …"
    "#);
    // One has run while it was looked at.
    screen.hear(News::State(Box::new((stopped, Some(populated())))));
    screen.hear(News::Done("process 4711: session 1 has ended".to_owned()));
    insta::assert_snapshot!(drawn(&mut screen, 80, 12), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s under wrapper 0.1.0, one operation in  "
    "  100, 45,210 samples of about 42 ns each                                       "
    "stopped: what the last session saw; 4 rows by hold; 1 wait in progress          "
    "                                                                                "
    "                   acqui-  conten-     wait     wait     hold  most to blame:   "
    "lock              sitions    tions    total      p99    total  share held at    "
    "index              2.94 M   90,300   1.23 s  2.31 ms   3.50 s   84 % …ndex.rs:88"
    "                                                                                "
    "index: 90,000 of 2.90 M writers waited, 1.10 s in all, 4.90 ms at most; 300 of  "
    "  40,000 readers waited, 130 ms in all, 900 µs at most.                         "
    "process 4711: session 1 has ended                                               "
    "q quit  s start  o order  / filter  r all rows  p/P period  b backend  ↑↓ move  "
    "#);
}

#[test]
fn a_circle_of_waiting_threads() {
    let mut screen = screen();
    screen.hear(News::State(Box::new((status(), Some(deadlock())))));
    insta::assert_snapshot!(drawn(&mut screen, 80, 24), @r#"
    "./indexer --threads 8 (pid 1234): 12.3 s so far under wrapper 0.1.0, one        "
    "  operation in 100, 45,210 samples of about 42 ns each                          "
    "running; 2 rows by wait; 3 waits in progress                                    "
    "Threads 11 and 12 wait for each other: a deadlock, unless one of the waits is   "
    "timed.                                                                          "
    "                                                                                "
    "                  acqui-  conten-     wait     wait    hold  most to blame:     "
    "lock      kind   sitions    tions    total      p99    mean  share held at      "
    "accounts  mutex     ~100        2  3.00 µs  1.15 µs  ~43 ns   33 % …c/pool.rs:57"
    "journal   mutex     ~100        2  3.00 µs  1.15 µs  ~43 ns   33 % …c/pool.rs:57"
    "                                                                                "
    "In progress when the report was made: 3 waits.                                  "
    "- thread 13 has waited 1.20 s for accounts (mutex) at src/audit.rs:7; held by   "
    "  thread 11, which acquired it at src/bank.rs:39 1.50 s ago                     "
    "- thread 12 has waited 1.20 s for accounts (mutex) at src/bank.rs:40; held by   "
    "  thread 11, which acquired it at src/bank.rs:39 1.50 s ago                     "
    "- thread 11 has waited 1.20 s for journal (mutex) at src/bank.rs:52; held by    "
    "  thread 12, which acquired it at src/bank.rs:51 1.50 s ago                     "
    "Threads 11 and 12 wait for each other: a deadlock, unless one of the waits is   "
    "  timed.                                                                        "
    "                                                                                "
    "                                                                                "
    "                                                                                "
    "q quit  s stop  o order  / filter  r all rows  p/P period  b backend  ↑↓ move   "
    "#);
}

#[test]
fn rows_that_do_not_fit_are_moved_to() {
    let mut screen = screen();
    drawn(&mut screen, 80, 13);
    assert_eq!(screen.seen, 2);
    screen.press(KeyCode::PageDown.into());
    let below = drawn(&mut screen, 80, 13).to_string();
    assert!(!below.contains("pool.rs") && below.contains("562949953421313"), "{below}");
    // There is nothing below the last row.
    screen.press(KeyCode::PageDown.into());
    screen.press(KeyCode::Down.into());
    assert_eq!(drawn(&mut screen, 80, 13).to_string(), below);
    screen.press(KeyCode::Up.into());
    let above = drawn(&mut screen, 80, 13).to_string();
    assert!(above.contains("pool.rs") || above.contains("steal.rs"), "{above}");
    screen.press(KeyCode::PageUp.into());
    assert_eq!(screen.above, 0);
}

#[test]
fn errors_are_red_and_keys_stand_out() {
    let mut screen = screen();
    screen.hear(News::Failed(ControlError::NoProcess { pid: 4711 }));
    let drawn = drawn(&mut screen, 100, 20);
    let style = |row: u16| drawn.buffer()[(0, row)].style();
    assert_eq!(style(18).fg, Some(Color::Red));
    assert!(style(19).add_modifier.contains(ratatui::style::Modifier::REVERSED));
    assert!(style(4).add_modifier.contains(ratatui::style::Modifier::BOLD));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_terminal_and_any_filter_will_do(
        width in 0..130_u16,
        height in 0..40_u16,
        filter in "\\PC{0,20}",
        above in any::<usize>(),
    ) {
        let mut screen = screen();
        screen.filter = filter;
        screen.above = above;
        drawn(&mut screen, width, height);
    }
}
