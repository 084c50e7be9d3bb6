use proptest::prelude::*;

use super::*;

fn matches(glob: &str, text: &str) -> bool {
    Glob::new(glob).unwrap().matches(text)
}

#[test]
fn a_set_is_a_piece_of_its_own() {
    for (glob, expected) in [
        ("", &[][..]),
        ("ab", &["a", "b"]),
        ("ü*?", &["ü", "*", "?"]),
        ("[ab]c", &["[ab]", "c"]),
        ("[]]c", &["[]]", "c"]),
        ("[!]]c", &["[!]]", "c"]),
        ("[ü]", &["[ü]"]),
        ("[", &["["]),
        ("[!", &["[", "!"]),
        ("[]", &["[", "]"]),
        ("[ab", &["[", "a", "b"]),
    ] {
        assert_eq!(atoms(glob).collect::<Vec<_>>(), expected, "{glob}");
    }
}

#[test]
fn what_a_glob_matches() {
    for (glob, text, expected) in [
        ("queue", "queue", true),
        ("queue", "queues", false),
        ("queue", "Queue", false),
        ("queue*", "queue", true),
        ("queue*", "queues/of:all", true),
        ("*", "", true),
        ("q?eue", "qüeue", true),
        ("q?eue", "qeue", false),
        ("shard[0-3]", "shard3", true),
        ("shard[!0-3]", "shard3", false),
        ("shard[!0-3]", "shard4", true),
        ("shard[[]3[]]", "shard[3]", true),
        ("a**b", "a/x/b", true),
        ("a***b", "ab", true),
        ("src/**/index.rs", "src/index.rs", true),
        ("src/**/index.rs", "src/a/b/index.rs", true),
        ("src/**/index.rs", "src/a/other_index.rs", false),
        ("src/*/index.rs", "src/index.rs", false),
        ("**/index.rs", "demo/src/index.rs", true),
        ("**/**/index.rs", "index.rs", true),
        ("src/**", "src/a/b.rs", true),
        ("src**", "src/a/b.rs", true),
        ("[/**/]b", "*b", true),
    ] {
        assert_eq!(matches(glob, text), expected, "{glob} {text}");
    }
}

#[test]
fn what_is_no_glob() {
    assert_eq!(Glob::new("queue[0"), Err(CLOSED));
    assert_eq!(Glob::new("[]"), Err(CLOSED));
    assert_eq!(Glob::new("[!]"), Err(CLOSED));
    assert_eq!(Glob::new(&"*a".repeat(MOST_STARS + 1)), Err(SHORT));
    assert!(Glob::new(&"*a".repeat(MOST_STARS)).is_ok());
    // Several for one count once, and those in a set do not.
    assert!(Glob::new(&"**".repeat(MOST_STARS)).is_ok());
    assert!(Glob::new(&"[*]".repeat(MOST_STARS + 1)).is_ok());
    assert_eq!(Glob::new(&"a".repeat(MOST_BYTES + 1)), Err(SHORT));
    assert_eq!(Glob::new("a\0"), Err(WITHOUT_NUL));
    for (text, limit) in [("1024", MOST_BYTES), ("16", MOST_STARS)] {
        assert!(SHORT.contains(text) && text == limit.to_string());
    }
}

#[test]
fn a_hostile_glob_gives_up() {
    // With an effort that is a power of the length these would take for ever.
    let text = "a".repeat(10_000);
    assert!(!matches(&("*a".repeat(MOST_STARS) + "b"), &text));
    assert!(!matches(&("*[a-z]?".repeat(MOST_STARS) + "b"), &text));
    let folders = "a/".repeat(5_000);
    assert!(!matches(&("**/a/".repeat(MOST_STARS / 2) + "b"), &folders));
    assert!(!matches(&("**/*a".repeat(MOST_STARS / 3) + "b"), &folders));
}

#[test]
fn a_list_is_taken_apart_at_its_commas() {
    for (list, expected) in [
        ("", &[][..]),
        (" , ,", &[]),
        ("name:a", &["name:a"]),
        ("name:a, kind:b,", &["name:a", "kind:b"]),
        ("name:a[,]b,name:[c,d]", &["name:a[,]b", "name:[c,d]"]),
        ("name:[a,name:b", &["name:[a", "name:b"]),
    ] {
        assert_eq!(split_list(list), expected, "{list}");
    }
}

/// Whether the glob matches, by the book: every way to divide the text.
fn naive(glob: &[&str], text: &[char]) -> bool {
    match (glob, text) {
        ([], _) => text.is_empty(),
        (["*", rest @ ..], _) => (0..=text.len()).any(|start| naive(rest, &text[start..])),
        ([_, ..], []) => false,
        ([atom, rest @ ..], [first, others @ ..]) => {
            let fits = match *atom {
                "?" => true,
                "[ab]" => "ab".contains(*first),
                "[!ab]" => !"ab".contains(*first),
                atom => atom.chars().eq([*first]),
            };
            fits && naive(rest, others)
        }
    }
}

fn glob() -> impl Strategy<Value = Vec<&'static str>> {
    let atom = prop::sample::select(vec!["a", "b", "ü", "*", "?", "[ab]", "[!ab]", ",", ":"]);
    prop::collection::vec(atom, 0..8)
}

proptest! {
    #[test]
    fn a_glob_matches_what_it_says(glob in glob(), text in "[abü,:]{0,8}") {
        let chars: Vec<char> = text.chars().collect();
        prop_assert_eq!(matches(&glob.concat(), &text), naive(&glob, &chars));
    }

    #[test]
    fn what_is_written_as_a_list_is_read_as_it_was(
        globs in prop::collection::vec(glob(), 0..4),
        text in "[abü,:]{0,8}",
    ) {
        let globs: Vec<String> = globs.iter().map(|glob| format!("name:{}", glob.concat())).collect();
        let read = split_list(&joined(globs.iter().map(String::as_str)));
        prop_assert_eq!(read.len(), globs.len());
        for (read, glob) in read.iter().zip(&globs) {
            prop_assert_eq!(matches(read, &text), matches(glob, &text), "{} {}", read, glob);
        }
    }

    #[test]
    fn whatever_is_written_is_a_glob_or_not(glob in "[a/*?\\[\\]!-]{0,20}", text in "[a/]{0,12}") {
        if let Ok(glob) = Glob::new(&glob) {
            glob.matches(&text);
        }
    }
}
