//! JUnit's XML: a suite for each family, a case for each rule.
//!
//! There is no schema that all readers follow; this is what they agree on:
//! `testsuites`, `testsuite`, `testcase`, and in it `failure` or `skipped`.

use std::fmt::Write;

use super::explanation;
use crate::rule::Level;
use crate::rules;
use crate::runner::{Judged, Kit, Run, Standing};
use crate::verdict::Verdict;

pub(super) fn run(kit: &Kit, run: &Run) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites name=\"lockscope conformance\"{} time=\"{:.3}\">",
        counts(&run.judged),
        run.took.as_secs_f64()
    );
    for family in rules::FAMILIES {
        let is_of_it = |judged: &&Judged| judged.rule.family() == family.id;
        let of_family: Vec<Judged> = run.judged.iter().filter(is_of_it).cloned().collect();
        if of_family.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  <testsuite name=\"{}\"{}>", family.id, counts(&of_family));
        of_family.iter().for_each(|judged| case(&mut text, kit, run, judged));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// What a case holds beside its name; none if the rule is kept.
fn element(judged: &Judged) -> Option<&'static str> {
    match judged.standing() {
        Standing::Kept => None,
        Standing::Broken | Standing::Unexpected => Some("failure"),
        Standing::NotRun if judged.rule.level == Level::Must => Some("error"),
        _ => Some("skipped"),
    }
}

/// As attributes.
fn counts(judged: &[Judged]) -> String {
    let of = |name| judged.iter().filter(|judged| element(judged) == Some(name)).count();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        judged.len(),
        of("failure"),
        of("error"),
        of("skipped")
    )
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
    let Some(element) = element(judged) else {
        text.push_str("/>\n");
        return;
    };
    let message = match (judged.standing(), &judged.verdict) {
        (Standing::Unexpected, _) => format!("it is kept, and was expected to be broken: {reason}"),
        (Standing::Expected, _) => format!("it is broken, as expected: {reason}"),
        (Standing::Advised, Some(Verdict::Failed(failure))) => {
            format!("it should be kept: {}", failure.observed)
        }
        (_, Some(Verdict::Failed(failure))) => failure.observed.clone(),
        (_, Some(Verdict::NotRun { because, why })) => format!("{because} comes first: {why}"),
        _ => "only the source can show it".to_owned(),
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
