//! The program as a child: its signals, and its end as our own.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use super::progress::Progress;
use crate::tell::tell;

/// How long a look at the child can be late, if the kernel does not tell.
const LOOK: Duration = Duration::from_millis(250);
/// What a shell adds to a signal's number to make an exit status of it.
const SIGNAL_STATUS: i32 = 128;

/// Signals that are answered here instead of ending this process. The
/// terminal sends its signals to the child as well.
const ANSWERED: [libc::c_int; 7] = [
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGCHLD,
];

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Killed(signal.unwrap_or(libc::SIGKILL)),
        }
    }
}

/// The signal mask as it was before [`SignalMask::block`].
#[derive(Clone)]
pub(super) struct SignalMask {
    before: libc::sigset_t,
    answered: libc::sigset_t,
}

impl SignalMask {
    /// Blocks the signals that are answered here; they are then waited for.
    pub(super) fn block() -> Self {
        // SAFETY: signal sets are plain memory, for which all zeros is a
        // value, and are valid for writes. A child's end must not be ignored,
        // which a parent may have asked for, or nobody could wait for it.
        unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            let mut mask = Self { before: core::mem::zeroed(), answered: core::mem::zeroed() };
            libc::sigemptyset(&raw mut mask.answered);
            for signal in ANSWERED {
                libc::sigaddset(&raw mut mask.answered, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const mask.answered, &raw mut mask.before);
            mask
        }
    }

    /// The mask as it was; safe to call between fork and exec.
    pub(super) fn restore(&self) -> io::Result<()> {
        // SAFETY: the set is one that held before.
        let status = unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, core::ptr::null_mut())
        };
        if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(status)) }
    }

    /// The next signal, and whether a process sent it; `None` if none came.
    fn next(&self) -> Option<(libc::c_int, bool)> {
        let patience =
            libc::timespec { tv_sec: 0, tv_nsec: libc::c_long::from(LOOK.subsec_nanos() as i32) };
        // SAFETY: all three are valid for the call; the information is plain
        // memory.
        unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let signal =
                libc::sigtimedwait(&raw const self.answered, &raw mut info, &raw const patience);
            // Not above 0: sent by a process. Above: by the kernel, which told
            // the child as well if it was for the terminal's group.
            (signal > 0).then_some((signal, info.si_code <= 0))
        }
    }
}

/// Waits for the child's end and passes signals on to it.
pub(super) fn wait(mut child: Child, mask: &SignalMask, progress: Option<Progress>) -> Ending {
    let mut progress = progress;
    let ending = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.into(),
            Ok(None) => {}
            Err(error) => {
                tell(format_args!("the program's end cannot be seen: {error}"));
                break Ending::Exited(SIGNAL_STATUS);
            }
        }
        match mask.next() {
            None | Some((libc::SIGCHLD, _)) => {}
            Some((signal, true)) => send(&child, signal),
            Some((_, false)) => {}
        }
        if let Some(progress) = &mut progress {
            progress.show(child.id());
        }
    };
    if let Some(progress) = &mut progress {
        progress.clear();
    }
    ending
}

fn send(child: &Child, signal: libc::c_int) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: the call takes integers only; the child was not waited for
        // yet, so the number is still its own.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Ends this process as the child ended: with its status, or by its signal,
/// so that whoever waits for us sees what it would have seen.
pub(crate) fn become_ending(ending: Ending) -> ! {
    let signal = match ending {
        Ending::Exited(status) => std::process::exit(status),
        Ending::Killed(signal) => signal,
    };
    // SAFETY: the sets and limits are valid for the calls; the default action
    // of the signal ends the process, without a second core dump.
    unsafe {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        libc::signal(signal, libc::SIG_DFL);
        let mut only: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const only, core::ptr::null_mut());
        libc::raise(signal);
    }
    std::process::exit(SIGNAL_STATUS + signal)
}
