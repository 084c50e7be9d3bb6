use proptest::prelude::*;

use super::super::Origin;
use super::*;

/// A lock that was made at `file`, line 42, column 7.
fn lock(name: &'static str, file: &'static str) -> KnownLock<'static> {
    let origin = Some(Origin { file, line: 42, column: 7 });
    KnownLock { kind: LockKind::MUTEX, name: Some(name), origin }
}

fn matches(pattern: &str, lock: &KnownLock<'_>) -> bool {
    let module = lock.origin.and_then(|origin| ModulePath::of(origin.file));
    LockPattern::parse(pattern).unwrap().matches(lock, module.as_ref())
}

#[test]
fn what_a_pattern_matches() {
    let index = lock("words: by letter", "demo/src/index.rs");
    let pool = lock("pool", "/registry/src/index-0f/rayon-core-1.12.1/src/registry.rs");
    for (pattern, of_index, of_pool) in [
        ("name:pool", false, true),
        ("name:words: by letter", true, false),
        (" name : words* ", true, false),
        ("name:*", true, true),
        ("site:demo/src/index.rs", true, false),
        ("site:src/index.rs", true, false),
        ("site:index.rs", true, false),
        ("site:x.rs", false, false),
        ("site:demo/*", true, false),
        ("site:/demo/*", false, false),
        ("site:/registry/*", false, true),
        ("site:src/*", true, true),
        ("site:*/src/*", true, true),
        ("site:src/index.rs:42", true, false),
        ("site:src/index.rs:43", false, false),
        ("site:src/index.rs:4?", true, false),
        ("site:src/index.rs:[0-9]*", true, false),
        ("site:src/index.rs:42:7", true, false),
        ("site:src/index.rs:42:8", false, false),
        ("site:src/index.rs:*:7", true, false),
        ("site:src/index.rs:main", false, false),
        ("site:*:42", true, true),
        ("module:demo", true, false),
        ("module:demo::index", true, false),
        ("module:demo::inde", false, false),
        ("module:demo::index::words", false, false),
        ("module:rayon*", false, true),
        ("module:rayon_core::registry", false, true),
        ("module:rayon-core", false, false),
        ("module:*", true, true),
        ("kind:mutex", true, true),
        ("kind:m*", true, true),
        ("kind:rwlock", false, false),
    ] {
        assert_eq!(matches(pattern, &index), of_index, "{pattern}");
        assert_eq!(matches(pattern, &pool), of_pool, "{pattern}");
    }
}

#[test]
fn what_is_not_known_is_not_matched() {
    let unknown = KnownLock { kind: LockKind::CONDVAR, name: None, origin: None };
    for pattern in ["name:*", "site:*", "site:*:*", "module:*"] {
        assert!(!matches(pattern, &unknown), "{pattern}");
    }
    assert!(matches("kind:condvar", &unknown));
    let origin = Some(Origin { file: "build.rs", line: 0, column: 0 });
    let partly = KnownLock { origin, ..unknown };
    for (pattern, expected) in [
        ("site:*", true),
        ("site:build.rs", true),
        ("site:build.rs:*", false),
        ("site:build.rs:0", false),
        ("module:*", false),
    ] {
        assert_eq!(matches(pattern, &partly), expected, "{pattern}");
    }
}

#[test]
fn numbers_are_written_as_people_do() {
    for number in [1, 9, 10, 123, u32::MAX] {
        assert_eq!(Decimal::of(number).as_str(), number.to_string());
    }
}

#[test]
fn what_may_be_meant() {
    for (text, meant) in [
        ("", None),
        ("nmae:queue", Some("name:queue")),
        ("names: queue", Some("name:queue")),
        ("modul:demo::*", Some("module:demo::*")),
        ("queue*", Some("name:queue*")),
        ("demo::index", Some("module:demo::index")),
        ("src/index.rs", Some("site:src/index.rs")),
        ("src/index.rs:42", Some("site:src/index.rs:42")),
        ("index.rs:42", Some("site:index.rs:42")),
        ("mutex", Some("kind:mutex")),
        ("colour:blue", None),
        ("Name:queue", Some("name:queue")),
    ] {
        let error = LockPattern::parse(text).unwrap_err();
        assert_eq!((error.expected, error.nearest.as_deref()), (PATTERN, meant), "{text}");
        if let Some(meant) = error.nearest {
            assert!(LockPattern::parse(&meant).is_ok(), "{meant}");
        }
    }
}

#[test]
fn all_kinds_are_known() {
    let named = KIND.split_once("kinds ").unwrap().1.replace(" and ", ", ");
    assert!(named.split(", ").eq(kinds()), "{named}");
    for (text, nearest) in
        [("mutx", Some("kind:mutex")), ("lock", Some("kind:rwlock")), ("x*", None)]
    {
        let error = LockPattern::parse(&format!("kind:{text}")).unwrap_err();
        assert_eq!((error.expected, error.nearest.as_deref()), (KIND, nearest), "{text}");
    }
}

#[test]
fn a_glob_must_be_there_and_whole() {
    for (text, expected) in [
        ("name:", GLOB),
        ("site: ", GLOB),
        ("site::42", GLOB),
        ("kind:", GLOB),
        ("name:a[", "']'"),
        ("module:a[b", "']'"),
        ("kind:[", "']'"),
        ("site:a[:42", "']'"),
        ("site:a.rs:4[", "']'"),
    ] {
        let error = LockPattern::parse(text).unwrap_err();
        assert!(error.expected.contains(expected), "{text}: {}", error.expected);
    }
}

proptest! {
    #[test]
    fn whatever_is_written_is_a_pattern_or_not(
        pattern in "(name|site|module|kind|):[a:/*?\\[\\]!4-]{0,12}",
        name in "[a:]{0,4}",
        file in "(a|/)?(src|tests|a|/|-1.0.0|\\.rs|mod){0,6}",
        line in any::<u32>(),
    ) {
        let origin = Some(Origin { file: &file, line, column: line });
        let lock = KnownLock { kind: LockKind::ONCE, name: Some(&name), origin };
        if let Ok(pattern) = LockPattern::parse(&pattern) {
            pattern.matches(&lock, ModulePath::of(&file).as_ref());
            prop_assert_eq!(LockPattern::parse(&pattern.to_string()), Ok(pattern));
        }
    }
}
