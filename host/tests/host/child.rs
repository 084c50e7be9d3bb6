//! The program under test: this very executable, told by a variable what to
//! do. Started without it, as one of the tests, it does nothing.

use std::process::Command;

use lockscope::parking_lot::Mutex;

/// Says what to do, and makes the test below a program.
const TASK: &str = "HOST_TEST_TASK";

/// The program: `lock N` locks a mutex N times; `exit`, `kill` and `sleep` do
/// what they say; several are done one after the other.
#[test]
fn child() {
    let Ok(tasks) = std::env::var(TASK) else { return };
    for task in tasks.split(',') {
        perform(task);
    }
    std::process::exit(0);
}

fn perform(task: &str) {
    static LOCK: Mutex<u64> = Mutex::new(0);
    let (verb, number) = task.split_once(' ').unwrap_or((task, "0"));
    let number: i32 = number.parse().unwrap();
    match verb {
        "lock" => (0..number).for_each(|_| *LOCK.lock() += 1),
        "print" => println!("stdout of the program"),
        "sleep" => std::thread::sleep(std::time::Duration::from_millis(number as u64)),
        "exit" => std::process::exit(number),
        // SAFETY: the call takes integers only.
        "kill" => unsafe {
            libc::kill(libc::getpid(), number);
            // A signal for the process may reach another thread first.
            libc::pause();
        },
        other => panic!("no task {other}"),
    }
}

/// Arguments and environment of the program that does `tasks`.
pub(crate) fn add_to(command: &mut Command, tasks: &str) {
    let program = std::env::current_exe().unwrap();
    command.arg(program).args(["--exact", "child::child", "--nocapture"]).env(TASK, tasks);
}
