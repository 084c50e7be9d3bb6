//! A parallel indexer of text, made to be profiled.
//!
//! Threads take files from a queue, split them into words and enter the words
//! into an index. Its locks are such as most programs have:
//!
//! | lock | what for | trouble |
//! |---|---|---|
//! | `work queue` | files that wait for a thread | little: once a file |
//! | `stop words` | words that are not worth an entry | read for each word, written once a language |
//! | `word index` | word → where it stands | held for each line, while the line is split |
//! | `index shard` | the same in 16 parts (`--sharded`) | little: once a file and part |
//! | the totals (no name: known by its line) | what has been done | little: once a file |
//!
//! The program knows nothing of profiling: its locks come from
//! `lockscope::sync` instead of `std::sync`, and that is all.
#![forbid(unsafe_code)]

mod args;
mod corpus;
mod error;
mod index;
mod indexer;
mod queue;
mod stop_words;
mod words;

use std::process::ExitCode;
use std::time::Instant;

use args::{Args, Request};
use error::Error;

fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args().skip(1)) {
        Ok(Request::Help) => {
            print!("{}", args::USAGE);
            Ok(())
        }
        Ok(Request::Index(args)) => run(&args),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lockscope-demo: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), Error> {
    let files = corpus::collect(&args.folders, &args.limits)?;
    let began = Instant::now();
    let result = indexer::index(&files, args.threads, args.layout);
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} files, {} words, {} distinct, in {seconds:.2} s by {} threads into {}",
        result.totals.files, result.totals.words, result.distinct, args.threads, args.layout
    );
    println!("checksum {:016x}", result.checksum);
    if result.totals.unreadable > 0 {
        eprintln!("lockscope-demo: {} files could not be read", result.totals.unreadable);
    }
    Ok(())
}
