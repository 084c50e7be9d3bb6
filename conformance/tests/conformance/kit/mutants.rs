//! Everything that can be wrong is found out, and for what it is.

use std::collections::BTreeSet;

use lockscope_conformance::Verdict;
use lockscope_conformance::report::text;
use lockscope_conformance::rule::{Level, Rule};
use lockscope_conformance::rules;
use lockscope_conformance::runner::{Kit, Run};
use lockscope_mutants::mutations;

use super::support::{kit, mutant, plugin};

/// Plugins that only another build can make: each with the rule that it breaks.
const BUILDS: [(&str, &str); 3] =
    [("version", "LOAD-01"), ("layout", "LOAD-01"), ("plane", "LOAD-01")];

fn judged(kit: &Kit) -> Run {
    kit.run(&rules::all().collect::<Vec<_>>()).expect("the kit runs")
}

fn broken(run: &Run) -> Vec<&'static Rule> {
    let is_broken = |verdict: &Option<Verdict>| matches!(verdict, Some(Verdict::Failed(_)));
    run.judged.iter().filter(|judged| is_broken(&judged.verdict)).map(|one| one.rule).collect()
}

/// Whether a plugin that breaks the rule `breaks` was found out: if not, how.
fn found_out(kit: &Kit, name: &str, breaks: &str) -> Result<(), String> {
    let run = judged(kit);
    let broken = broken(&run);
    let Some(rule) = rules::find(breaks) else {
        return Err(format!("{name}: there is no rule {breaks}"));
    };
    let is_right = broken.iter().any(|found| found.id == rule.id)
        && broken.iter().all(|found| found.family() == rule.family());
    if is_right {
        return Ok(());
    }
    let found: Vec<&str> = broken.iter().map(|rule| rule.id).collect();
    let text = text::run(kit, &run);
    Err(format!("{name} breaks {breaks}, and was found to break {found:?}:\n{text}"))
}

#[test]
fn the_good_plugin_keeps_every_rule() {
    let kit = mutant(None);
    let run = judged(&kit);
    let all = run.judged.iter().all(|one| matches!(one.verdict, None | Some(Verdict::Passed)));
    assert!(all, "{}", text::run(&kit, &run));
}

#[test]
fn every_mutant_breaks_its_rule_and_none_of_another_family() {
    let wrong: Vec<String> = mutations::all()
        .filter_map(|one| found_out(&mutant(Some(one.name)), one.name, one.breaks).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plugins_of_another_build_break_their_rule_and_none_of_another_family() {
    let wrong: Vec<String> = BUILDS
        .into_iter()
        .filter_map(|(name, breaks)| found_out(&kit(plugin(name)), name, breaks).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_mutants_are_used_once() {
    let names: Vec<&str> = mutations::all().map(|mutation| mutation.name).collect();
    let different: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), different.len(), "{names:?}");
}

/// So that no `MUST` that is decided from outside rests on trust.
#[test]
fn every_rule_that_a_plugin_must_keep_is_proven() {
    let unproven: Vec<&str> = rules::all()
        .filter(|rule| rule.level == Level::Must && rule.proofs().is_empty())
        .map(|rule| rule.id)
        .collect();
    assert!(unproven.is_empty(), "without proof: {unproven:?}");
}
