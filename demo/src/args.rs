//! The command line.

use std::path::PathBuf;

use crate::corpus::Limits;
use crate::error::Error;
use crate::index::Layout;

pub(crate) const USAGE: &str = "\
Indexes the words of all text files in some folders, with several threads.

usage: lockscope-demo [FLAGS] FOLDER…

  --folders-from FILE   also index the folders that stand there, one a line
  --sharded             keep the index in 16 parts, entered once a file
  --threads N           how many threads index; 4 if not given
  --max-files N         stop after so many files
  --max-bytes N         stop before more bytes than that; 128,000,000 if not given
  --at-least N          index the same files again until it is so many bytes
  --help                print this
";

/// Enough for a few seconds on two cores.
const MAX_BYTES: u64 = 128_000_000;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Index(Args),
}

/// How to index what.
#[derive(Debug, PartialEq)]
pub(crate) struct Args {
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) threads: usize,
    pub(crate) layout: Layout,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
///
/// A flag that does not exist, a number that is none, a list of folders that
/// cannot be read, no folder.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Request, Error> {
    let mut args = args;
    let mut parsed = Args {
        folders: Vec::new(),
        limits: Limits { files: usize::MAX, bytes: MAX_BYTES, at_least: 0 },
        threads: 4,
        layout: Layout::OneMap,
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => return Ok(Request::Help),
            "--sharded" => parsed.layout = Layout::Sharded,
            "--folders-from" => parsed.folders.extend(listed(args.next())?),
            "--threads" => parsed.threads = number("--threads", args.next())?,
            "--max-files" => parsed.limits.files = number("--max-files", args.next())?,
            "--max-bytes" => parsed.limits.bytes = number("--max-bytes", args.next())?,
            "--at-least" => parsed.limits.at_least = number("--at-least", args.next())?,
            flag if flag.starts_with('-') => return Err(Error::UnknownFlag(arg)),
            _ => parsed.folders.push(PathBuf::from(arg)),
        }
    }
    if parsed.folders.is_empty() {
        return Err(Error::NoFolder);
    }
    Ok(Request::Index(parsed))
}

fn listed(file: Option<String>) -> Result<Vec<PathBuf>, Error> {
    let file = PathBuf::from(file.unwrap_or_default());
    match std::fs::read_to_string(&file) {
        Ok(list) => Ok(list.lines().map(PathBuf::from).collect()),
        Err(source) => Err(Error::List { path: file, source }),
    }
}

fn number<N>(flag: &'static str, found: Option<String>) -> Result<N, Error>
where
    N: std::str::FromStr + PartialOrd + From<u8>,
{
    match found.as_deref().map(str::parse::<N>) {
        Some(Ok(number)) if number >= N::from(1) => Ok(number),
        _ => Err(Error::NotANumber { flag, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Request, Error> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn message(line: &str) -> String {
        of(line).expect_err(line).to_string()
    }

    #[test]
    fn flags_and_folders_may_stand_in_any_order() {
        let expected = Request::Index(Args {
            folders: vec!["a".into(), "b".into()],
            limits: Limits { files: 9, bytes: 1000, at_least: 5000 },
            threads: 2,
            layout: Layout::Sharded,
        });
        let line = "a --threads 2 --sharded b --max-files 9 --max-bytes 1000 --at-least 5000";
        assert_eq!(of(line).expect(line), expected);
        assert_eq!(of("a --help --wrong").expect("help"), Request::Help);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        assert_eq!(
            message("--shard a"),
            "there is no flag --shard; `lockscope-demo --help` lists those that are."
        );
        assert_eq!(
            message("a --threads 0"),
            "--threads needs a number from 1, not \"0\"; for example `--threads 4`."
        );
        assert_eq!(
            message("a --max-bytes"),
            "--max-bytes needs a number from 1 after it; for example `--max-bytes 4`."
        );
        let missing = message("--folders-from no/such/list");
        assert!(missing.starts_with("cannot read the list no/such/list of folders: "), "{missing}");
        assert_eq!(
            message("--sharded"),
            "no folder to index was named; name one or more, or let `cargo xtask demo` choose."
        );
    }
}
