//! One run with everything that there can be, in each format.

use std::path::PathBuf;
use std::time::Duration;

use super::Format;
use crate::rule::{Level, Rule, Verified};
use crate::runner::{About, Judged, Kit, Run};
use crate::verdict::{Failure, Verdict};

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        sentence: "What is <told> is #kept.",
        intent: "So that it is \"there\".",
        verified: &[Verified::Property, Verified::Model("package::model")],
        look: &["Is it told?", "Is it kept?"],
        check: Some(|_| Ok(())),
    }
}

static KEPT: Rule = rule("LOAD-01", Level::Must);
static BROKEN: Rule = rule("LOAD-02", Level::Must);
static ADVISED: Rule = rule("LOAD-03", Level::Should);
static EXPECTED: Rule = rule("EVENT-01", Level::Must);
static UNEXPECTED: Rule = rule("EVENT-02", Level::Must);
static NOT_RUN: Rule = rule("EVENT-03", Level::Must);
static NOT_DECIDED: Rule = Rule { check: None, ..rule("EVENT-04", Level::Must) };

fn kit() -> Kit {
    Kit {
        set: vec![("at".to_owned(), "a b".to_owned())],
        ..Kit::new(PathBuf::from("kit"), PathBuf::from("/plugins/it's.so"))
    }
}

fn everything() -> Run {
    let failure = Failure::new("3 & more", "2").after(["first <this>", "then \"that\""]);
    let failure = Failure { output: "\u{1b}[1mloud\u{1b}[0m\n# words\n".to_owned(), ..failure };
    let failed = || Verdict::Failed(failure.clone());
    let not_run =
        Verdict::NotRun { because: "LOAD-02".to_owned(), why: "it is #2\nof 3".to_owned() };
    let one = |rule, verdict, xfail: Option<&str>| Judged {
        rule,
        verdict,
        xfail: xfail.map(str::to_owned),
        took: Duration::from_millis(25),
    };
    Run {
        about: Some(About { name: "it".into(), version: "0.1.0".into(), abi: "1.0.0".into() }),
        judged: vec![
            one(&KEPT, Some(Verdict::Passed), None),
            one(&BROKEN, Some(failed()), None),
            one(&ADVISED, Some(Verdict::Failed(Failure::new("one word", "two words"))), None),
            one(&EXPECTED, Some(failed()), Some("not yet #1")),
            one(&UNEXPECTED, Some(Verdict::Passed), Some("not yet")),
            one(&NOT_RUN, Some(not_run), None),
            one(&NOT_DECIDED, None, None),
        ],
        took: Duration::from_millis(1_250),
    }
}

