//! The command: what it takes, what it prints, and how it ends.

use std::process::{Command, Output};

use lockscope_conformance::rules;

use super::support::{QUIET, plugin, program};

fn run(mutant: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.arg("conformance").args(arguments).env(QUIET.0, QUIET.1);
    if let Some(name) = mutant {
        command.env(lockscope_mutants::VARIABLE, name);
    }
    command.output().unwrap()
}

/// The same, of the plugin that is a mutant or good.
fn judge(mutant: Option<&str>, arguments: &[&str]) -> Output {
    let path = plugin("mutants");
    run(mutant, &[&[path.to_str().unwrap()], arguments].concat())
}

/// What was printed, without what differs from run to run and place to place.
fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let text = text.replace(plugin("mutants").to_str().unwrap(), "PLUGIN");
    let without_time = |line: &str| match line.rsplit_once(" (") {
        Some((words, time)) if time.ends_with(" s).") => format!("{words}.\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(without_time).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_plugin_that_conforms() {
    let output = judge(None, &["--rule", "LOAD-14", "--rule", "event-04"]);
    assert_eq!((status(&output), &*stderr(&output)), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    mutant 0.1.0 conforms.

    family   passed / run / total
    LOAD          1 /   1 /     1
    EVENT         1 /   1 /     1
    all           2 /   2 /     2
    ");
}

#[test]
fn a_plugin_that_does_not() {
    let output = judge(Some("counts-what-had-to-wait-twice"), &["--rule", "EVENT-04"]);
    assert_eq!((status(&output), &*stderr(&output)), (Some(1), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    MUST EVENT-04 is broken: Nothing is counted twice.
      why       A contended acquisition is told beside the countdown, and must not count as a sample of it as well.
      plugin    mutant 0.1.0, ABI 1.0.0, PLUGIN
      expected  acquisitions of lock 1 at call site 1 (write): at most 1
      observed  2
      history   thread 0 locks lock 1 at call site 1, for 40 ns, after it waited 170 ns
      check     Is a contended acquisition counted where it is told, and nowhere else?
                Does a snapshot change what the next one says?
      rule      SPEC.md#event-04
      replay    lockscope conformance PLUGIN --rule EVENT-04 --seed 1

    mutant 0.1.0 does not conform.

    family   passed / run / total
    EVENT         0 /   1 /     1
    all           0 /   1 /     1
    ");
}

#[test]
fn a_plugin_that_cannot_be_loaded() {
    let output = judge(Some("table-of-another-version"), &["--rule", "EVENT-04"]);
    assert_eq!((status(&output), &*stderr(&output)), (Some(1), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    Not run, because LOAD-02 comes first: EVENT-04
      observed  the plugin PLUGIN was built with another data plane: version: expected 1, found 2; build it with the lockscope-core of this host

    mutant 0.1.0 does not conform.

    family   passed / run / total
    EVENT         0 /   0 /     1
    all           0 /   0 /     1
    ");
}

#[test]
fn a_rule_that_should_be_kept_and_is_not() {
    let output = judge(Some("says-no"), &["--rule", "LOAD-13"]);
    assert_eq!((status(&output), &*stderr(&output)), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output), @r#"
    SHOULD LOAD-13 is broken: An error is a sentence that ends in what to do.
      why       It is shown as it stands to somebody who has never heard of the backend.
      plugin    mutant 0.1.0, ABI 1.0.0, PLUGIN
      expected  of a stop without a start: a sentence, and then what to do
      observed  'no'
      check     Does the message say what was expected, what was found, and then what to do, as in "no session is running; start one before it is stopped"?
                Is it the text of another error, passed on?
      rule      SPEC.md#load-13
      replay    lockscope conformance PLUGIN --rule LOAD-13 --seed 1

    mutant 0.1.0 conforms.

    family   passed / run / total
    LOAD          0 /   1 /     1
    all           0 /   1 /     1
    "#);
}

#[test]
fn a_rule_that_is_expected_to_be_broken() {
    let xfail = ["--rule", "EVENT-04", "--xfail", "EVENT-04=waits are counted elsewhere, too"];
    let output = judge(Some("counts-what-had-to-wait-twice"), &xfail);
    assert_eq!((status(&output), &*stderr(&output)), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    EVENT-04 is broken, as expected: waits are counted elsewhere, too

    mutant 0.1.0 conforms.

    family   passed / run / total
    EVENT         0 /   1 /     1
    all           0 /   1 /     1
    ");
    let output = judge(None, &xfail);
    assert_eq!((status(&output), &*stderr(&output)), (Some(1), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    EVENT-04 is kept, and was expected to be broken: waits are counted elsewhere, too
      check     Leave out `--xfail EVENT-04`, if that was repaired.

    mutant 0.1.0 does not conform.

    family   passed / run / total
    EVENT         1 /   1 /     1
    all           1 /   1 /     1
    ");
}

#[test]
fn a_family_is_judged_by_its_id_or_title() {
    for name in ["EVENT", "event", "Events"] {
        let text = stdout(&judge(None, &["--family", name]));
        assert!(text.contains("\nEVENT ") && !text.contains("\nLOAD "), "{text}");
    }
}

#[test]
fn what_was_seen_is_seen_again_by_the_command_that_is_given_for_it() {
    let mutant = Some("counts-what-had-to-wait-twice");
    let said = stdout(&judge(mutant, &["--family", "EVENT", "--seed", "77"]));
    let (before, replay) = said.rsplit_once("\n  replay    ").expect("it is said how");
    let replay = replay.lines().next().unwrap();
    let arguments = replay.strip_prefix("lockscope conformance PLUGIN ").expect("by our command");
    let again = stdout(&judge(mutant, &arguments.split(' ').collect::<Vec<_>>()));
    let block = before.rsplit_once("MUST ").expect("it begins with the rule").1;
    assert!(again.contains(block), "{replay} says:\n{again}and not:\n{block}");
}

#[test]
fn every_rule_is_listed_with_its_proof() {
    let output = run(None, &["--list"]);
    assert_eq!((status(&output), &*stderr(&output)), (Some(0), ""));
    let text = stdout(&output);
    for rule in rules::all() {
        let line = format!("{:<10} {:<6} {}\n", rule.id, rule.level, rule.sentence);
        assert!(text.contains(&line), "{line}");
    }
    let unproven = text.matches("UNPROVEN").count();
    assert_eq!(unproven, rules::all().filter(|rule| rule.proofs().is_empty()).count());
    assert!(
        text.contains("LOAD-09    MUST   No entry writes to standard output or standard error.\n                  sampled; proven by prints-what-it-does and 1 more\n"),
        "{text}"
    );
}

#[test]
fn every_format_is_printed() {
    for (format, begin) in [
        ("text", "mutant 0.1.0 conforms.\n"),
        ("tap", "TAP version 14\n1..1\nok 1 - LOAD-14 "),
        ("json", "{\n  \"plugin\": {\n    \"path\": \"PLUGIN\""),
        ("junit", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "),
    ] {
        let output = judge(None, &["--rule", "LOAD-14", "--format", format]);
        assert_eq!((status(&output), &*stderr(&output)), (Some(0), ""));
        let text = stdout(&output);
        assert!(text.starts_with(begin), "{text}");
    }
}

/// What the command says when nothing is judged.
fn refusal(arguments: &[&str]) -> String {
    let output = judge(None, arguments);
    assert_eq!((status(&output), &*stdout(&output)), (Some(2), ""));
    stderr(&output)
}

#[test]
fn a_rule_or_family_that_there_is_not() {
    insta::assert_snapshot!(refusal(&["--rule", "EVNT-01"]), @"lockscope: there is no rule 'EVNT-01'; did you mean EVENT-01? `lockscope conformance --list` shows all");
    insta::assert_snapshot!(refusal(&["--family", "evnets"]), @"lockscope: there is no family 'evnets'; did you mean EVENT? the families are LOAD, IDENT, EXCL, EVENT, SAMPLE, TIME, SESSION, FAIL");
    insta::assert_snapshot!(refusal(&["--xfail", "LAOD-01=it is another one"]), @"lockscope: there is no rule 'LAOD-01'; did you mean LOAD-01? `lockscope conformance --list` shows all");
}

#[test]
fn arguments_that_cannot_be_understood() {
    for (arguments, expected) in [
        (["--xfail", "EVENT-01"], "expected ID=REASON, as in TIME-02='holds are not measured'"),
        (["--set", "period"], "expected KEY=VALUE, as in max_locks=1000"),
        (["--format", "yaml"], "[possible values: text, tap, json, junit]"),
    ] {
        let said = refusal(&arguments);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_plugin_that_is_not_there() {
    let output = run(None, &["/no/such/plugin.so"]);
    assert_eq!((status(&output), &*stdout(&output)), (Some(2), ""));
    insta::assert_snapshot!(stderr(&output), @"lockscope: there is no file /no/such/plugin.so; build the plugin, or correct its path");
}
