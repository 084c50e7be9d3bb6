//! One JSON object, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{replay, tallies};
use crate::runner::{About, Judged, Kit, Run, Standing};
use crate::verdict::Verdict;

#[derive(Serialize)]
struct Whole<'a> {
    plugin: Plugin<'a>,
    seed: u64,
    conforms: bool,
    took_ms: u64,
    families: Vec<Family>,
    rules: Vec<One<'a>>,
}

#[derive(Serialize)]
struct Plugin<'a> {
    path: String,
    #[serde(flatten)]
    about: Option<&'a About>,
}

#[derive(Serialize)]
struct Family {
    family: &'static str,
    passed: usize,
    run: usize,
    total: usize,
}

#[derive(Serialize)]
struct One<'a> {
    id: &'static str,
    level: String,
    sentence: &'static str,
    intent: &'static str,
    verified: Vec<String>,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xfail: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    found: BTreeMap<&'static str, serde_json::Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    check: &'static [&'static str],
    link: String,
    replay: String,
    took_ms: u64,
}

pub(super) fn run(kit: &Kit, run: &Run) -> String {
    let whole = Whole {
        plugin: Plugin { path: kit.plugin.display().to_string(), about: run.about.as_ref() },
        seed: kit.seed,
        conforms: run.conforms(),
        took_ms: run.took.as_millis() as u64,
        families: tallies(run)
            .into_iter()
            .map(|tally| Family {
                family: tally.family,
                passed: tally.passed,
                run: tally.run,
                total: tally.total,
            })
            .collect(),
        rules: run.judged.iter().map(|judged| one(kit, judged)).collect(),
    };
    // Nothing in it cannot be written: no maps with other keys than strings.
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}

fn one<'a>(kit: &Kit, judged: &'a Judged) -> One<'a> {
    let rule = judged.rule;
    let is_broken = matches!(judged.verdict, Some(Verdict::Failed(_)));
    One {
        id: rule.id,
        level: rule.level.to_string(),
        sentence: rule.sentence,
        intent: rule.intent,
        verified: rule.verified.iter().map(ToString::to_string).collect(),
        standing: match judged.standing() {
            Standing::Kept => "kept",
            Standing::Broken => "broken",
            Standing::Advised => "advised",
            Standing::Expected => "expected",
            Standing::Unexpected => "unexpected",
            Standing::NotRun => "not run",
            Standing::NotDecided => "not decided",
        },
        xfail: judged.xfail.as_deref(),
        found: found(judged),
        check: if is_broken { rule.look } else { &[] },
        link: format!("SPEC.md#{}", rule.anchor()),
        replay: replay(kit, rule),
        took_ms: judged.took.as_millis() as u64,
    }
}

fn found(judged: &Judged) -> BTreeMap<&'static str, serde_json::Value> {
    match &judged.verdict {
        Some(Verdict::Failed(failure)) => BTreeMap::from([
            ("expected", failure.expected.clone().into()),
            ("observed", failure.observed.clone().into()),
            ("history", failure.history.clone().into()),
            ("output", failure.output.clone().into()),
        ]),
        Some(Verdict::NotRun { because, why }) => {
            BTreeMap::from([("because", because.clone().into()), ("observed", why.clone().into())])
        }
        Some(Verdict::Passed) | None => BTreeMap::new(),
    }
}