#[test]
fn text() {
    insta::assert_snapshot!(Format::Text.render(&kit(), &everything()), @r#"
    MUST LOAD-02 is broken: What is <told> is #kept.
      why       So that it is "there".
      plugin    it 0.1.0, ABI 1.0.0, /plugins/it's.so
      expected  3 & more
      observed  2
      history   first <this>
                then "that"
      output    �[1mloud�[0m
                # words
      check     Is it told?
                Is it kept?
      rule      SPEC.md#load-02
      replay    lockscope conformance '/plugins/it'\''s.so' --rule LOAD-02 --seed 1 --set 'at=a b'

    SHOULD LOAD-03 is broken: What is <told> is #kept.
      why       So that it is "there".
      plugin    it 0.1.0, ABI 1.0.0, /plugins/it's.so
      expected  one word
      observed  two words
      check     Is it told?
                Is it kept?
      rule      SPEC.md#load-03
      replay    lockscope conformance '/plugins/it'\''s.so' --rule LOAD-03 --seed 1 --set 'at=a b'

    EVENT-01 is broken, as expected: not yet #1

    EVENT-02 is kept, and was expected to be broken: not yet
      check     Leave out `--xfail EVENT-02`, if that was repaired.

    Not run, because LOAD-02 comes first: EVENT-03
      observed  it is #2
                of 3

    it 0.1.0 does not conform (1.2 s).

    family   passed / run / total
    LOAD          1 /   3 /     3
    EVENT         1 /   2 /     4
    all           2 /   5 /     7
    "#);
}

#[test]
fn tap() {
    insta::assert_snapshot!(Format::Tap.render(&kit(), &everything()), @r##"
    TAP version 14
    1..7
    ok 1 - LOAD-01 What is <told> is \#kept.
    not ok 2 - LOAD-02 What is <told> is \#kept.
      ---
      why: "So that it is \"there\"."
      plugin: "it 0.1.0, ABI 1.0.0, /plugins/it's.so"
      expected: "3 & more"
      observed: "2"
      history:
        - "first <this>"
        - "then \"that\""
      output:
        - "�[1mloud�[0m"
        - "# words"
      check:
        - "Is it told?"
        - "Is it kept?"
      rule: "SPEC.md#load-02"
      replay: "lockscope conformance '/plugins/it'\\''s.so' --rule LOAD-02 --seed 1 --set 'at=a b'"
      ...
    not ok 3 - LOAD-03 What is <told> is \#kept. # TODO it should be kept
      ---
      why: "So that it is \"there\"."
      plugin: "it 0.1.0, ABI 1.0.0, /plugins/it's.so"
      expected: "one word"
      observed: "two words"
      check:
        - "Is it told?"
        - "Is it kept?"
      rule: "SPEC.md#load-03"
      replay: "lockscope conformance '/plugins/it'\\''s.so' --rule LOAD-03 --seed 1 --set 'at=a b'"
      ...
    not ok 4 - EVENT-01 What is <told> is \#kept. # TODO expected: not yet \#1
      ---
      why: "So that it is \"there\"."
      plugin: "it 0.1.0, ABI 1.0.0, /plugins/it's.so"
      expected: "3 & more"
      observed: "2"
      history:
        - "first <this>"
        - "then \"that\""
      output:
        - "�[1mloud�[0m"
        - "# words"
      check:
        - "Is it told?"
        - "Is it kept?"
      rule: "SPEC.md#event-01"
      replay: "lockscope conformance '/plugins/it'\\''s.so' --rule EVENT-01 --seed 1 --set 'at=a b'"
      ...
    not ok 5 - EVENT-02 What is <told> is \#kept.
      ---
      message: "it was expected to be broken: not yet"
      ...
    not ok 6 - EVENT-03 What is <told> is \#kept.
      ---
      message: "it was not run, because LOAD-02 comes first"
      observed:
        - "it is #2"
        - "of 3"
      ...
    ok 7 - EVENT-04 What is <told> is \#kept. # SKIP only the source can show it
    # LOAD: 1 passed / 3 run / 3 total
    # EVENT: 1 passed / 2 run / 4 total
    # all: 2 passed / 5 run / 7 total
    "##);
}

#[test]
fn json() {
    insta::assert_snapshot!(Format::Json.render(&kit(), &everything()), @r#"
    {
      "plugin": {
        "path": "/plugins/it's.so",
        "name": "it",
        "version": "0.1.0",
        "abi": "1.0.0"
      },
      "seed": 1,
      "conforms": false,
      "took_ms": 1250,
      "families": [
        {
          "family": "LOAD",
          "passed": 1,
          "run": 3,
          "total": 3
        },
        {
          "family": "EVENT",
          "passed": 1,
          "run": 2,
          "total": 4
        },
        {
          "family": "all",
          "passed": 2,
          "run": 5,
          "total": 7
        }
      ],
      "rules": [
        {
          "id": "LOAD-01",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "kept",
          "link": "SPEC.md#load-01",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule LOAD-01 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "LOAD-02",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "broken",
          "found": {
            "expected": "3 & more",
            "history": [
              "first <this>",
              "then \"that\""
            ],
            "observed": "2",
            "output": "\u001b[1mloud\u001b[0m\n# words\n"
          },
          "check": [
            "Is it told?",
            "Is it kept?"
          ],
          "link": "SPEC.md#load-02",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule LOAD-02 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "LOAD-03",
          "level": "SHOULD",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "advised",
          "found": {
            "expected": "one word",
            "history": [],
            "observed": "two words",
            "output": ""
          },
          "check": [
            "Is it told?",
            "Is it kept?"
          ],
          "link": "SPEC.md#load-03",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule LOAD-03 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "EVENT-01",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "expected",
          "xfail": "not yet #1",
          "found": {
            "expected": "3 & more",
            "history": [
              "first <this>",
              "then \"that\""
            ],
            "observed": "2",
            "output": "\u001b[1mloud\u001b[0m\n# words\n"
          },
          "check": [
            "Is it told?",
            "Is it kept?"
          ],
          "link": "SPEC.md#event-01",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule EVENT-01 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "EVENT-02",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "unexpected",
          "xfail": "not yet",
          "link": "SPEC.md#event-02",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule EVENT-02 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "EVENT-03",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "not run",
          "found": {
            "because": "LOAD-02",
            "observed": "it is #2\nof 3"
          },
          "link": "SPEC.md#event-03",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule EVENT-03 --seed 1 --set 'at=a b'",
          "took_ms": 25
        },
        {
          "id": "EVENT-04",
          "level": "MUST",
          "sentence": "What is <told> is #kept.",
          "intent": "So that it is \"there\".",
          "verified": [
            "property",
            "proved in the model `package::model`"
          ],
          "standing": "not decided",
          "link": "SPEC.md#event-04",
          "replay": "lockscope conformance '/plugins/it'\\''s.so' --rule EVENT-04 --seed 1 --set 'at=a b'",
          "took_ms": 25
        }
      ]
    }
    "#);
}

#[test]
fn junit() {
    insta::assert_snapshot!(Format::Junit.render(&kit(), &everything()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="lockscope conformance" tests="7" failures="2" errors="1" skipped="3" time="1.250">
      <testsuite name="LOAD" tests="3" failures="1" errors="0" skipped="1">
        <testcase classname="LOAD" name="LOAD-01 What is &lt;told&gt; is #kept." time="0.025"/>
        <testcase classname="LOAD" name="LOAD-02 What is &lt;told&gt; is #kept." time="0.025">
          <failure message="2">
    why: So that it is &quot;there&quot;.
    plugin: it 0.1.0, ABI 1.0.0, /plugins/it's.so
    expected: 3 &amp; more
    observed: 2
    history: first &lt;this&gt;
        then &quot;that&quot;
    output: �[1mloud�[0m
        # words
    check: Is it told?
        Is it kept?
    rule: SPEC.md#load-02
    replay: lockscope conformance '/plugins/it'\''s.so' --rule LOAD-02 --seed 1 --set 'at=a b'
    </failure>
        </testcase>
        <testcase classname="LOAD" name="LOAD-03 What is &lt;told&gt; is #kept." time="0.025">
          <skipped message="it should be kept: two words">
    why: So that it is &quot;there&quot;.
    plugin: it 0.1.0, ABI 1.0.0, /plugins/it's.so
    expected: one word
    observed: two words
    check: Is it told?
        Is it kept?
    rule: SPEC.md#load-03
    replay: lockscope conformance '/plugins/it'\''s.so' --rule LOAD-03 --seed 1 --set 'at=a b'
    </skipped>
        </testcase>
      </testsuite>
      <testsuite name="EVENT" tests="4" failures="1" errors="1" skipped="2">
        <testcase classname="EVENT" name="EVENT-01 What is &lt;told&gt; is #kept." time="0.025">
          <skipped message="it is broken, as expected: not yet #1">
    why: So that it is &quot;there&quot;.
    plugin: it 0.1.0, ABI 1.0.0, /plugins/it's.so
    expected: 3 &amp; more
    observed: 2
    history: first &lt;this&gt;
        then &quot;that&quot;
    output: �[1mloud�[0m
        # words
    check: Is it told?
        Is it kept?
    rule: SPEC.md#event-01
    replay: lockscope conformance '/plugins/it'\''s.so' --rule EVENT-01 --seed 1 --set 'at=a b'
    </skipped>
        </testcase>
        <testcase classname="EVENT" name="EVENT-02 What is &lt;told&gt; is #kept." time="0.025">
          <failure message="it is kept, and was expected to be broken: not yet"/>
        </testcase>
        <testcase classname="EVENT" name="EVENT-03 What is &lt;told&gt; is #kept." time="0.025">
          <error message="LOAD-02 comes first: it is #2
    of 3"/>
        </testcase>
        <testcase classname="EVENT" name="EVENT-04 What is &lt;told&gt; is #kept." time="0.025">
          <skipped message="only the source can show it"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

/// Of those above only one of the rules that must be kept is enough.
#[test]
fn what_makes_a_plugin_conform() {
    let only = |number: usize| {
        let run = everything();
        Run { judged: vec![run.judged[number].clone()], ..run }.conforms()
    };
    let conforms: Vec<bool> = (0..7).map(only).collect();
    assert_eq!(conforms, [true, false, true, true, false, false, true]);
}

/// If a plugin cannot even be described, it is called by its file.
#[test]
fn a_plugin_without_name() {
    let run = Run { about: None, ..everything() };
    let text = Format::Text.render(&kit(), &run);
    assert!(text.contains("\n  plugin    /plugins/it's.so\n"), "{text}");
    assert!(text.contains("\n/plugins/it's.so does not conform (1.2 s).\n"), "{text}");
}
