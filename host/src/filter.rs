//! Which locks a session watches.
//!
//! The recorder asks once when a session meets a lock, and keeps the answer in
//! the lock's slot; for a lock without slot it asks before each event. Either is
//! inside a lock operation of the program, perhaps of its allocator: nothing here
//! allocates, locks, prints or panics once the filter is made.

mod glob;
mod module;
mod pattern;

pub(crate) use glob::{joined, split_list};
pub use pattern::LockPattern;

use lockscope_core::Probe;
use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::site::SiteInfo;
use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};

use crate::config::Placed;
use crate::report::model::Filters;
use crate::report::units::plural;
use module::ModulePath;

/// The filter of one session, which notes what it does.
///
/// A lock passes if it matches one of the patterns to include, or there are
/// none, and none of those to exclude.
#[derive(Debug)]
pub struct Filter {
    include: Vec<Noted>,
    exclude: Vec<Noted>,
    excluded: Tally,
}

/// How many locks did not pass. Relaxed: nothing hangs on it.
///
/// All locks are met again when gates open for another part of the session, so
/// parts are counted apart, and the greatest count stands.
#[derive(Debug, Default)]
struct Tally {
    /// Number of the part in the upper half, its count in the lower.
    part: AtomicU64,
    /// The greatest count of a part that is over.
    most: AtomicU64,
}

/// A pattern, and whether it was of any use.
#[derive(Debug)]
struct Noted {
    pattern: Placed<LockPattern>,
    /// Whether a lock matched. Relaxed: nothing hangs on it.
    has_matched: AtomicBool,
}

/// What a filter goes by.
#[derive(Clone, Copy, Debug)]
pub struct KnownLock<'a> {
    /// What the lock is.
    pub kind: LockKind,
    /// Its name, if it has one.
    pub name: Option<&'a str>,
    /// Where it was made, if known.
    pub origin: Option<Origin<'a>>,
}

/// Where a lock was made.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Path of the source file.
    pub file: &'a str,
    /// Line, from 1; 0 if not known.
    pub line: u32,
    /// Column, from 1; 0 if not known.
    pub column: u32,
}

impl Filter {
    /// The filter of a session; `None` if all locks pass.
    #[must_use]
    pub fn new(include: &[Placed<LockPattern>], exclude: &[Placed<LockPattern>]) -> Option<Self> {
        let noted = |patterns: &[Placed<LockPattern>]| -> Vec<Noted> {
            let noted = |pattern: &Placed<LockPattern>| Noted {
                pattern: pattern.clone(),
                has_matched: AtomicBool::new(false),
            };
            patterns.iter().map(noted).collect()
        };
        let (include, exclude) = (noted(include), noted(exclude));
        let is_needed = !include.is_empty() || !exclude.is_empty();
        is_needed.then(|| Self { include, exclude, excluded: Tally::default() })
    }

    /// Whether the session watches the lock.
    #[must_use]
    pub fn admits(&self, lock: &KnownLock<'_>) -> bool {
        let needs_module = self.patterns().any(LockPattern::needs_module);
        let origin = lock.origin.filter(|_| needs_module);
        let module = origin.and_then(|origin| ModulePath::of(origin.file));
        // Each is asked, whatever others say: one that matches nothing is told.
        let matched = |patterns: &[Noted]| {
            let matched = patterns.iter().filter(|noted| noted.matches(lock, module.as_ref()));
            matched.count() > 0
        };
        let (included, excluded) = (matched(&self.include), matched(&self.exclude));
        (included || self.include.is_empty()) && !excluded
    }

    /// Whether the session watches the lock that `probe` describes.
    ///
    /// # Safety
    ///
    /// - `lock` comes from `probe`, within the call that it was handed to.
    pub(crate) unsafe fn admits_described(&self, lock: &LockRef, probe: Option<&Probe>) -> bool {
        let mut site = SiteInfo::UNKNOWN;
        let is_needed = self.patterns().any(LockPattern::needs_origin);
        let is_known = is_needed
            && lock.created.is_known()
            && probe.is_some_and(|probe| {
                // SAFETY: the site came from this probe; `site` is valid for
                // writes.
                unsafe { (probe.resolve)(lock.created, &raw mut site) }
            });
        // SAFETY: as the probe filled it in.
        let file = is_known.then(|| unsafe { site.file() }).flatten();
        let origin = file.map(|file| Origin { file, line: site.line, column: site.column });
        // SAFETY: the lock comes from a probe.
        let name = unsafe { lock.name() };
        let admitted = self.admits(&KnownLock { kind: lock.kind, name, origin });
        // A lock that is met shows its slot; others are asked about repeatedly.
        if !admitted && !lock.slot.is_null() {
            self.excluded.add(probe.map_or(0, |probe| probe.gate.generation()));
        }
        admitted
    }

    fn patterns(&self) -> impl Iterator<Item = &LockPattern> {
        self.include.iter().chain(&self.exclude).map(|noted| &noted.pattern.value)
    }

    /// The patterns, as a report shows them.
    pub(crate) fn shown(&self) -> Filters {
        let shown = |patterns: &[Noted]| {
            patterns.iter().map(|noted| noted.pattern.value.to_string()).collect()
        };
        Filters { include: shown(&self.include), exclude: shown(&self.exclude) }
    }

    /// What a reader of the report should know.
    pub(crate) fn notes(&self) -> Vec<String> {
        let excluded = self.excluded.most();
        let mut notes = vec![format!(
            "Filters held, and {} left out: {}.",
            if excluded == 1 {
                "1 lock was".to_owned()
            } else {
                format!("{} were", plural(excluded, "lock"))
            },
            self.shown()
        )];
        for (key, patterns) in [("include", &self.include), ("exclude", &self.exclude)] {
            let idle = patterns.iter().filter(|noted| !noted.has_matched.load(Ordering::Relaxed));
            notes.extend(idle.map(|Noted { pattern: Placed { value, place }, .. }| {
                format!("No lock matched the pattern '{value}' of '{key}' ({place}).")
            }));
        }
        notes
    }
}

impl Tally {
    /// Counts a lock in the part of this number.
    fn add(&self, part: u32) {
        let stamp = u64::from(part) << 32;
        let relaxed = Ordering::Relaxed;
        let next = |word: u64| if word >> 32 == stamp >> 32 { word + 1 } else { stamp | 1 };
        let mut word = self.part.load(relaxed);
        while let Err(other) = self.part.compare_exchange_weak(word, next(word), relaxed, relaxed) {
            word = other;
        }
        self.most.fetch_max(count_in(word), relaxed);
    }

    fn most(&self) -> u64 {
        let relaxed = Ordering::Relaxed;
        self.most.load(relaxed).max(count_in(self.part.load(relaxed)))
    }
}

/// The count in a word of [`Tally::part`].
fn count_in(word: u64) -> u64 {
    u64::from(word as u32)
}

impl Noted {
    fn matches(&self, lock: &KnownLock<'_>, module: Option<&ModulePath>) -> bool {
        let matches = self.pattern.value.matches(lock, module);
        // Looked at first: a line that is only read can be shared.
        if matches && !self.has_matched.load(Ordering::Relaxed) {
            self.has_matched.store(true, Ordering::Relaxed);
        }
        matches
    }
}

#[cfg(test)]
mod tests;
