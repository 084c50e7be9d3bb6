//! `cargo xtask demo | test | bench | real-programs`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use xtask::{Error, bench, demo, real, test};

const USAGE: &str = "\
cargo xtask demo [--sharded]   build lockscope, profile the demo with it, print the table
cargo xtask test [--thorough]  run everything that CI runs
                 [--only STEP,…]    or some of it
                 [--list]           or say what there is
cargo xtask bench [--quick]    measure what lockscope costs beside the bare locks
                  [--backend NAME|PATH]…  of one backend, of your own perhaps
                  [--against FILE]        and say what has changed since
                  [--accuracy]            only hold reports against the truth, of simulated programs
                  [--profile [LINE]]      only say where time goes, of criterion's lines of this name
                  [--limits]              only count instructions, and keep the counts
                  [--record | --tables]   keep it, and write the tables of the documents
cargo xtask real-programs      watch the pthread locks of memcached, MariaDB and others
                  [--quick]               each once, and not MariaDB
                  [--program NAME]…       of some alone
                  [--record | --tables]   keep it, and write docs/real-programs.md
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), Error> {
    match args {
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        ["demo"] => demo::run(false),
        ["demo", "--sharded"] => demo::run(true),
        ["bench", args @ ..] => bench::run(args),
        ["real-programs", args @ ..] => real::run(args),
        ["test", "--list"] => {
            test::list();
            Ok(())
        }
        ["test", args @ ..] => test::run(&test::Selection::parse(args)?),
        ["demo", "--sharded", wrong, ..] | ["demo", wrong, ..] | [wrong, ..] => {
            Err(Error::Usage { found: (*wrong).to_owned(), known: USAGE.to_owned() })
        }
    }
}
