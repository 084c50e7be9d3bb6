//! Everything that can be wrong is found out, and for what it is.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use lockscope_conformance::report::text;
use lockscope_conformance::rule::{Level, Rule, Verified};
use lockscope_conformance::rules;
use lockscope_conformance::runner::{Kit, Run};
use lockscope_conformance::{Failure, Verdict};
use lockscope_mutants::mutations;

use lockscope_core::sync::{AtomicUsize, Ordering};

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

/// Whether a plugin that breaks the rule `breaks` was found out, for that rule and for
/// none of another family: what was said of it; or else how it was not.
fn found_out(kit: &Kit, name: &str, breaks: &str) -> Result<String, String> {
    let Some(rule) = rules::find(breaks) else {
        return Err(format!("{name}: there is no rule {breaks}"));
    };
    let run = judged(kit);
    let broken = broken(&run);
    match failure(&run, rule) {
        Some(failure) if breaks_no_other(kit, name, rule, &broken) => {
            Ok(message(kit, name, rule, failure))
        }
        _ => {
            let found: Vec<&str> = broken.iter().map(|rule| rule.id).collect();
            let text = text::run(kit, &run);
            Err(format!("{name} breaks {breaks}, and was found to break {found:?}:\n{text}"))
        }
    }
}

/// Whether it breaks no rule of another family than `rule`'s. If one was found
/// `broken`, it is judged again, and counts if it is found so twice: a machine with
/// much else to do keeps a check of any plugin from its end in time, now and then.
fn breaks_no_other(kit: &Kit, name: &str, rule: &Rule, broken: &[&'static Rule]) -> bool {
    let others = broken.iter().copied().filter(|other| other.family() != rule.family());
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return true;
    }
    let again = self::broken(&kit.run(&others).expect("the kit runs"));
    if again.is_empty() {
        let once: Vec<&str> = others.iter().map(|other| other.id).collect();
        println!("{name}: {once:?} found broken once, and not again");
    }
    again.is_empty()
}

fn failure<'a>(run: &'a Run, rule: &Rule) -> Option<&'a Failure> {
    run.judged.iter().find_map(|judged| match &judged.verdict {
        Some(Verdict::Failed(failure)) if judged.rule.id == rule.id => Some(failure),
        _ => None,
    })
}

/// What is said of the mutant, for a person to have read once.
fn message(kit: &Kit, name: &str, rule: &Rule, failure: &Failure) -> String {
    let Failure { expected, observed, history, output, .. } = failure;
    let mut text = format!("  expected  {expected}\n  observed  {observed}\n");
    history.iter().for_each(|step| text.push_str(&format!("            {step}\n")));
    output.lines().for_each(|line| text.push_str(&format!("  output    {line}\n")));
    let text = text.replace(&*kit.plugin.to_string_lossy(), "PLUGIN");
    format!("{name} ({})\n{text}", rule.id)
}

/// Each message of a rule that a simulated program decides, by its family, in the
/// folder `messages`. Where real threads run, what is seen first may be another thing
/// each time.
fn assert_messages(messages: &[(&str, String)]) {
    let is_same_each_time =
        |id: &str| rules::find(id).is_some_and(|rule| rule.verified == [Verified::Property]);
    let messages: Vec<_> =
        messages.iter().filter(|(breaks, _)| is_same_each_time(breaks)).collect();
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

/// So many at a time: most of a check's time is waiting.
const AT_A_TIME: usize = 4;

/// And no rule of another family: all of them are judged at once. So each rule is
/// seen to tell its own matter from that of others, which a person who reads a report
/// relies on.
#[test]
fn every_mutant_breaks_its_rule() {
    let builds = BUILDS.iter().map(|(name, breaks)| (kit(plugin(name)), *name, *breaks));
    let mutants = mutations::all().map(|one| (mutant(Some(one.name)), one.name, one.breaks));
    let all: Vec<_> = builds.chain(mutants).collect();
    let found: Vec<OnceLock<Result<String, String>>> =
        all.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                // Relaxed: each number is given out once, and orders nothing.
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some((kit, name, breaks)) = all.get(number)
                {
                    found[number].set(found_out(kit, name, breaks)).expect("each is tried once");
                }
            });
        }
    });
    let (mut messages, mut wrong) = (Vec::new(), Vec::new());
    for ((_, _, breaks), found) in all.iter().zip(found) {
        match found.into_inner().expect("each was tried") {
            Ok(message) => messages.push((*breaks, message)),
            Err(how) => wrong.push(how),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} mutants, all of them found out", messages.len());
    assert_messages(&messages);
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
