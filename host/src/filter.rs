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
    /// Locks with a slot that did not pass. Relaxed: nothing hangs on it.
    excluded: AtomicU64,
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
        is_needed.then(|| Self { include, exclude, excluded: AtomicU64::new(0) })
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
    #[must_use]
    pub unsafe fn admits_described(&self, lock: &LockRef, probe: Option<&Probe>) -> bool {
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
        // One without an id is asked about again and again.
        if !admitted && lock.id != 0 {
            self.excluded.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    fn patterns(&self) -> impl Iterator<Item = &LockPattern> {
        self.include.iter().chain(&self.exclude).map(|noted| &noted.pattern.value)
    }

    /// The patterns, as a report shows them.
    #[must_use]
    pub fn shown(&self) -> Filters {
        let shown = |patterns: &[Noted]| {
            patterns.iter().map(|noted| noted.pattern.value.to_string()).collect()
        };
        Filters { include: shown(&self.include), exclude: shown(&self.exclude) }
    }

    /// What a reader of the report should know.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let excluded = self.excluded.load(Ordering::Relaxed);
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
