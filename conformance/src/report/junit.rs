//! JUnit's XML: a suite for each family, a case for each rule.
//!
//! There is no schema that all readers follow; this is what they agree on:
//! `testsuites`, `testsuite`, `testcase`, and in it `failure` or `skipped`.

use std::fmt::Write;

use super::explanation;
use crate::rules;
use crate::runner::{Judged, Kit, Run, Standing};
use crate::verdict::Verdict;

pub(super) fn run(kit: &Kit, run: &Run) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures, skipped) = counts(run.judged.iter());
    let _ = writeln!(
        text,
        "<testsuites name=\"lockscope conformance\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\" time=\"{:.3}\">",
        run.took.as_secs_f64()
    );
    for family in rules::FAMILIES {
        let of_family = || run.judged.iter().filter(|judged| judged.rule.family() == family.id);
        let (tests, failures, skipped) = counts(of_family());
        if tests == 0 {
            continue;
        }
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">",
            family.id
        );
        of_family().for_each(|judged| case(&mut text, kit, run, judged));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn is_failure(judged: &Judged) -> bool {
    matches!(judged.standing(), Standing::Broken | Standing::Unexpected)
}

fn counts<'a>(judged: impl Iterator<Item = &'a Judged>) -> (usize, usize, usize) {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for judged in judged {
        tests += 1;
        failures += usize::from(is_failure(judged));
        skipped += usize::from(!is_failure(judged) && judged.standing() != Standing::Kept);
    }
    (tests, failures, skipped)
}

fn case(text: &mut String, kit: &Kit, run: &Run, judged: &Judged) {
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{} {}\" time=\"{:.3}\"",
        judged.rule.family(),
        judged.rule.id,
        escaped(judged.rule.sentence),
        judged.took.as_secs_f64()
    );
    let reason = judged.xfail.as_deref().unwrap_or_default();
    let (element, message) = match (judged.standing(), &judged.verdict) {
        (Standing::Broken, Some(Verdict::Failed(failure))) => ("failure", failure.observed.clone()),
        (Standing::Unexpected, _) => {
            ("failure", format!("it is kept, and was expected to be broken: {reason}"))
        }
        (Standing::Advised, Some(Verdict::Failed(failure))) => {
            ("skipped", format!("it should be kept: {}", failure.observed))
        }
        (Standing::Expected, _) => ("skipped", format!("it is broken, as expected: {reason}")),
        (Standing::NotRun, Some(Verdict::NotRun { because, why })) => {
            ("skipped", format!("{because} comes first: {why}"))
        }
        (Standing::NotDecided, _) => ("skipped", "only the source can show it".to_owned()),
        _ => {
            text.push_str("/>\n");
            return;
        }
    };
    let _ = write!(text, ">\n      <{element} message=\"{}\"", escaped(&message));
    match &judged.verdict {
        Some(Verdict::Failed(failure)) => {
            text.push('>');
            for (name, lines) in explanation(kit, run, judged.rule, failure) {
                let _ = write!(text, "\n{name}: {}", escaped(&lines.join("\n    ")));
            }
            let _ = write!(text, "\n</{element}>\n");
        }
        _ => text.push_str("/>\n"),
    }
    text.push_str("    </testcase>\n");
}

/// As text in an element or attribute. What XML cannot hold becomes a question
/// mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}
