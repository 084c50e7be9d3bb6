//! SPEC.md and the list of rules say the same.

use std::collections::BTreeSet;
use std::path::Path;

use lockscope_conformance::rules;
use lockscope_conformance::spec;

/// Set, the generated part is written anew.
const UPDATE: &str = "UPDATE_SPEC";

#[test]
fn the_specification_and_the_list_of_rules_say_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SPEC.md");
    let mut text = std::fs::read_to_string(&path).expect("SPEC.md stands in the root");
    if std::env::var_os(UPDATE).is_some() {
        text = spec::rewritten(&text);
        std::fs::write(&path, &text).expect("SPEC.md can be written");
    }
    let differences = spec::differences(&text);
    assert!(
        differences.is_empty(),
        "SPEC.md and conformance/src/rules differ; with {UPDATE}=1 this test writes the one from the other:\n{}\n",
        differences.join("\n")
    );
}

#[test]
fn rules_are_numbered_in_their_families() {
    let mut known = BTreeSet::new();
    for family in rules::FAMILIES {
        let ids: Vec<&str> = family.rules.iter().map(|rule| rule.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        for rule in family.rules {
            let number = rule.id.strip_prefix(family.id).and_then(|rest| rest.strip_prefix('-'));
            let is_number = number.is_some_and(|number| {
                number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            assert!(is_number, "{}", rule.id);
            assert!(known.insert(rule.id), "{} is used twice", rule.id);
        }
    }
}

#[test]
fn rules_are_written_so_that_they_can_be_read() {
    for rule in rules::all() {
        for sentence in [rule.sentence, rule.intent] {
            assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{}: {sentence}", rule.id);
        }
        assert!((1..=3).contains(&rule.look.len()), "{} has {:?}", rule.id, rule.look);
        assert!(!rule.verified.is_empty(), "{} does not say how it is verified", rule.id);
    }
}
