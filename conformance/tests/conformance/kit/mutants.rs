//! Everything that can be wrong is found out, and for what it is.

use std::collections::BTreeSet;

use lockscope_conformance::report::text;
use lockscope_conformance::rule::{Level, Rule, Verified};
use lockscope_conformance::rules;
use lockscope_conformance::runner::{Kit, Run};
use lockscope_conformance::{Failure, Verdict};
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

/// Whether a plugin that breaks the rule `breaks` was found out: what was said of it;
/// or else how it was not.
fn found_out(kit: &Kit, name: &str, breaks: &str) -> Result<String, String> {
    let run = judged(kit);
    let broken = broken(&run);
    let Some(rule) = rules::find(breaks) else {
        return Err(format!("{name}: there is no rule {breaks}"));
    };
    let is_right = broken.iter().all(|found| found.family() == rule.family());
    match failure(&run, rule).filter(|_| is_right) {
        Some(failure) => Ok(message(kit, name, rule, failure)),
        None => {
            let found: Vec<&str> = broken.iter().map(|rule| rule.id).collect();
            let text = text::run(kit, &run);
            Err(format!("{name} breaks {breaks}, and was found to break {found:?}:\n{text}"))
        }
    }
}

fn failure<'a>(run: &'a Run, rule: &Rule) -> Option<&'a Failure> {
    run.judged.iter().find_map(|judged| match &judged.verdict {
        Some(Verdict::Failed(failure)) if judged.rule.id == rule.id => Some(failure),
        _ => None,
    })
}

/// What is said of the mutant, for a person to have read once. Where real threads
/// run, numbers and names may be others each time.
fn message(kit: &Kit, name: &str, rule: &Rule, failure: &Failure) -> String {
    let Failure { expected, observed, history, output, .. } = failure;
    let mut text = format!("  expected  {expected}\n  observed  {observed}\n");
    history.iter().for_each(|step| text.push_str(&format!("            {step}\n")));
    output.lines().for_each(|line| text.push_str(&format!("  output    {line}\n")));
    let text = text.replace(&*kit.plugin.to_string_lossy(), "PLUGIN");
    let is_same_each_time = rule.verified.contains(&Verified::Property);
    let text = if is_same_each_time { text } else { without_what_varies(&text) };
    format!("{name} ({})\n{text}", rule.id)
}

/// With `N` for each number, and `…` for what stands between backticks.
fn without_what_varies(text: &str) -> String {
    let mut is_quoted = false;
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '`' => {
                is_quoted = !is_quoted;
                shown.push_str(if is_quoted { "`…" } else { "`" });
            }
            _ if is_quoted => {}
            c if c.is_ascii_digit() && shown.ends_with('N') => {}
            c if c.is_ascii_digit() => shown.push('N'),
            c => shown.push(c),
        }
    }
    shown
}

/// Each message, by the family of its rule, in the folder `messages`.
fn assert_messages(messages: &[(&str, String)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for family in rules::FAMILIES {
            let of_family = messages.iter().filter(|(breaks, _)| breaks.starts_with(family.id));
            let text: Vec<&str> = of_family.map(|(_, message)| &**message).collect();
            if !text.is_empty() {
                insta::assert_snapshot!(family.id, text.join("\n"));
            }
        }
    });
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
    let builds = BUILDS.iter().map(|(name, breaks)| (kit(plugin(name)), *name, *breaks));
    let mutants = mutations::all().map(|one| (mutant(Some(one.name)), one.name, one.breaks));
    let (mut messages, mut wrong) = (Vec::new(), Vec::new());
    for (kit, name, breaks) in builds.chain(mutants) {
        match found_out(&kit, name, breaks) {
            Ok(message) => messages.push((breaks, message)),
            Err(how) => wrong.push(how),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_messages(&messages);
    println!("{} mutants, all of them found out", messages.len());
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
