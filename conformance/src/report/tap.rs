//! Test Anything Protocol, version 14: one line for each rule, and what is to be
//! said of it as a YAML block below.
//!
//! A `TODO` may fail: so are marked rules that are expected to be broken, and those
//! that a plugin should keep.

use std::fmt::Write;

use super::explanation::lines;
use super::{explanation, tallies};
use crate::rule::Level;
use crate::runner::{Judged, Kit, Run, Standing};
use crate::verdict::Verdict;

pub(super) fn run(kit: &Kit, run: &Run) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", run.judged.len());
    for (number, judged) in (1..).zip(&run.judged) {
        one(&mut text, kit, run, number, judged);
    }
    for tally in tallies(run) {
        let _ = writeln!(
            text,
            "# {}: {} passed / {} run / {} total",
            tally.family, tally.passed, tally.run, tally.total
        );
    }
    text
}

fn one(text: &mut String, kit: &Kit, run: &Run, number: usize, judged: &Judged) {
    let reason = judged.xfail.as_deref().unwrap_or_default();
    let (ok, directive) = match (judged.standing(), &judged.verdict) {
        (Standing::Kept, _) => ("ok", String::new()),
        (Standing::Broken, _) => ("not ok", String::new()),
        (Standing::Advised, _) => ("not ok", " # TODO it should be kept".to_owned()),
        (Standing::Expected, _) => ("not ok", format!(" # TODO expected: {}", escaped(reason))),
        (Standing::Unexpected, _) => ("not ok", String::new()),
        (Standing::NotRun, _) if judged.rule.level == Level::Should => {
            ("not ok", " # TODO it should be kept".to_owned())
        }
        (Standing::NotRun, _) => ("not ok", String::new()),
        _ => ("ok", " # SKIP only the source can show it".to_owned()),
    };
    let sentence = escaped(judged.rule.sentence);
    let _ = writeln!(text, "{ok} {number} - {} {sentence}{directive}", judged.rule.id);
    if judged.standing() == Standing::Unexpected {
        block(text, &[("message", vec![format!("it was expected to be broken: {reason}")])]);
    }
    match &judged.verdict {
        Some(Verdict::Failed(failure)) => {
            block(text, &explanation(kit, run, judged.rule, failure));
        }
        Some(Verdict::NotRun { because, why }) => {
            let message = format!("it was not run, because {because} comes first");
            block(text, &[("message", vec![message]), ("observed", lines(why))]);
        }
        Some(Verdict::Passed) | None => {}
    }
}

/// A YAML block: every value a list of quoted strings, or one.
fn block(text: &mut String, parts: &[super::Part]) {
    text.push_str("  ---\n");
    for (name, lines) in parts {
        match &**lines {
            [line] => {
                let _ = writeln!(text, "  {name}: {}", quoted(line));
            }
            lines => {
                let _ = writeln!(text, "  {name}:");
                for line in lines {
                    let _ = writeln!(text, "    - {}", quoted(line));
                }
            }
        }
    }
    text.push_str("  ...\n");
}

/// A quoted scalar: those of JSON are YAML's as well.
fn quoted(line: &str) -> String {
    serde_json::Value::from(line).to_string()
}

/// On one line, in which nothing begins a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('#', r"\#").replace(['\n', '\r'], " ")
}
