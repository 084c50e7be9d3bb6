//! The program under test: this very executable, told by a variable what to
//! do. Started without it, as one of the tests, it does nothing.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use lockscope::parking_lot::Mutex;

/// Says what to do, and makes the test below a program.
const TASK: &str = "HOST_TEST_TASK";

/// After so many seconds a signal ends the program.
const LONGEST_S: u32 = 60;

static LOCK: Mutex<u64> = Mutex::named("counter", 0);

/// The program. It performs its tasks, which stand between commas, one after
/// the other; those of a process that it starts stand between semicolons.
#[test]
fn child() {
    let Ok(tasks) = std::env::var(TASK) else { return };
    // What it waits for may never come.
    // SAFETY: the call takes an integer only.
    unsafe { libc::alarm(LONGEST_S) };
    tasks.split(',').for_each(perform);
    std::process::exit(0);
}

fn perform(task: &str) {
    let (verb, object) = task.split_once(' ').unwrap_or((task, ""));
    match verb {
        "lock" => (0..number(object)).for_each(|_| *LOCK.lock() += 1),
        "threads" => lock_in_threads(number(object)),
        "many" => say(&format!("grown {}", crate::many::take_many(number(object)))),
        "passing" => say(&format!("grown {}", crate::many::take_passing(number(object)))),
        "profile" => profile(number(object)),
        "load" => say(&format!("locked {}", lock_until_told())),
        "deadlock" => crate::deadlock::run_into_it(),
        "print" => say("stdout of the program"),
        "exit" => std::process::exit(number(object)),
        // SAFETY: the call ends the process.
        "_exit" => unsafe { libc::_exit(number(object)) },
        "kill" => kill_self(number(object)),
        "chdir" => std::env::set_current_dir(object).unwrap(),
        "catch" => catch(number(object)),
        "ready" => say(&format!("ready {}", std::process::id())),
        "await" => say(&format!("caught {}", caught())),
        "go" => drop(std::io::stdin().read(&mut [0]).unwrap()),
        "spawn" => spawn(object),
        "fork" => fork(object),
        other => panic!("no task {other}"),
    }
}

fn number(text: &str) -> i32 {
    text.parse().unwrap()
}

/// A line on stdout, which nobody holds back.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

/// Four threads take the lock `each` times.
fn lock_in_threads(each: i32) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || (0..each).for_each(|_| *LOCK.lock() += 1));
        }
    });
}

/// Profiles itself while it takes the lock so often, and until a byte comes on
/// stdin; ends after another one.
fn profile(times: i32) {
    let ready = || say(&format!("ready {}", std::process::id()));
    let go = || std::io::stdin().read_exact(&mut [0]).unwrap();
    let profiler = crate::support::backend("minimal", 1).control(true).start().unwrap();
    (0..times).for_each(|_| *LOCK.lock() += 1);
    ready();
    go();
    let report = profiler.stop().unwrap();
    ready();
    go();
    say(&format!("recorded {}", crate::support::acquisitions(&report, None)));
}

/// Four threads take the lock until a byte comes on stdin: how often.
fn lock_until_told() -> u64 {
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let lock = || {
            let mut times = 0;
            while goes_on.load(Ordering::Relaxed) {
                *LOCK.lock() += 1;
                times += 1;
            }
            times
        };
        let threads = [(); 4].map(|()| scope.spawn(lock));
        std::io::stdin().read_exact(&mut [0]).unwrap();
        goes_on.store(false, Ordering::Relaxed);
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    })
}

fn kill_self(signal: i32) {
    // SAFETY: the calls take integers only. A signal for the process may reach
    // another thread first.
    unsafe {
        libc::kill(libc::getpid(), signal);
        libc::pause();
    }
}

/// What the handler writes to, and `await` reads from.
static CAUGHT: OnceLock<(OwnedFd, OwnedFd)> = OnceLock::new();

extern "C" fn note(signal: libc::c_int) {
    let Some((_, write)) = CAUGHT.get() else { return };
    let number = [signal as u8];
    // SAFETY: the byte is valid for the call, which a handler may make.
    unsafe { libc::write(write.as_raw_fd(), number.as_ptr().cast(), 1) };
}

/// Catches the signal once: a second one ends the program.
fn catch(signal: i32) {
    CAUGHT.get_or_init(|| {
        let (read, write) = std::io::pipe().unwrap();
        (read.into(), write.into())
    });
    let handler: extern "C" fn(libc::c_int) = note;
    // SAFETY: the action is plain memory, for which all zeros is a value, and
    // valid for the call; the handler does only what a handler may.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_RESETHAND;
        assert_eq!(libc::sigaction(signal, &raw const action, core::ptr::null_mut()), 0);
    }
}

fn caught() -> u8 {
    let (read, _) = CAUGHT.get().expect("`catch` comes first");
    let mut number = [0];
    // SAFETY: the byte is valid for writes.
    while unsafe { libc::read(read.as_raw_fd(), number.as_mut_ptr().cast(), 1) } != 1 {}
    number[0]
}

/// Runs the program again, with tasks of its own, to its end.
fn spawn(tasks: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS).env(TASK, tasks.replace(';', ","));
    assert!(command.status().unwrap().success());
}

/// Performs the tasks in a fork of this process, to its end.
fn fork(tasks: &str) {
    // SAFETY: what the child does needs none of the other threads.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        tasks.split(';').for_each(perform);
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: the status is valid for writes.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0);
}

const ARGUMENTS: [&str; 3] = ["--exact", "child::child", "--nocapture"];

/// The program that does `tasks`, without anything of ours around it.
pub(crate) fn program(tasks: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    add_to(&mut command, tasks);
    command
}

/// Makes what `command` starts, this very executable, the program that does
/// `tasks`.
pub(crate) fn add_to(command: &mut Command, tasks: &str) {
    command.args(ARGUMENTS).env(TASK, tasks);
}
