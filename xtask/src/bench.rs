//! `cargo xtask bench`: what lockscope costs.

use crate::command::Call;
use crate::error::Error;
use crate::metadata;
use crate::system;

const PACKAGE: &str = "lockscope-benches";
/// The flag by which the bench measures nothing.
const WRITES_ONLY: &str = "--tables";

/// Measures ratios to the bare locks, as `args` say (the bench itself says what
/// there is), then counts instructions where the tools for it are installed.
///
/// # Errors
///
/// A bench fails.
pub fn run(args: &[&str]) -> Result<(), Error> {
    if !metadata::of_workspace()?.packages.iter().any(|package| package.name == PACKAGE) {
        eprintln!("There is no package {PACKAGE} in this workspace, so nothing was measured.");
        return Ok(());
    }
    let bench =
        |name| Call::cargo().args(["bench", "-p", PACKAGE, "--features", "peers", "--bench", name]);
    let ratios = bench("ratios").args(["--"]).args(args);
    eprintln!("$ {}", ratios.shown());
    ratios.run()?;
    if args.contains(&WRITES_ONLY) {
        return Ok(());
    }

    let missing = ["valgrind", "gungraun-runner"].into_iter().find(|tool| !system::has(tool));
    if let Some(missing) = missing {
        eprintln!(
            "Instructions were not counted, because {missing} is not installed. To count them: \
             apt-get install valgrind; cargo install gungraun-runner --version 0.20.0"
        );
        return Ok(());
    }
    let instructions = bench("instructions");
    eprintln!("$ {}", instructions.shown());
    instructions.run()
}
