//! What a function of a library waits for, by its name.
//!
//! The functions that wait are cold, and so are functions of their own in an optimised
//! program: std and parking_lot see to that, because what is seldom called must not make
//! the lock itself larger.

use lockscope_core::event::{LockKind, Mode};
use lockscope_symbols::Function;

/// Crates whose functions stand between a program and the kernel.
const LIBRARIES: [&str; 6] =
    ["std", "core", "alloc", "parking_lot", "parking_lot_core", "lock_api"];

/// What a thread does in a function of a library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What its caller does.
    Passes,
    /// It waits.
    Waits(Purpose),
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// That somebody has something for it to do.
    Work(LockKind),
    /// A lock.
    Lock(Acquires),
}

/// How a lock is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acquires {
    pub(crate) kind: LockKind,
    pub(crate) mode: Mode,
    pub(crate) word: Word,
}

/// What the word is that is waited at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The lock, and whoever has got it after a wait wakes others there when it gives it
    /// back: so its hold is known.
    LockAndUnlock,
    /// The lock, or so many bytes behind its beginning.
    Within(usize),
    /// One of the thread's own, which says nothing of the lock.
    OfThread,
}

const fn lock(kind: LockKind, mode: Mode, word: Word) -> Purpose {
    Purpose::Lock(Acquires { kind, mode, word })
}

/// What stands within a name, how it ends, and what is waited for there. std's names differ from
/// one version to another in what stands before.
const PURPOSES: [(&str, &str, Purpose); 17] = {
    use Word::{LockAndUnlock, OfThread, Within};
    const MUTEX: LockKind = LockKind::MUTEX;
    const RWLOCK: LockKind = LockKind::RWLOCK;
    const ALONE: Mode = Mode::EXCLUSIVE;
    const SHARED: Mode = Mode::SHARED;
    const CONDVAR: Purpose = Purpose::Work(LockKind::CONDVAR);
    // All who wait for an initialisation go on at the same time.
    const ONCE: Purpose = lock(LockKind::ONCE, SHARED, Within(0));
    [
        ("futex", "::Mutex::lock_contended", lock(MUTEX, ALONE, LockAndUnlock)),
        ("futex", "::RwLock::read_contended", lock(RWLOCK, SHARED, Within(0))),
        // Writers wait at a word of their own, behind the lock's.
        ("futex", "::RwLock::write_contended", lock(RWLOCK, ALONE, Within(4))),
        ("futex", "::Condvar::wait_optional_timeout", CONDVAR),
        ("futex", "::Condvar::wait", CONDVAR),
        ("futex", "::Condvar::wait_timeout", CONDVAR),
        ("futex", "::Once::call", ONCE),
        ("futex", "::Once::wait", ONCE),
        ("parking_lot::raw_mutex", "::lock_slow", lock(MUTEX, ALONE, OfThread)),
        ("parking_lot::raw_rwlock", "::lock_shared_slow", lock(RWLOCK, SHARED, OfThread)),
        ("parking_lot::raw_rwlock", "::lock_exclusive_slow", lock(RWLOCK, ALONE, OfThread)),
        ("parking_lot::raw_rwlock", "::lock_upgradable_slow", lock(RWLOCK, ALONE, OfThread)),
        ("parking_lot::raw_rwlock", "::upgrade_slow", lock(RWLOCK, ALONE, OfThread)),
        ("parking_lot::raw_rwlock", "::wait_for_readers", lock(RWLOCK, ALONE, OfThread)),
        ("parking_lot::", "Condvar::wait_until_internal", CONDVAR),
        ("parking_lot::once", "::call_once_slow", lock(LockKind::ONCE, SHARED, OfThread)),
        ("parking_lot::once", "::wait_slow", lock(LockKind::ONCE, SHARED, OfThread)),
    ]
};

/// What is done in a function; `None` if it is one of the program's own.
pub(crate) fn of(function: &Function<'_>) -> Option<Meaning> {
    if !LIBRARIES.contains(&crate_of(function.symbol)?) {
        return None;
    }
    if runs_closures(function.symbol) {
        return None;
    }
    // Most names need not be read.
    if !["futex", "parking_lot"].iter().any(|word| function.symbol.contains(word)) {
        return Some(Meaning::Passes);
    }
    let name: String = function.name().chars().filter(|c| !"<>".contains(*c)).collect();
    let found =
        PURPOSES.iter().find(|(within, end, _)| name.contains(within) && name.ends_with(end));
    Some(found.map_or(Meaning::Passes, |(_, _, purpose)| Meaning::Waits(*purpose)))
}

/// Whether a function is one of our own lock types, which tell of their waits themselves.
pub(crate) fn is_of_our_locks(function: &Function<'_>) -> bool {
    crate_of(function.symbol) == Some("lockscope")
}

