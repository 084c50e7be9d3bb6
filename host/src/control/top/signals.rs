//! Signals that end a process, kept waiting until the terminal is as it was.

/// What a user or a system sends to end a command.
const ENDING: [libc::c_int; 4] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP];

/// Signals that are asked for instead of being acted upon.
pub(super) struct Signals {
    blocked: libc::sigset_t,
}

impl Signals {
    /// Blocks them, in this thread and those that it starts.
    pub(super) fn block() -> Self {
        // SAFETY: the set is plain memory, for which all zeros is a value, and
        // valid for the calls.
        unsafe {
            let mut blocked: libc::sigset_t = core::mem::zeroed();
            libc::sigemptyset(&raw mut blocked);
            for signal in ENDING {
                libc::sigaddset(&raw mut blocked, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, core::ptr::null_mut());
            Self { blocked }
        }
    }

    /// One that has come.
    pub(super) fn pending(&self) -> Option<i32> {
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: set and time are valid for the call; nothing is asked of the
        // signal but its number.
        let signal = unsafe {
            libc::sigtimedwait(&raw const self.blocked, core::ptr::null_mut(), &raw const at_once)
        };
        (signal > 0).then_some(signal)
    }
}
