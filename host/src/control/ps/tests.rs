//! The list as people see it.

use super::super::fake::status;
use super::super::target::State;
use super::*;

fn processes() -> Vec<Process> {
    let stopped = Status {
        command: vec!["/usr/bin/\u{1b}[31mserver".to_owned()],
        state: State::Stopped,
        started_unix_ns: None,
        length_ns: None,
        samples: None,
        backend: "lazy".to_owned(),
        ..status()
    };
    let asleep = Status { state: State::Asleep, samples: Some(1_234_567), ..status() };
    vec![
        Process { pid: 4711, status: Ok(status()) },
        Process { pid: 12, status: Ok(stopped) },
        Process { pid: 1_234_567, status: Ok(asleep) },
        // No process has this number, so that the kernel says nothing of it.
        Process {
            pid: 1 << 30,
            status: Err(ControlError::Silent { pid: 1 << 30, patience: PATIENCE }),
        },
    ]
}

#[test]
fn in_as_many_columns_as_it_takes() {
    insta::assert_snapshot!(listing(&processes(), None), @r"
           pid  backend  state           since    samples  command
          4711  wrapper  running    12.3 s ago     45,210  ./indexer --threads 8
            12  lazy     stopped             –          –  /usr/bin/�[31mserver
       1234567  wrapper  asleep     12.3 s ago  1,234,567  ./indexer --threads 8
    1073741824  –        no answer           –          –
    ");
}

#[test]
fn in_50_columns() {
    insta::assert_snapshot!(listing(&processes(), Some(50)), @r"
           pid  backend  state           since    sam…
          4711  wrapper  running    12.3 s ago     45…
            12  lazy     stopped             –       …
       1234567  wrapper  asleep     12.3 s ago  1,234…
    1073741824  –        no answer           –       …
    ");
}

#[test]
fn nobody_listens() {
    assert_eq!(
        listing(&[], None),
        "No process can be controlled. Start one with `lockscope run -- PROGRAM`; it listens from its first watched lock on.\n"
    );
}

#[test]
fn why_a_process_says_nothing() {
    let state = |error: ControlError| cells(&Process { pid: 8, status: Err(error) })[2].clone();
    assert_eq!(state(ControlError::Silent { pid: 8, patience: PATIENCE }), "no answer");
    assert_eq!(state(ControlError::Version { pid: 8, found: 2 }), "other version");
    assert_eq!(state(ControlError::Gone { pid: 8 }), "unreachable");
}