/// Whether it is one of the functions of std that call what they are given, of which an
/// optimised program makes one function with that: the program's, then.
fn runs_closures(symbol: &str) -> bool {
    const RUNNERS: [&str; 5] = [
        "__rust_begin_short_backtrace",
        "spawn_unchecked",
        "lang_start",
        "do_call",
        "catch_unwind",
    ];
    RUNNERS.iter().any(|runner| symbol.contains(runner))
        || symbol.contains("6FnOnce") && symbol.contains("call_once")
}

/// The crate that a Rust function is of, by its symbol.
fn crate_of(symbol: &str) -> Option<&str> {
    match symbol.strip_prefix("_R") {
        Some(path) => crate_of_path(path),
        None => crate_of_legacy(symbol.strip_prefix("_ZN")?),
    }
}

/// Of a path as the second mangling writes it (Rust RFC 2603): what it is in comes
/// first, and so on to the crate.
fn crate_of_path(mut path: &str) -> Option<&str> {
    loop {
        let rest = path.get(1..)?;
        path = match path.as_bytes()[0] {
            b'N' => rest.get(1..)?,
            b'I' => rest,
            b'M' | b'X' => without_number(rest),
            b'C' => return identifier(without_number(rest)),
            _ => return None,
        };
    }
}

/// Without a number that tells things of one name apart.
fn without_number(path: &str) -> &str {
    let number = path.strip_prefix('s').and_then(|rest| rest.split_once('_'));
    number.map_or(path, |(_, rest)| rest)
}

/// Of a path as the first mangling writes it: as C++ does, with a hash at its end.
fn crate_of_legacy(path: &str) -> Option<&str> {
    const HASH: &str = "17h";
    if path.len() < 20 || path.get(path.len() - 20..)?.strip_prefix(HASH).is_none() {
        return None;
    }
    let first = identifier(path)?;
    // Of an implementation of a trait, the type comes first.
    let first = first.trim_start_matches('_').trim_start_matches("$LT$");
    let end = first.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some(&first[..end.unwrap_or(first.len())])
}

/// The name at the beginning of a path: its length, and itself.
fn identifier(path: &str) -> Option<&str> {
    let digits = path.find(|c: char| !c.is_ascii_digit())?;
    let len: usize = path[..digits].parse().ok()?;
    let name = &path[digits..];
    name.strip_prefix('_').unwrap_or(name).get(..len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(symbol: &str) -> Option<Meaning> {
        of(&Function { symbol, start: 1, end: 2 })
    }

    #[test]
    fn the_crate_of_a_function() {
        for (symbol, expected) in [
            ("_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys4sync5mutex5futexNtB2_5Mutex4wake", Some("std")),
            ("_RNCINvMs0_NtNtCsjrHSEGnQ3l9_3std4sync4onceNtB8_4Once9call_onceE0Bc_", Some("std")),
            ("_RINvNtCs1_4core3ptr13drop_in_placeNtC3app3FooEB4_", Some("core")),
            ("_RNvXsf_NtNtC3app2ioRNtB5_6StdoutNtB7_5Write9write_fmt", Some("app")),
            (
                "_ZN11parking_lot9raw_mutex8RawMutex9lock_slow17he5c5562c6ac6691fE",
                Some("parking_lot"),
            ),
            (
                "_ZN53_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..X$GT$4drop17he5c5562c6ac6691fE",
                Some("alloc"),
            ),
            (
                "_ZN36_$LT$app..Foo$u20$as$u20$core..ops..X$GT$4drop17he5c5562c6ac6691fE",
                Some("app"),
            ),
            // C++: a namespace of this name.
            ("_ZN4core6worker3runEv", None),
            ("pthread_mutex_lock", None),
            ("_R", None),
            ("_ZN9", None),
        ] {
            assert_eq!(crate_of(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn what_functions_of_std_and_parking_lot_wait_for() {
        let Some(Meaning::Waits(Purpose::Lock(std))) = meaning(
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys4sync5mutex5futexNtB2_5Mutex14lock_contended",
        ) else {
            panic!("a lock")
        };
        assert_eq!((std.kind, std.word), (LockKind::MUTEX, Word::LockAndUnlock));
        let Some(Meaning::Waits(Purpose::Lock(parking_lot))) =
            meaning("_ZN11parking_lot10raw_rwlock9RawRwLock16lock_shared_slow17h5bcd1812c31b0746E")
        else {
            panic!("a lock")
        };
        assert_eq!((parking_lot.mode, parking_lot.word), (Mode::SHARED, Word::OfThread));
        let condvar = "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys4sync7condvar5futexNtB2_7Condvar21wait_optional_timeout";
        assert_eq!(meaning(condvar), Some(Meaning::Waits(Purpose::Work(LockKind::CONDVAR))));
        let park = "_RNvMs_NtNtCsjrHSEGnQ3l9_3std6thread6threadNtB4_6Thread4park";
        assert_eq!(meaning(park), Some(Meaning::Passes));
        assert_eq!(meaning("_RNvC3app14lock_contended"), None);
        let begins = "_ZN3std3sys9backtrace28__rust_begin_short_backtrace17h5bcd1812c31b0746E";
        assert_eq!(meaning(begins), None, "the thread's closure is a part of it");
    }
}
