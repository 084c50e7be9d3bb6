//! Patterns of locks, as people write them.

use std::fmt;

use lockscope_core::event::LockKind;

use super::KnownLock;
use super::glob::{Glob, atoms};
use super::module::ModulePath;
use crate::error::nearest;

/// What a pattern can be about.
const SORTS: [&str; 4] = ["name", "site", "module", "kind"];
/// What is expected of a pattern.
const PATTERN: &str = "name:GLOB, site:GLOB, module:GLOB or kind:GLOB";
/// What is expected after the colon.
const GLOB: &str = "a glob after the colon, as in name:queue*";
/// What is expected of a kind.
const KIND: &str = "a glob that fits one of the kinds mutex, rwlock, reentrant, condvar, once, barrier, spin, semaphore and futex";

/// Which locks are meant: `name:GLOB`, `site:GLOB`, `module:GLOB` or
/// `kind:GLOB`.
///
/// | pattern | matches a lock if the glob matches |
/// |---|---|
/// | `name:` | its name |
/// | `site:` | the file where it was made, or the end of its path from any folder on; with `:LINE` or `:LINE:COLUMN` behind it, that place in it |
/// | `module:` | the module of that file, or one that it is in |
/// | `kind:` | what it is: `mutex`, `rwlock`, … |
///
/// A lock without name matches no pattern for names, and likewise for all else
/// that is not known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockPattern {
    text: String,
    glob: Sort,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sort {
    Name(Glob),
    Site(SitePattern),
    Module(Glob),
    Kind(Glob),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SitePattern {
    file: Glob,
    line: Option<Glob>,
    column: Option<Glob>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoPattern {
    /// What was expected.
    pub(crate) expected: &'static str,
    /// The pattern that may be meant.
    pub(crate) nearest: Option<String>,
}

impl LockPattern {
    /// The pattern that is written so.
    pub(crate) fn parse(text: &str) -> Result<Self, NoPattern> {
        let found = text.split_once(':').map(|(sort, glob)| (sort.trim(), glob.trim()));
        let Some((sort, glob)) = found.filter(|(sort, _)| SORTS.contains(sort)) else {
            return Err(NoPattern { expected: PATTERN, nearest: meant(text) });
        };
        let sort = match sort {
            "name" => Sort::Name(new_glob(glob)?),
            "site" => Sort::Site(SitePattern::parse(glob)?),
            "module" => Sort::Module(new_glob(glob)?),
            _ => Sort::Kind(kind(glob)?),
        };
        Ok(Self { text: text.trim().to_owned(), glob: sort })
    }

    /// Whether the pattern is about where locks are made.
    pub(super) fn needs_origin(&self) -> bool {
        matches!(self.glob, Sort::Site(_)) || self.needs_module()
    }

    /// Whether the pattern is about modules.
    pub(super) fn needs_module(&self) -> bool {
        matches!(self.glob, Sort::Module(_))
    }

    /// Whether the lock, which was made in `module`, is meant. Neither allocates
    /// nor panics.
    pub(super) fn matches(&self, lock: &KnownLock<'_>, module: Option<&ModulePath>) -> bool {
        match &self.glob {
            Sort::Name(glob) => lock.name.is_some_and(|name| glob.matches(name)),
            Sort::Site(site) => site.matches(lock),
            Sort::Module(glob) => {
                module.is_some_and(|module| module.ancestry().any(|path| glob.matches(path)))
            }
            Sort::Kind(glob) => glob.matches(lock.kind.as_str()),
        }
    }
}

impl fmt::Display for LockPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl SitePattern {
    /// From the right: a column only stands behind a line.
    fn parse(text: &str) -> Result<Self, NoPattern> {
        let (file, last) = split_number(text);
        let (file, before_last) = if last.is_some() { split_number(file) } else { (file, None) };
        let (line, column) = match before_last {
            Some(line) => (Some(line), last),
            None => (last, None),
        };
        let number = |text: Option<&str>| text.map(new_glob).transpose();
        Ok(Self { file: new_glob(file)?, line: number(line)?, column: number(column)? })
    }

    fn matches(&self, lock: &KnownLock<'_>) -> bool {
        let Some(origin) = &lock.origin else { return false };
        let fits = |glob: &Option<Glob>, number: u32| match glob {
            Some(glob) => number != 0 && glob.matches(Decimal::of(number).as_str()),
            None => true,
        };
        fits(&self.line, origin.line) && fits(&self.column, origin.column) && self.fits(origin.file)
    }

    /// Whether the file's path fits, or its end from some folder on.
    fn fits(&self, path: &str) -> bool {
        let mut ends = path.match_indices('/').map(|(slash, _)| &path[slash + 1..]);
        self.file.matches(path) || !self.file.is_whole() && ends.any(|end| self.file.matches(end))
    }
}

/// What stands before the last colon, and the glob for a number behind it, if it
/// is one.
fn split_number(text: &str) -> (&str, Option<&str>) {
    let is_of_number = |atom: &str| {
        let one = atom.as_bytes().first().is_some_and(|first| b"0123456789*?[".contains(first));
        one && atom != "["
    };
    match text.rsplit_once(':') {
        Some((file, number)) if !number.is_empty() && atoms(number).all(is_of_number) => {
            (file, Some(number))
        }
        _ => (text, None),
    }
}

/// A number as people write it, on the stack.
struct Decimal {
    digits: [u8; 10],
    first: usize,
}

impl Decimal {
    fn of(number: u32) -> Self {
        let mut decimal = Self { digits: [b'0'; 10], first: 10 };
        let mut rest = number;
        while let Some(place) = decimal.first.checked_sub(1).filter(|_| rest > 0) {
            decimal.digits[place] = b'0' + (rest % 10) as u8;
            decimal.first = place;
            rest /= 10;
        }
        decimal
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.digits[self.first..]).unwrap_or_default()
    }
}

fn new_glob(text: &str) -> Result<Glob, NoPattern> {
    let glob = if text.is_empty() { Err(GLOB) } else { Glob::new(text) };
    glob.map_err(|expected| NoPattern { expected, nearest: None })
}

fn kind(text: &str) -> Result<Glob, NoPattern> {
    let glob = new_glob(text)?;
    if kinds().any(|kind| glob.matches(kind)) {
        return Ok(glob);
    }
    let nearest = nearest(text, kinds()).map(|kind| format!("kind:{kind}"));
    Err(NoPattern { expected: KIND, nearest })
}

/// The kinds that this host knows.
fn kinds() -> impl Iterator<Item = &'static str> {
    let unknown = LockKind(u32::MAX).as_str();
    (1..).map(|kind| LockKind(kind).as_str()).take_while(move |kind| *kind != unknown)
}

/// The pattern that may be meant by a text that does not begin as one.
fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    let sort = match text.split_once(':') {
        Some((_, rest)) if rest.starts_with(':') => "module",
        Some((sort, glob)) if let Some(sort) = nearest(sort, SORTS) => {
            return Some(format!("{sort}:{}", glob.trim()));
        }
        _ if text.contains('/') || text.contains(".rs") => "site",
        None if kinds().any(|kind| kind == text) => "kind",
        None if !text.is_empty() => "name",
        _ => return None,
    };
    Some(format!("{sort}:{text}"))
}

#[cfg(test)]
mod tests;
