//! For people.

use std::fmt::Write;

use crate::rule::Rule;
use crate::rules;
use crate::runner::{Judged, Kit, Run};
use crate::verdict::{Failure, Verdict};

/// The rules, how each is verified, and what proves its check.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for rule in rules::all() {
        let proofs = rule.proofs();
        let proof = if proofs.is_empty() { "UNPROVEN".to_owned() } else { proofs.join(", ") };
        let verified: Vec<String> = rule.verified.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "{} {} {}\n    {}; {proof}",
            rule.id,
            rule.level,
            rule.sentence,
            verified.join(", ")
        );
    }
    text
}

/// What was found out.
#[must_use]
pub fn run(kit: &Kit, run: &Run) -> String {
    let mut text = String::new();
    for judged in &run.judged {
        let id = judged.rule.id;
        match &judged.verdict {
            Some(Verdict::Failed(failure)) => failed(&mut text, kit, run, judged.rule, failure),
            Some(Verdict::NotRun { because, why }) => {
                let _ = writeln!(text, "{id} was not run, because of {because}: {why}");
            }
            Some(Verdict::Passed) | None => {}
        }
    }
    table(&mut text, run);
    text
}

fn failed(text: &mut String, kit: &Kit, run: &Run, rule: &Rule, failure: &Failure) {
    let plugin = match &run.about {
        Some(about) => format!("{} {}, ABI {}, ", about.name, about.version, about.abi),
        None => String::new(),
    };
    let path = kit.plugin.display();
    let _ = writeln!(
        text,
        "{} {} is broken: {}\n  why       {}\n  plugin    {plugin}{path}\n  expected  {}\n  observed  {}",
        rule.level, rule.id, rule.sentence, rule.intent, failure.expected, failure.observed
    );
    for step in &failure.history {
        let _ = writeln!(text, "            {step}");
    }
    for line in failure.output.lines() {
        let _ = writeln!(text, "  output    {line}");
    }
    for look in rule.look {
        let _ = writeln!(text, "  check     {look}");
    }
    let _ = writeln!(
        text,
        "  rule      SPEC.md#{}\n  replay    lockscope conformance {path} --rule {} --seed {}\n",
        rule.anchor(),
        rule.id,
        kit.seed
    );
}

fn table(text: &mut String, run: &Run) {
    let _ = writeln!(text, "family   passed / run / total");
    let mut sum = [0; 3];
    for family in rules::FAMILIES {
        let of_family: Vec<&Judged> =
            run.judged.iter().filter(|judged| judged.rule.family() == family.id).collect();
        let count = |fits: fn(&Verdict) -> bool| {
            of_family.iter().filter(|judged| judged.verdict.as_ref().is_some_and(fits)).count()
        };
        let counts = [
            count(|verdict| *verdict == Verdict::Passed),
            count(|verdict| !matches!(verdict, Verdict::NotRun { .. })),
            of_family.len(),
        ];
        if of_family.is_empty() {
            continue;
        }
        line(text, family.id, counts);
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    line(text, "all", sum);
}

fn line(text: &mut String, name: &str, [passed, run, total]: [usize; 3]) {
    let _ = writeln!(text, "{name:<8} {passed:>6} / {run:>3} / {total:>5}");
}
