//! For people: what is wrong, and the table.

use std::fmt::Write;

use super::explanation::lines;
use super::{explanation, tallies};
use crate::rule::Rule;
use crate::rules;
use crate::runner::{Judged, Kit, Run, Standing};
use crate::verdict::{Failure, Verdict};

/// The rules, how each is verified, and what proves its check.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for rule in rules::all() {
        let verified: Vec<String> = rule.verified.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "{:<10} {:<6} {}\n{:18}{}; {}",
            rule.id,
            rule.level,
            rule.sentence,
            "",
            verified.join(", "),
            proof(rule),
        );
    }
    text
}

fn proof(rule: &Rule) -> String {
    let proofs = rule.proofs();
    match &*proofs {
        [] => "UNPROVEN".to_owned(),
        [one] => format!("proven by {one}"),
        [one, rest @ ..] => format!("proven by {one} and {} more", rest.len()),
    }
}

/// What was found out.
#[must_use]
pub fn run(kit: &Kit, run: &Run) -> String {
    let mut text = String::new();
    for judged in &run.judged {
        one(&mut text, kit, run, judged);
    }
    not_run(&mut text, run);
    let _ = writeln!(text, "{}\n", conclusion(kit, run));
    let _ = writeln!(text, "family   passed / run / total");
    for tally in tallies(run) {
        let _ = writeln!(
            text,
            "{:<8} {:>6} / {:>3} / {:>5}",
            tally.family, tally.passed, tally.run, tally.total
        );
    }
    text
}

fn one(text: &mut String, kit: &Kit, run: &Run, judged: &Judged) {
    let (rule, reason) = (judged.rule, judged.xfail.as_deref().unwrap_or_default());
    match (judged.standing(), &judged.verdict) {
        (Standing::Broken | Standing::Advised, Some(Verdict::Failed(failure))) => {
            text.push_str(&broken(kit, run, rule, failure));
            text.push('\n');
        }
        (Standing::Expected, _) => {
            let _ = writeln!(text, "{} is broken, as expected: {reason}\n", rule.id);
        }
        (Standing::Unexpected, _) => {
            let _ = writeln!(
                text,
                "{} is kept, and was expected to be broken: {reason}\n  check     Leave out `--xfail {}`, if that was repaired.\n",
                rule.id, rule.id
            );
        }
        _ => {}
    }
}

/// What is said of a rule that is broken.
#[must_use]
pub fn broken(kit: &Kit, run: &Run, rule: &Rule, failure: &Failure) -> String {
    let mut text = format!("{} {} is broken: {}\n", rule.level, rule.id, rule.sentence);
    for (name, lines) in explanation(kit, run, rule, failure) {
        for (number, line) in lines.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:<8}  {line}");
        }
    }
    text
}

/// Those that could not be checked, once for each reason.
fn not_run(text: &mut String, run: &Run) {
    let mut reasons: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for judged in run.judged.iter().filter(|judged| judged.standing() == Standing::NotRun) {
        let Some(Verdict::NotRun { because, why }) = &judged.verdict else { continue };
        match reasons.iter_mut().find(|reason| (reason.0, reason.1) == (because, why)) {
            Some((.., rules)) => rules.push(judged.rule.id),
            None => reasons.push((because, why, vec![judged.rule.id])),
        }
    }
    for (because, why, rules) in reasons {
        let _ = writeln!(
            text,
            "Not run, because {because} comes first: {}\n  observed  {}\n",
            rules.join(", "),
            lines(why).join("\n            ")
        );
    }
}

fn conclusion(kit: &Kit, run: &Run) -> String {
    let plugin = match &run.about {
        Some(about) => format!("{} {}", about.name, about.version),
        None => kit.plugin.display().to_string(),
    };
    let seconds = run.took.as_secs_f64();
    let verb = if run.conforms() { "conforms" } else { "does not conform" };
    format!("{plugin} {verb} ({seconds:.1} s).")
}
