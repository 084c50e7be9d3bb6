//! The process that makes one check.

use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lockscope_host::loader::Plugin;

use crate::rules;
use crate::runner::{About, process};
use crate::trial::Trial;
use crate::verdict::{Failure, Verdict};

/// What a child process is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// To say what the plugin says of itself.
    Describe,
    /// To check the rule with this id.
    Check(String),
}

/// Does its task, tells the result, and ends the process.
///
/// The result goes through a socket of its own, which the parent has made this
/// process's standard input: standard output and error are the plugin's to
/// misuse.
pub fn be_child(task: &Task, mut trial: Trial, memory: u64) -> ! {
    let mut parent = take_stdin();
    end_with(&parent);
    limit(memory);
    let said = match task {
        Task::Describe => about(&trial),
        Task::Check(id) => serde_json::to_vec(&check(id, &mut trial)).unwrap_or_default(),
    };
    let told = parent.write_all(&said).and_then(|()| parent.flush());
    // Nothing of the plugin's runs after its verdict: a thread that waits for ever
    // must not keep the process.
    // SAFETY: the call ends the process.
    unsafe { libc::_exit(i32::from(told.is_err())) }
}

fn about(trial: &Trial) -> Vec<u8> {
    let Ok(plugin) = Plugin::open(trial.path()) else { return Vec::new() };
    let about = About {
        name: plugin.description.name.to_string(),
        version: plugin.description.version.to_string(),
        abi: plugin.abi_version,
    };
    serde_json::to_vec(&about).unwrap_or_default()
}

fn check(id: &str, trial: &mut Trial) -> Verdict {
    let Some(check) = rules::find(id).and_then(|rule| rule.check) else {
        return Verdict::NotRun { because: id.to_owned(), why: "it has no check".to_owned() };
    };
    match catch_unwind(AssertUnwindSafe(|| check(trial))) {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(failure)) => failure.into_verdict(),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            let observed = format!("the check panicked: {}", text.unwrap_or("not with text"));
            Verdict::Failed(Failure::new("the check goes to its end", observed))
        }
    }
}

/// If whoever judges, and holds the other end of `parent`, is killed, nobody is left
/// to end a plugin that hangs: this process ends as well, now or whenever that is.
fn end_with(parent: &UnixStream) {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY:
    // - the first call takes integers; the thread that has started this process waits
    //   for it, so its end, which is what the kernel looks at, is the parent's;
    // - the second writes one byte at most, to where there is room for it.
    let is_over = unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // The parent says nothing, so there is nothing to read until it is gone.
        libc::recv(parent.as_raw_fd(), (&raw mut byte).cast(), 1, flags) == 0
    };
    if is_over {
        std::process::exit(1);
    }
}

/// The socket that is standard input, which is empty from now on.
fn take_stdin() -> UnixStream {
    // SAFETY:
    // - the calls take integers, and a string that lives for ever;
    // - the copy of the descriptor is ours alone.
    unsafe {
        let copy = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 100);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        libc::dup2(null, 0);
        libc::close(null);
        UnixStream::from(OwnedFd::from_raw_fd(copy))
    }
}

/// Limits what the process can map for data.
fn limit(memory: u64) {
    let most = process::limit(memory);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the limit is valid for the call.
    unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) };
}
