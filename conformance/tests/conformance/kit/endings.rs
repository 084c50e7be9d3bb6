//! A check whose process comes to a bad end is a rule that is broken, in words.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockscope_conformance::runner::Kit;
use lockscope_conformance::{Failure, Verdict, rules};
use lockscope_mutants::mutations::ENDINGS;

use super::support::{mutant, plugin, program};

/// What is said of LOAD-05 when initialising ends like this.
fn failure_by(kit: &Kit) -> Failure {
    let run = kit.run(&[rules::find("LOAD-05").unwrap()]).unwrap();
    match run.judged.into_iter().next().and_then(|judged| judged.verdict) {
        Some(Verdict::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn failure(name: &str) -> Failure {
    failure_by(&mutant(Some(name)))
}

fn observed(name: &str) -> String {
    let Failure { expected, observed, .. } = failure(name);
    assert_eq!(expected, "the check goes to its end");
    observed
}

#[test]
fn a_crash() {
    insta::assert_snapshot!(observed("reads-what-is-not-there"), @"the process was ended by SIGSEGV, an access to memory that is not there");
    insta::assert_snapshot!(observed("aborts"), @"the process was ended by SIGABRT: it aborted");
}

#[test]
fn an_exit() {
    insta::assert_snapshot!(observed("exits"), @"the process exited before it did, with status 0");
    insta::assert_snapshot!(observed("exits-with-an-error"), @"the process exited with status 3");
}

#[test]
fn a_process_that_waits_for_ever() {
    let kit = Kit { deadline: Duration::from_millis(300), ..mutant(Some("waits-for-ever")) };
    insta::assert_snapshot!(failure_by(&kit).observed, @"the process did not end within 0.3 s");
}

/// Nothing of its group is left, and nobody waits for it.
#[test]
fn an_exit_that_leaves_another_process() {
    let began = Instant::now();
    insta::assert_snapshot!(observed("leaves-a-process-that-waits-for-ever"), @"the process exited before it did, with status 0");
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[test]
fn runaway_memory() {
    let kit = Kit { memory: 64 << 20, ..mutant(Some("takes-all-memory")) };
    let observed = failure_by(&kit).observed;
    // It is watched every few milliseconds, and stopped by the system if it is faster.
    let words = [
        "the process took more than 64 MB of memory",
        "the process was ended by SIGABRT: it aborted; it could have no more than 128 MB of memory",
    ];
    assert!(words.contains(&&*observed), "{observed}");
}

#[test]
fn memory_that_is_not_there() {
    let failure = failure("takes-more-memory-than-there-is-at-once");
    insta::assert_snapshot!(failure.observed, @"the process was ended by SIGABRT: it aborted; it could have no more than 1024 MB of memory");
    let first = failure.output.lines().next().unwrap();
    insta::assert_snapshot!(first, @"memory allocation of 1099511627776 bytes failed");
}

#[test]
fn what_was_printed_is_shown_if_something_is_wrong() {
    let failure = failure("prints-and-fails");
    insta::assert_snapshot!(failure.expected, @"to initialise with the default values");
    insta::assert_snapshot!(failure.observed, @"an error of kind Resource: the counter cannot be opened: it is missing; install it");
    insta::assert_snapshot!(failure.output, @r"
    initialised with 3 values
    something is missing
    ");
}

#[test]
fn output_without_end_is_cut() {
    let kit = Kit { deadline: Duration::from_millis(300), ..mutant(Some("prints-without-end")) };
    let failure = failure_by(&kit);
    insta::assert_snapshot!(failure.observed, @"the process did not end within 0.3 s");
    assert!(failure.output.len() < 40_000, "{}", failure.output.len());
    let last = failure.output.lines().last().unwrap();
    insta::assert_snapshot!(last, @"… and more that is not shown");
}

/// So that each of them is tried above.
#[test]
fn every_ending_breaks_the_same_rule() {
    assert!(ENDINGS.iter().all(|ending| ending.breaks == "LOAD-05"));
}

/// The state and the parent of a process, by the kernel's letter and number; `None`
/// if there is none.
fn process(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain anything.
    let mut after_name = stat.rsplit_once(") ")?.1.split(' ');
    Some((after_name.next()?.chars().next()?, after_name.next()?.parse().ok()?))
}

fn children_of(pid: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|child| process(*child).is_some_and(|(_, parent)| parent == pid)).collect()
}

/// What `look` sees, as soon as it is something; a minute is for a test that fails.
fn eventually<T>(look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_kit_that_is_killed_leaves_no_plugin_running() {
    let mut kit = Command::new(program())
        .args(["conformance", "--rule", "LOAD-05"])
        .arg(plugin("mutants"))
        .env(lockscope_mutants::VARIABLE, "waits-for-ever")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = eventually(|| children_of(kit.id()).first().copied());
    kit.kill().unwrap();
    kit.wait().unwrap();
    // Dead, if nobody has asked yet how it ended.
    eventually(|| process(child).is_none_or(|(state, _)| state == 'Z').then_some(()));
}
