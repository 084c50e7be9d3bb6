//! SPEC.md: its generated part, and what is wrong with one that is there.
//!
//! The list in [`rules`] is where a rule is written; SPEC.md is where it is read.
//! Neither may say what the other does not.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::rule::{Family, Rule};
use crate::rules;

/// What the generated part begins with.
pub const BEGIN: &str = "<!-- The rules: from conformance/src/rules. -->\n";

/// The generated part: every family, and every rule.
#[must_use]
pub fn generated() -> String {
    rules::FAMILIES.iter().fold(BEGIN.to_owned(), |text, family| text + &section(family))
}

fn section(family: &Family) -> String {
    let begin = format!("\n## {}: {}\n\n{}\n", family.id, family.title, family.about);
    family.rules.iter().fold(begin, |text, rule| text + &entry(rule))
}

/// The heading is what links lead to: `#event-01`.
fn entry(rule: &Rule) -> String {
    let verified: Vec<String> = rule.verified.iter().map(ToString::to_string).collect();
    let mut text = format!("\n### {}\n\n", rule.id);
    for paragraph in [
        format!("**{}.** {}", rule.level, rule.sentence),
        format!("*Why:* {}", rule.intent),
        format!("*Verified:* {}.", verified.join(", ")),
    ] {
        let _ = writeln!(text, "{paragraph}\n");
    }
    text.truncate(text.len() - 1);
    text
}

/// The text with its generated part written anew.
#[must_use]
pub fn rewritten(text: &str) -> String {
    let by_hand = text.split_once(BEGIN).map_or(text, |(by_hand, _)| by_hand);
    by_hand.to_owned() + &generated()
}

/// Where `text` and the list of rules differ: each difference a sentence.
#[must_use]
pub fn differences(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once(BEGIN) else {
        return vec![format!("it does not have the line {}", BEGIN.trim_end())];
    };
    let generated = generated();
    let expected = &generated[BEGIN.len()..];
    let (written, listed) = (entries(rest), entries(expected));
    let mut differences = Vec::new();
    for (heading, entry) in &listed {
        match written.get(heading) {
            None => differences.push(format!("'{heading}' is in the list, and not in the text")),
            Some(other) if other != entry => differences.push(format!(
                "'{heading}' is in the list:\n{}\nand in the text:\n{}",
                indented(entry),
                indented(other)
            )),
            Some(_) => {}
        }
    }
    let unknown = written.keys().filter(|heading| !listed.contains_key(*heading));
    differences
        .extend(unknown.map(|heading| format!("'{heading}' is in the text, and not in the list")));
    if differences.is_empty() && rest != expected {
        differences.push("the order of the headings, or what stands between them".to_owned());
    }
    differences
}

/// What stands under each heading.
fn entries(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut entries = BTreeMap::<&str, Vec<&str>>::new();
    let mut heading = "";
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
        }
        entries.entry(heading).or_default().push(line);
    }
    entries
}

fn indented(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_differs_in_nothing() {
        assert_eq!(differences(&rewritten("# By hand\n\n")), [""; 0]);
        assert_eq!(rewritten(&rewritten("By hand\n\n")), rewritten("By hand\n\n"));
    }

    #[test]
    fn a_rule_that_is_missing_on_either_side_is_named() {
        let text = rewritten("");
        let without = text.replace("### LOAD-01", "### LOAD-99");
        assert_eq!(
            differences(&without),
            [
                "'LOAD-01' is in the list, and not in the text",
                "'LOAD-99' is in the text, and not in the list"
            ]
        );
    }

    #[test]
    fn a_sentence_a_level_and_a_verification_that_were_changed_are_shown() {
        for (from, to) in [("**MUST.**", "**SHOULD.**"), ("loads:", "is:"), ("sampled", "proved")] {
            let text = rewritten("").replacen(from, to, 1);
            let differences = differences(&text);
            assert_eq!(differences.len(), 1, "{differences:?}");
            assert!(differences[0].contains(to), "{differences:?}");
        }
    }
}
