//! More locks than a backend has records for: memory is bounded, and what is
//! dropped is counted.
//!
//! Memory is that of a whole process, so each program is one of its own.

use std::process::Output;

use lockscope::parking_lot::Mutex;
use lockscope_host::report::model::ReportFile;

use crate::support::{
    acquisitions, awake, folder, for_each_backend, plugins, report, run, stderr, stdout,
};

const LOCKS: u32 = 100_000;
const MAX_LOCKS: u32 = 1_000;

/// A record with one call site and one hold takes half a kilobyte, and the
/// table of a thousand some tens: this is twice that, and a tenth of what all
/// locks would take.
const MOST_BYTES: i64 = 3 << 20;

/// In the program under test: makes so many locks and takes each once. By how
/// many bytes that has made the process grow.
pub(crate) fn take_many(number: i32) -> i64 {
    let locks: Vec<_> = (0..number).map(|_| Mutex::named("one of many", ())).collect();
    take_first();
    let before = resident_bytes();
    locks.iter().for_each(|lock| drop(lock.lock()));
    let grown = resident_bytes() - before;
    // They are there when the session ends.
    std::mem::forget(locks);
    grown
}

/// In the program under test: as [`take_many`], of locks that are dropped before
/// the next is made.
pub(crate) fn take_passing(number: i32) -> i64 {
    take_first();
    let before = resident_bytes();
    (0..number).for_each(|_| drop(Mutex::named("passing", ()).lock()));
    resident_bytes() - before
}

/// The first operation of the process opens the host, which is large.
fn take_first() {
    static FIRST: Mutex<()> = Mutex::named("first", ());
    drop(FIRST.lock());
}

/// What of this process is in memory and no file's, by proc(5): how much of a library
/// has been read depends on which of the host's threads have run.
fn resident_bytes() -> i64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: Vec<i64> = pages.split(' ').map(|number| number.trim().parse().unwrap()).collect();
    let [_, resident, of_files, ..] = pages[..] else { panic!("{pages:?}") };
    // SAFETY: the call takes an integer and returns one.
    (resident - of_files) * unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
}

/// What the backend reports of the program that does `task`, and by how many
/// bytes it has grown.
fn profiled(name: &str, task: &str) -> (ReportFile, i64) {
    let (dir, plugins) = (folder(), plugins());
    let flags = ["--backend", name, "--period", "1", "--plugin-path", plugins.to_str().unwrap()];
    let mut table = format!("[{name}]\nmax_locks = {MAX_LOCKS}\n");
    awake(name).iter().for_each(|(key, value)| table += &format!("{key} = {value}\n"));
    std::fs::write(dir.path().join("lockscope.toml"), table).unwrap();
    let output = run(dir.path(), &flags, &format!("{task} {LOCKS}")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (report(&dir.path().join("lockscope.json")), grown(&output))
}

fn grown(output: &Output) -> i64 {
    let said = stdout(output);
    let grown = said.lines().find_map(|line| line.strip_prefix("grown ")).unwrap();
    grown.parse().unwrap()
}

fn what_has_no_record_is_counted_as_lost(name: &str) {
    let (report, grown) = profiled(name, "many");
    let [loss] = &report.losses[..] else { panic!("{:?}", report.losses) };
    assert_eq!(loss.what, "operations of locks beyond 1000 (max_locks)");
    // One more: the first.
    assert_eq!(report.locks.len(), MAX_LOCKS as usize);
    assert_eq!(acquisitions(&report, None), f64::from(MAX_LOCKS));
    assert_eq!(acquisitions(&report, None) + loss.count as f64, f64::from(LOCKS + 1));
    assert!(grown < MOST_BYTES, "{grown} bytes");
}

fn a_lock_that_is_gone_makes_room(name: &str) {
    let (report, grown) = profiled(name, "passing");
    assert_eq!(report.losses, []);
    assert_eq!(acquisitions(&report, Some("passing")), f64::from(LOCKS));
    let passing = report.locks.iter().find(|lock| lock.name.as_deref() == Some("passing")).unwrap();
    assert_eq!((passing.id, passing.locks), (0, u64::from(LOCKS)));
    assert!(grown < MOST_BYTES, "{grown} bytes");
}

for_each_backend!(what_has_no_record_is_counted_as_lost, a_lock_that_is_gone_makes_room,);
