//! Why a rule counts as broken, part by part.

use crate::rule::Rule;
use crate::runner::{Kit, Run};
use crate::verdict::Failure;

/// A part of an explanation: what it is, in a word, and its lines.
pub type Part = (&'static str, Vec<String>);

/// Everything that is to be said of a failure; parts of which there is nothing to
/// say are left out.
#[must_use]
pub fn explanation(kit: &Kit, run: &Run, rule: &Rule, failure: &Failure) -> Vec<Part> {
    let look = rule.look.iter().map(|look| (*look).to_owned()).collect();
    let parts = vec![
        ("why", lines(rule.intent)),
        ("plugin", vec![plugin(kit, run)]),
        ("expected", lines(&failure.expected)),
        ("observed", lines(&failure.observed)),
        ("history", failure.history.iter().flat_map(|step| lines(step)).collect()),
        ("output", lines(&failure.output)),
        ("check", look),
        ("rule", vec![format!("SPEC.md#{}", rule.anchor())]),
        ("replay", vec![replay(kit, rule)]),
    ];
    parts.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

/// The lines of what a plugin may have written: it does not paint our terminal.
pub(super) fn lines(text: &str) -> Vec<String> {
    let visible = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    text.lines().map(|line| line.chars().map(visible).collect()).collect()
}

fn plugin(kit: &Kit, run: &Run) -> String {
    let path = kit.plugin.display();
    match &run.about {
        Some(about) => format!("{} {}, ABI {}, {path}", about.name, about.version, about.abi),
        None => path.to_string(),
    }
}

/// The command that makes this check again, and no other.
#[must_use]
pub fn replay(kit: &Kit, rule: &Rule) -> String {
    let plugin = quoted(&kit.plugin.to_string_lossy());
    let set =
        kit.set.iter().map(|(key, value)| format!(" --set {}", quoted(&format!("{key}={value}"))));
    let set: String = set.collect();
    format!("lockscope conformance {plugin} --rule {} --seed {}{set}", rule.id, kit.seed)
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
