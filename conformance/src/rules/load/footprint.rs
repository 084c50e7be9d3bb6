//! What is the process's, and stays as it was.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::life;
use crate::trial::Trial;
use crate::verdict::Failure;

/// A thread that has ended is still listed for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn nothing_is_printed(trial: &mut Trial) -> Result<(), Failure> {
    let mut printed = Printed::divert()?;
    let lived = life::whole(trial, |after| match printed.text() {
        text if text.is_empty() => Ok(()),
        text => {
            let text: String = text.chars().take(200).collect();
            Err(Failure::new(format!("nothing printed up to here: {after}"), format!("{text:?}")))
        }
    });
    printed.restore();
    lived
}

/// Standard output and error, diverted into memory.
struct Printed {
    memory: File,
    before: [i32; 2],
}

impl Printed {
    fn divert() -> Result<Self, Failure> {
        // SAFETY: the calls take integers and a string that lives for ever; the
        // descriptor is ours alone.
        unsafe {
            let memory = libc::memfd_create(c"printed".as_ptr(), libc::MFD_CLOEXEC);
            if memory < 0 {
                return Err(Failure::blocked_by("LOAD-09", std::io::Error::last_os_error()));
            }
            let before = [1, 2].map(|fd| libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100));
            libc::dup2(memory, 1);
            libc::dup2(memory, 2);
            Ok(Self { memory: File::from_raw_fd(memory), before })
        }
    }

    fn text(&mut self) -> String {
        let mut bytes = Vec::new();
        // What cannot be read was not printed.
        let _ = self.memory.rewind();
        let _ = self.memory.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn restore(self) {
        for (fd, before) in [1, 2].into_iter().zip(self.before) {
            // SAFETY: the calls take integers.
            unsafe {
                libc::dup2(before, fd);
                libc::close(before);
            }
        }
    }
}

pub(super) fn signals_are_left_alone(trial: &mut Trial) -> Result<(), Failure> {
    let (handlers, blocked) = (handlers(), blocked());
    life::whole(trial, |after| {
        let changed = self::handlers().into_iter().zip(&handlers).find(|(now, then)| now != *then);
        if let Some(((signal, ..), _)) = changed {
            let expected = format!("every signal handled as before, up to here: {after}");
            return Err(Failure::new(expected, format!("another action for signal {signal}")));
        }
        let changed = self::blocked().symmetric_difference(&blocked).copied().next();
        changed.map_or(Ok(()), |signal| {
            let expected = format!("the same signals blocked, up to here: {after}");
            Err(Failure::new(expected, format!("signal {signal} is blocked, or not any more")))
        })
    })
}

/// The real-time signals are up to here.
const LAST_SIGNAL: i32 = 64;

/// What is done on each signal: its handler and flags.
fn handlers() -> Vec<(i32, usize, i32)> {
    let of = |signal| {
        // SAFETY: the action is plain memory, for which all zeros is a value, and
        // valid for writes; nothing is set.
        let action = unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            libc::sigaction(signal, core::ptr::null(), &raw mut action);
            action
        };
        (signal, action.sa_sigaction, action.sa_flags)
    };
    (1..=LAST_SIGNAL).map(of).collect()
}

/// Which signals this thread blocks.
fn blocked() -> BTreeSet<i32> {
    // SAFETY: the set is plain memory, for which all zeros is a value, and valid for
    // writes; nothing is set.
    let set = unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut set);
        set
    };
    // SAFETY: the set is initialised.
    let is_blocked = |signal: &i32| unsafe { libc::sigismember(&raw const set, *signal) } == 1;
    (1..=LAST_SIGNAL).filter(is_blocked).collect()
}

pub(super) fn no_thread_is_left(trial: &mut Trial) -> Result<(), Failure> {
    let before = threads()?;
    life::whole(trial, |after| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left: Vec<String> = threads()?.difference(&before).cloned().collect();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let names: Vec<String> = left.iter().map(|thread| name(thread)).collect();
                return Err(Failure::new(
                    format!("no thread of the backend left after this: {after}"),
                    format!("{} more, named {}", left.len(), names.join(", ")),
                ));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

fn threads() -> Result<BTreeSet<String>, Failure> {
    let listed = std::fs::read_dir("/proc/self/task")
        .map_err(|error| Failure::blocked_by("LOAD-11", error))?;
    Ok(listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

fn name(thread: &str) -> String {
    let name = std::fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
    format!("'{}'", name.unwrap_or_default().trim())
}

pub(super) fn no_descriptor_is_left(trial: &mut Trial) -> Result<(), Failure> {
    let before = descriptors()?;
    life::whole(trial, |after| {
        let left: Vec<String> = descriptors()?
            .difference(&before)
            .map(|(_, target)| target.display().to_string())
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            format!("no file descriptor of the backend left after this: {after}"),
            format!("{} more, of {}", left.len(), left.join(", ")),
        ))
    })
}

/// The open descriptors, and what they lead to.
fn descriptors() -> Result<BTreeSet<(String, PathBuf)>, Failure> {
    let folder =
        File::open("/proc/self/fd").map_err(|error| Failure::blocked_by("LOAD-12", error))?;
    // By its own descriptor, so that it is known which one the listing adds.
    let own = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    let listed = std::fs::read_dir(&own).map_err(|error| Failure::blocked_by("LOAD-12", error))?;
    let entry = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        let is_own = target.starts_with("/proc") && target.ends_with("fd");
        (!is_own).then(|| (entry.file_name().to_string_lossy().into_owned(), target))
    };
    Ok(listed.flatten().filter_map(entry).collect())
}
