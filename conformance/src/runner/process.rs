//! A child process, from its start to its end, whatever that is.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Kit, Task, locked};

/// How a child process ended.
pub(super) struct Ending {
    pub(super) how: How,
    /// What it told its parent.
    pub(super) said: Vec<u8>,
    /// What it wrote to standard output and error.
    pub(super) output: String,
}

/// Why it ended.
pub(super) enum How {
    /// By itself.
    Ended(ExitStatus),
    /// It took longer than this.
    TooLong(Duration),
    /// It had more memory than this, in bytes.
    TooLarge(u64),
}

/// The most that a process can map for data, if it may use `memory` bytes: who
/// watches from outside may be too slow for one that takes all at once.
pub(super) fn limit(memory: u64) -> u64 {
    memory.saturating_mul(2)
}

/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Who keeps a pipe open after its process has ended is waited for so long.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// The verdict itself is waited for longer: it has been written, and the thread
/// that reads it may be slow to run on a machine that has much else to do.
const LAST_VERDICT: Duration = Duration::from_secs(5);
/// So much of what a process writes is kept, in bytes.
const MOST_OUTPUT: usize = 16 << 10;

impl How {
    /// What is wrong with it, in words; none if it ended as it should.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            Self::Ended(status) if status.success() => None,
            Self::Ended(status) => Some(match (status.code(), status.signal()) {
                (Some(code), _) => format!("the process exited with status {code}"),
                (_, Some(signal)) => format!("the process was ended by {}", signal_name(signal)),
                _ => format!("the process ended: {status}"),
            }),
            Self::TooLong(most) => {
                Some(format!("the process did not end within {} s", most.as_secs_f64()))
            }
            Self::TooLarge(most) => {
                Some(format!("the process took more than {} MB of memory", most >> 20))
            }
        }
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGSEGV => "SIGSEGV, an access to memory that is not there",
        libc::SIGABRT => "SIGABRT: it aborted",
        libc::SIGBUS => "SIGBUS, an access to memory that cannot be had",
        libc::SIGILL => "SIGILL, an instruction that does not exist",
        libc::SIGFPE => "SIGFPE, an impossible calculation",
        libc::SIGKILL => "SIGKILL, which the kit did not send",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

/// Starts the process for `task`, and waits for its end.
pub(super) fn run(kit: &Kit, task: &Task) -> io::Result<Ending> {
    let (parent, stdin) = UnixStream::pair()?;
    let mut child = command(kit, task).stdin(Stdio::from(OwnedFd::from(stdin))).spawn()?;
    let said = collect(parent, usize::MAX);
    let stdout = child.stdout.take().map(|pipe| collect(pipe, MOST_OUTPUT));
    let stderr = child.stderr.take().map(|pipe| collect(pipe, MOST_OUTPUT));
    let how = wait(&mut child, kit)?;
    let text = |pipe: Option<Collected>| pipe.map_or_else(String::new, Collected::text);
    let output = text(stdout) + &text(stderr);
    Ok(Ending { how, said: said.end(LAST_VERDICT).bytes, output })
}

fn command(kit: &Kit, task: &Task) -> Command {
    let mut command = Command::new(&kit.program);
    command.arg("conformance");
    match task {
        Task::Describe => command.arg("--child-describe"),
        Task::Check(id) => command.args(["--child", id]),
    };
    command.args(["--seed", &kit.seed.to_string()]);
    command.args(["--memory", &kit.memory.to_string()]);
    for (key, value) in &kit.set {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command.arg("--").arg(&kit.plugin);
    // What configures the host would configure its sessions here, too.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOCKSCOPE_") {
            command.env_remove(name);
        }
    }
    // Empty: no `lockscope.toml` is read.
    command.env("LOCKSCOPE_CONFIG", "");
    command.envs(kit.environment.iter().map(|(name, value)| (name, value)));
    // A group of its own, to be ended whole.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the end of `child`, or makes it; nothing of its group is left.
fn wait(child: &mut Child, kit: &Kit) -> io::Result<How> {
    let deadline = Instant::now() + kit.deadline;
    let pid = child.id();
    let (ended, end) = channel();
    let watcher = std::thread::spawn(move || wait_without_reaping(pid, &ended));
    let stopped = loop {
        match end.recv_timeout(LOOK.min(deadline.saturating_duration_since(Instant::now()))) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if memory_of(pid).is_some_and(|bytes| bytes > kit.memory) {
            break Some(How::TooLarge(kit.memory));
        }
        if Instant::now() >= deadline {
            break Some(How::TooLong(kit.deadline));
        }
    };
    // The child is not reaped yet, so its number is its group's and nobody else's.
    // SAFETY: the call takes integers only.
    unsafe { libc::kill(-(pid as libc::pid_t), libc::SIGKILL) };
    let status = child.wait()?;
    // It ends with the process.
    let _ = watcher.join();
    Ok(stopped.unwrap_or(How::Ended(status)))
}

fn wait_without_reaping(pid: u32, ended: &Sender<()>) {
    loop {
        // SAFETY: the structure is plain memory, for which all zeros is a value, and
        // valid for writes.
        let waited = unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if waited == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    // Nobody waits if the process had to be ended.
    let _ = ended.send(());
}

/// How much memory a process has, in bytes.
fn memory_of(pid: u32) -> Option<u64> {
    let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    // SAFETY: the call takes an integer only.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(resident * page as u64)
}

/// What comes out of a pipe.
struct Collected {
    kept: Arc<Mutex<Kept>>,
    done: Receiver<()>,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// So many bytes more have come.
    more: u64,
}

/// Reads `pipe` to its end on a thread of its own; keeps the first `most` bytes.
fn collect(mut pipe: impl Read + Send + 'static, most: usize) -> Collected {
    let (done, is_done) = channel();
    let collected = Collected { kept: Arc::default(), done: is_done };
    let kept = Arc::clone(&collected.kept);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            let mut kept = locked(&kept);
            let room = read.min(most - kept.bytes.len());
            kept.bytes.extend_from_slice(&buffer[..room]);
            kept.more += (read - room) as u64;
        }
        // Nobody waits any more if somebody else has kept the pipe.
        let _ = done.send(());
    });
    collected
}

impl Collected {
    /// What has come, when the pipe has ended, or its writer should have.
    fn end(self, most: Duration) -> Kept {
        let _ = self.done.recv_timeout(most);
        core::mem::take(&mut locked(&self.kept))
    }

    /// The same, for people.
    fn text(self) -> String {
        let Kept { bytes, more } = self.end(LAST_WORDS);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if more > 0 {
            // In the middle of a line, most likely.
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
            text.push_str("… and more that is not shown\n");
        }
        text
    }
}
