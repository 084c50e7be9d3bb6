//! The backend's configuration keys.

use lockscope_backends::settings::{self, Key, MAX_LOCKS, MAX_SITES};
use lockscope_backends::steady::CONTENTIONS_PER_SEC;
use lockscope_core::backend::{BackendError, Setting};

const NS_PER_MS: u64 = 1_000_000;
/// In milliseconds.
const DAY: u32 = 24 * 60 * 60 * 1000;

/// A window is short, so it looks more often than a session without end would.
pub(crate) const PERIOD: Key = Key { default: 10, ..settings::PERIOD };

pub(crate) const WINDOW_MS: Key = Key {
    name: "window_ms",
    default: 10_000,
    least: 1,
    most: DAY,
    help: "So many milliseconds it is awake once woken, from 1 to 86400000. Can be changed in a running session.",
};

pub(crate) const COOL_DOWN_MS: Key = Key {
    name: "cool_down_ms",
    default: 60_000,
    least: 0,
    most: DAY,
    help: "So many milliseconds after a window contention does not wake it, from 0 to 86400000; a command does. Can be changed in a running session.",
};

pub(crate) const WAKE_ON_CONTENTIONS: Key = Key {
    name: "wake_on_contentions",
    default: 0,
    least: 0,
    most: 1_000_000_000,
    help: "So many acquisitions a second that have to wait wake it, from 1 to 1000000000; 0: however many do not. Can be changed in a running session.",
};

pub(crate) const WAKE_ON_WAIT_PERCENT: Key = Key {
    name: "wake_on_wait_percent",
    default: 50,
    least: 0,
    most: 1_000_000,
    help: "So much time waited for locks wakes it, from 1 to 1000000 in percent of one thread's time; 0: however much does not. Can be changed in a running session.",
};

pub(crate) const WATCH_WINDOW_MS: Key = Key {
    name: "watch_window_ms",
    default: 200,
    least: 10,
    most: 60 * 60 * 1000,
    help: "Over so many milliseconds contention is measured that may wake it, from 10 to 3600000. Can be changed in a running session.",
};

pub(crate) const WATCH_PERCENT: Key = Key {
    name: "watch_percent",
    default: 10,
    least: 1,
    most: 100,
    help: "So much of the time it watches for contention, a window at a time, from 1 to 100 in percent; 100: always. Can be changed in a running session.",
};

pub(crate) const WAKE_AT_START: Key = Key {
    name: "wake_at_start",
    default: 0,
    least: 0,
    most: 1,
    help: "1: a first window begins with the session; 0: it begins asleep.",
};

/// In the order in which they are shown.
pub(crate) const KEYS: [&Key; 11] = [
    &WINDOW_MS,
    &COOL_DOWN_MS,
    &WAKE_ON_CONTENTIONS,
    &WAKE_ON_WAIT_PERCENT,
    &WATCH_WINDOW_MS,
    &WATCH_PERCENT,
    &WAKE_AT_START,
    &PERIOD,
    &CONTENTIONS_PER_SEC,
    &MAX_LOCKS,
    &MAX_SITES,
];

/// When it wakes up, and for how long: all of it can be changed in a running
/// session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) window_ns: u64,
    pub(crate) cool_down_ns: u64,
    /// Contended acquisitions in a second; 0 if they do not wake it.
    pub(crate) contentions: u32,
    /// Time waited in percent of one thread's; 0 if it does not wake it.
    pub(crate) wait_percent: u32,
    pub(crate) watch_ns: u64,
    /// How much of the time it watches, in percent.
    pub(crate) watch_percent: u32,
}

impl Terms {
    const KEYS: [&'static Key; 6] = [
        &WINDOW_MS,
        &COOL_DOWN_MS,
        &WAKE_ON_CONTENTIONS,
        &WAKE_ON_WAIT_PERCENT,
        &WATCH_WINDOW_MS,
        &WATCH_PERCENT,
    ];

    /// As `settings` say.
    pub(crate) fn of(settings: &[Setting]) -> Result<Self, BackendError> {
        let mut terms = Self::default();
        for key in Self::KEYS {
            terms.put(key, key.value_in(settings)?);
        }
        Ok(terms)
    }

    /// Sets what the key says; false if it is about something else.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, BackendError> {
        let Some(key) = Self::KEYS.into_iter().find(|known| known.name == key) else {
            return Ok(false);
        };
        self.put(key, key.parse(value)?);
        Ok(true)
    }

    fn put(&mut self, key: &Key, number: u32) {
        let ns = u64::from(number) * NS_PER_MS;
        match key.name {
            name if name == WINDOW_MS.name => self.window_ns = ns,
            name if name == COOL_DOWN_MS.name => self.cool_down_ns = ns,
            name if name == WAKE_ON_CONTENTIONS.name => self.contentions = number,
            name if name == WAKE_ON_WAIT_PERCENT.name => self.wait_percent = number,
            name if name == WATCH_WINDOW_MS.name => self.watch_ns = ns,
            _ => self.watch_percent = number,
        }
    }

    /// How long it does not look after it has watched for a window; 0 if it always
    /// does.
    pub(crate) fn blind_ns(&self) -> u64 {
        let percent = u64::from(self.watch_percent.clamp(1, 100));
        self.watch_ns * (100 - percent) / percent
    }

    /// Whether contention may wake it.
    pub(crate) fn watches(&self) -> bool {
        self.contentions > 0 || self.wait_percent > 0
    }
}

/// Whether a first window begins with the session.
pub(crate) fn wakes_at_start(settings: &[Setting]) -> Result<bool, BackendError> {
    Ok(WAKE_AT_START.value_in(settings)? == 1)
}
