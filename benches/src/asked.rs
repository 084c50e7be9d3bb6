//! What the command line asks for.

use std::path::PathBuf;

use crate::watching::Backend;

/// What there is to ask for.
pub const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--backend NAME|PATH]… [--against FILE] [--record]
       cargo xtask bench --accuracy [--quick] [--backend NAME|PATH]… [--against FILE] [--record]
       cargo xtask bench --limits
       cargo xtask bench --tables

  --quick              a rougher run in less than three minutes
  --backend NAME|PATH  only this backend; can be repeated
  --against FILE       say what has changed since that result by more than its noise
  --record             keep the result as the one that the documents show
  --accuracy           hold what backends report of simulated programs against the truth
  --limits             only count instructions, and keep the counts that the documents show
  --tables             write the documents' tables from the results that are kept
";

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A rougher run.
    pub quick: bool,
    /// To keep the result.
    pub record: bool,
    /// To write the documents' tables, and no more.
    pub tables: bool,
    /// To keep the counts of instructions, and no more.
    pub limits: bool,
    /// To measure errors in place of costs.
    pub accuracy: bool,
    /// A result to compare with.
    pub against: Option<PathBuf>,
    /// Where the programs are that use other people's crates; none to do without.
    pub programs: Option<PathBuf>,
    /// Names and paths of backends; none for all that are found.
    pub backends: Vec<String>,
}

impl Asked {
    /// What `args` ask for.
    ///
    /// # Errors
    ///
    /// A sentence that names the flag that there is not, or that lacks its value.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            let mut value = || args.next().map(str::to_owned).ok_or(format!("{arg} needs a value"));
            match arg {
                "--quick" => asked.quick = true,
                "--record" => asked.record = true,
                "--tables" => asked.tables = true,
                "--limits" => asked.limits = true,
                "--accuracy" => asked.accuracy = true,
                "--against" => asked.against = Some(value()?.into()),
                "--backend" => asked.backends.push(value()?),
                // Of `cargo xtask bench`, which builds them.
                "--programs" => asked.programs = Some(value()?.into()),
                // What cargo adds to the arguments of a bench.
                "--bench" => {}
                _ => return Err(format!("there is no flag '{arg}'")),
            }
        }
        Ok(asked)
    }

    /// The backends.
    ///
    /// # Errors
    ///
    /// A sentence that says which cannot be used, and why.
    pub fn backends(&self) -> Result<Vec<Backend>, String> {
        if self.backends.is_empty() {
            return Backend::all();
        }
        self.backends.iter().map(|name| Backend::named(name)).collect()
    }

    /// The command that measures the same again.
    #[must_use]
    pub fn command(&self) -> String {
        let flags =
            [(self.limits, " --limits"), (self.accuracy, " --accuracy"), (self.quick, " --quick")];
        let flags = flags.iter().filter(|(is_asked, _)| *is_asked);
        let mut command = String::from("cargo xtask bench");
        flags.for_each(|(_, flag)| command.push_str(flag));
        self.backends.iter().for_each(|name| command.push_str(&format!(" --backend {name}")));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_can_be_asked_for_again() {
        let words = ["--accuracy", "--quick", "--backend", "wrapper", "--record", "--bench"];
        let asked = Asked::parse(&words.map(str::to_owned)).unwrap();
        assert!(asked.record && asked.accuracy && asked.quick && !asked.limits);
        assert_eq!(asked.command(), "cargo xtask bench --accuracy --quick --backend wrapper");
    }

    #[test]
    fn what_there_is_not_is_named() {
        let parse = |words: &[&str]| {
            Asked::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["--slow"]).unwrap_err(), "there is no flag '--slow'");
        assert_eq!(parse(&["--against"]).unwrap_err(), "--against needs a value");
    }
}
