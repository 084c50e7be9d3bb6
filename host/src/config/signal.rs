//! Signals by their names.

use std::fmt;

use super::Given;
use crate::error::{HostError, nearest};

const REAL_TIME: &str = "RTMIN+";
/// Stands for no signal.
const NONE: &str = "none";
const EXPECTED: &str = "a signal that a program can spare: one of USR1, USR2, HUP, ALRM, VTALRM, PROF, URG, WINCH, IO, PWR and RTMIN+1 to RTMIN+15; or none";

/// Those that nothing but the program's own habits needs. All others cannot be
/// caught, or tell of a fault, or are how a program is ended, stopped or told of
/// its children: whoever takes them takes them from everybody.
const SPARE: [(&str, libc::c_int); 10] = [
    ("USR1", libc::SIGUSR1),
    ("USR2", libc::SIGUSR2),
    ("HUP", libc::SIGHUP),
    ("ALRM", libc::SIGALRM),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("URG", libc::SIGURG),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("PWR", libc::SIGPWR),
];
/// Names that are right, and of no use here: nobody has mistyped them.
const KEPT: [&str; 19] = [
    "ABRT", "BUS", "CHLD", "CONT", "FPE", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "STOP",
    "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "XCPU",
];
/// There are 30 at least; the C library keeps the first few for itself, and
/// `RTMIN` is the first that it does not.
const REAL_TIME_OFFSETS: core::ops::RangeInclusive<libc::c_int> = 1..=15;

/// A signal that may be caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    number: libc::c_int,
}

impl Signal {
    /// Its number on this system.
    #[must_use]
    pub fn number(self) -> i32 {
        self.number
    }

    /// The signal that is called so, with or without `SIG`.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        if let Some(offset) = name.strip_prefix(REAL_TIME) {
            let offset = offset.parse().ok().filter(|offset| REAL_TIME_OFFSETS.contains(offset))?;
            return Some(Self { number: libc::SIGRTMIN() + offset });
        }
        let known = SPARE.iter().find(|(known, _)| *known == name);
        known.map(|&(_, number)| Self { number })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SPARE.iter().find(|(_, number)| *number == self.number) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "SIG{REAL_TIME}{}", self.number - libc::SIGRTMIN()),
        }
    }
}

/// The signal that is named, if one is.
pub(super) fn signal(given: &Given) -> Result<Option<Signal>, HostError> {
    let text = given.one(EXPECTED)?;
    if text == NONE {
        return Ok(None);
    }
    Signal::named(&text).map(Some).ok_or_else(|| {
        let bare = text.to_ascii_uppercase();
        let bare = bare.strip_prefix("SIG").unwrap_or(&bare);
        let names = SPARE.iter().map(|(name, _)| *name);
        given.bad(&text, EXPECTED, nearest(bare, names).filter(|_| !KEPT.contains(&bare)))
    })
}
