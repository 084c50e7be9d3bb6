//! `cargo xtask test`: runs the list of [`crate::steps`].

use std::time::{Duration, Instant};

use crate::bench;
use crate::command::Call;
use crate::error::Error;
use crate::metadata;
use crate::patched;
use crate::readme;
use crate::real;
use crate::steps::{Check, Checker, MODELLED, STEPS, Step};
use crate::system;

/// Which steps to run.
#[derive(Debug)]
pub struct Selection(Vec<&'static Step>);

/// How a step ended, if it did not fail.
enum Outcome {
    Passed,
    Skipped(String),
}

impl Selection {
    /// Reads what follows `cargo xtask test`.
    ///
    /// # Errors
    ///
    /// A flag or step that does not exist.
    pub fn parse(args: &[&str]) -> Result<Self, Error> {
        let steps = match args {
            [] => STEPS.iter().filter(|step| !step.is_thorough).collect(),
            ["--thorough"] => STEPS.iter().collect(),
            ["--only", names] => {
                let wanted: Vec<&str> = names.split(',').collect();
                let unknown = |name: &&&str| !STEPS.iter().any(|step| step.name == **name);
                if let Some(unknown) = wanted.iter().find(unknown) {
                    return Err(usage(unknown));
                }
                STEPS.iter().filter(|step| wanted.contains(&step.name)).collect()
            }
            ["--only"] => return Err(usage("--only without a step")),
            ["--thorough", wrong, ..] | ["--only", _, wrong, ..] | [wrong, ..] => {
                return Err(usage(wrong));
            }
        };
        Ok(Self(steps))
    }
}

fn usage(found: &str) -> Error {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let known = format!("--thorough, --list, --only STEP,… with the steps {}", names.join(", "));
    Error::Usage { found: found.to_owned(), known }
}

/// Prints the steps.
pub fn list() {
    for step in STEPS {
        let when = if step.is_thorough { "  (--thorough only)" } else { "" };
        println!("{:<14} {}{when}", step.name, step.claim);
    }
}

/// Runs the steps in the list's order, until one fails. Nothing is printed
/// after a last step that passes: the test runner's summary closes the run.
///
/// # Errors
///
/// The step that failed, with the command that repeats it.
pub fn run(selection: &Selection) -> Result<(), Error> {
    let mut taken: Vec<(&str, Duration)> = Vec::new();
    for (number, step) in selection.0.iter().enumerate() {
        let is_last = number + 1 == selection.0.len();
        if is_last && number > 0 {
            print_times(&taken);
        }
        eprintln!("\n==> {}: {}", step.name, step.claim);
        let began = Instant::now();
        let outcome = check(&step.check)
            .map_err(|source| Error::Step { name: step.name, source: Box::new(source) })?;
        taken.push((step.name, began.elapsed()));
        match outcome {
            Outcome::Skipped(why) => eprintln!("==> {} skipped: {why}", step.name),
            Outcome::Passed if is_last => {}
            Outcome::Passed => {
                eprintln!("==> {} passed in {:.1} s", step.name, began.elapsed().as_secs_f64());
            }
        }
    }
    Ok(())
}

fn print_times(taken: &[(&str, Duration)]) {
    let times: Vec<String> =
        taken.iter().map(|(name, time)| format!("{name} {:.1} s", time.as_secs_f64())).collect();
    eprintln!("\nSo far: {}.", times.join(", "));
}

fn check(check: &Check) -> Result<Outcome, Error> {
    match check {
        Check::Cargo(args, variables) => {
            let mut call = Call::cargo().args(*args);
            for (name, value) in *variables {
                call = call.variable(name, value);
            }
            shown_and_run(&call)?;
        }
        Check::Optional { tool, args } => {
            if !system::has(tool) {
                return Ok(Outcome::Skipped(format!(
                    "{tool} is not installed; to have it: cargo install --locked {tool}"
                )));
            }
            shown_and_run(&Call::cargo().args(*args))?;
        }
        Check::Models(checker, variables) => explore_models(*checker, variables)?,
        Check::Instructions => {
            if let Some(why) = bench::count_instructions()? {
                return Ok(Outcome::Skipped(why));
            }
        }
        Check::Readme => readme::run_commands()?,
        Check::Patched => {
            if let Some(why) = patched::check()? {
                return Ok(Outcome::Skipped(why));
            }
        }
        Check::RealPrograms => {
            if let Some(why) = real::check()? {
                return Ok(Outcome::Skipped(why));
            }
        }
        Check::Tests { args, tools } => {
            system::provide(tools);
            run_tests(args)?;
        }
    }
    Ok(Outcome::Passed)
}

fn explore_models(
    checker: Checker,
    variables: &[(&'static str, &'static str)],
) -> Result<(), Error> {
    // A folder of its own: another cfg would have everything rebuilt.
    let target = metadata::of_workspace()?.target.join(checker.name());
    let packages = MODELLED.iter().flat_map(|package| ["-p", package]);
    // Without what only the outside door needs, which is no part of a model.
    let call = Call::cargo()
        .args(["test", "--release", "--no-default-features", "--lib", "--tests", "--target-dir"])
        .args([target])
        .args(packages)
        .args(["models"])
        .variable("RUSTFLAGS", format!("--cfg lockscope_{}", checker.name()));
    let call = variables.iter().fold(call, |call, (name, value)| call.variable(name, value));
    shown_and_run(&call)
}

fn run_tests(args: &[&str]) -> Result<(), Error> {
    let everything = ["--workspace", "--all-features"];
    // First the plugins and programs: tests load and start them, and a test
    // runner builds only what it runs.
    shown_and_run(&Call::cargo().arg_lists(&[&["build"], &everything, args]))?;
    let runner: &[&str] = if system::has("cargo-nextest") {
        &["nextest", "run", "--no-fail-fast"]
    } else {
        eprintln!("cargo-nextest is not installed; cargo's own test runner does as well.");
        &["test", "--no-fail-fast", "--lib", "--bins", "--tests"]
    };
    shown_and_run(&Call::cargo().arg_lists(&[runner, &everything, args]))
}

fn shown_and_run(call: &Call) -> Result<(), Error> {
    eprintln!("$ {}", call.shown());
    call.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Vec<&'static str> {
        Selection::parse(args).expect("known").0.iter().map(|step| step.name).collect()
    }

    #[test]
    fn every_run_closes_on_the_tests() {
        assert_eq!(names(&[]).last(), Some(&"tests"));
        assert_eq!(names(&["--thorough"]).last(), Some(&"tests"));
        assert!(names(&["--thorough"]).len() > names(&[]).len());
    }

    #[test]
    fn steps_run_in_the_lists_order_whatever_is_asked() {
        assert_eq!(names(&["--only", "tests,fmt"]), ["fmt", "tests"]);
    }

    #[test]
    fn what_is_not_known_is_answered_by_what_is() {
        for (wrong, found) in [
            (&["--only", "fmt,tets"][..], "\"tets\""),
            (&["--fast"], "\"--fast\""),
            (&["--thorough", "--fast"], "\"--fast\""),
            (&["--only", "fmt", "tests"], "\"tests\""),
            (&["--only"], "\"--only without a step\""),
        ] {
            let text = Selection::parse(wrong).expect_err("unknown").to_string();
            let begin = format!("{found} is not known here; these are:\n");
            assert!(text.starts_with(&begin) && text.contains("fmt, structure"), "{text}");
        }
    }
}
