//! Why the kit could not run: sentences that end in what to do.

use std::path::PathBuf;

use crate::rules;

/// An error of the kit; what is wrong with a plugin is none, but a
/// [`Failure`](crate::Failure).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// The plugin's file is not there.
    #[error("there is no file {}; build the plugin, or correct its path", path.display())]
    NoPlugin {
        /// Where it should be.
        path: PathBuf,
    },
    /// A rule was named that there is not.
    #[error(
        "there is no rule '{id}';{} `lockscope conformance --list` shows all",
        suggestion(nearest)
    )]
    UnknownRule {
        /// What was named.
        id: String,
        /// The rule that is spelt most like it, if any is.
        nearest: Option<&'static str>,
    },
    /// A family was named that there is not.
    #[error("there is no family '{name}';{} the families are {}", suggestion(nearest), families())]
    UnknownFamily {
        /// What was named.
        name: String,
        /// The family that is spelt most like it, if any is.
        nearest: Option<&'static str>,
    },
    /// A rule is expected to fail that is not looked at from outside.
    #[error(
        "the rule {id} cannot be expected to fail: a plugin alone does not show whether it is kept. Leave `--xfail {id}` out"
    )]
    NotDecided {
        /// The rule.
        id: &'static str,
    },
    /// The kit's own file is not known.
    #[error(
        "the kit does not find its own program, which makes the checks: {source}; start it by its path"
    )]
    Program {
        /// What the system said.
        source: std::io::Error,
    },
    /// The process of a check could not be started.
    #[error("the process that is to check {rule} cannot be started: {source}; see whether the system has room for more processes, and whether {} can be executed", program.display())]
    Start {
        /// What it was to check.
        rule: &'static str,
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" did you mean {name}?"))
}

fn families() -> String {
    let ids: Vec<&str> = rules::FAMILIES.iter().map(|family| family.id).collect();
    ids.join(", ")
}

/// The one of `known` that is spelt most like `name`, if any is.
pub(crate) fn nearest(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let near = |known: &&'static str| strsim::jaro_winkler(&name, &known.to_ascii_uppercase());
    let likely = known.into_iter().filter(|known| near(known) > 0.75);
    likely.max_by(|one, other| near(one).total_cmp(&near(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelt_alike_is_near() {
        let known = ["EVENT-01", "EVENT-02", "EXCL-01"];
        assert_eq!(nearest("event1", known), Some("EVENT-01"));
        assert_eq!(nearest("EVNT-02", known), Some("EVENT-02"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn every_error_ends_in_what_to_do() {
        let source = || std::io::Error::from_raw_os_error(libc::EAGAIN);
        let errors = [
            KitError::NoPlugin { path: "target/libmine.so".into() },
            KitError::UnknownRule { id: "EVNT-01".into(), nearest: Some("EVENT-01") },
            KitError::UnknownRule { id: "colour".into(), nearest: None },
            KitError::UnknownFamily { name: "evnet".into(), nearest: Some("EVENT") },
            KitError::NotDecided { id: "FAIL-02" },
            KitError::Program { source: source() },
            KitError::Start { rule: "EVENT-01", program: "bin/kit".into(), source: source() },
        ];
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        there is no file target/libmine.so; build the plugin, or correct its path
        there is no rule 'EVNT-01'; did you mean EVENT-01? `lockscope conformance --list` shows all
        there is no rule 'colour'; `lockscope conformance --list` shows all
        there is no family 'evnet'; did you mean EVENT? the families are LOAD, IDENT, EXCL, EVENT, SAMPLE, TIME, SESSION, FAIL
        the rule FAIL-02 cannot be expected to fail: a plugin alone does not show whether it is kept. Leave `--xfail FAIL-02` out
        the kit does not find its own program, which makes the checks: Resource temporarily unavailable (os error 11); start it by its path
        the process that is to check EVENT-01 cannot be started: Resource temporarily unavailable (os error 11); see whether the system has room for more processes, and whether bin/kit can be executed
        ");
    }
}
