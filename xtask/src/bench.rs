//! `cargo xtask bench`: what lockscope costs.

use crate::command::Call;
use crate::error::Error;
use crate::metadata;
use crate::system::{self, Tool};

const PACKAGE: &str = "lockscope-benches";
/// Counts nothing without these two.
const RUNNER: &str = "gungraun-runner";
const VALGRIND: Tool =
    Tool { program: "valgrind", package: "valgrind", wanted_for: "the count of instructions" };
/// Programs that use other people's crates, with their own locks and with watched ones:
/// folders of packages that are not members of the workspace.
const PROGRAMS: [&str; 2] = ["benches/real/bare", "benches/real/watched"];
/// The flags by which the bench measures no lock that is there: it writes tables, or
/// plays simulated programs.
const WITHOUT_LOCKS: [&str; 2] = ["--tables", "--accuracy"];
/// The flag by which it says where time goes, and measures nothing.
const PROFILES: &str = "--profile";
/// What is profiled, by what the lines are called, and for how many seconds each.
const PROFILED: &str = "every operation";
const PROFILE_SECONDS: &str = "2";
/// The flag by which it keeps what was counted, and measures nothing.
const COUNTS_ONLY: &str = "--limits";

/// Measures ratios to the bare locks, as `args` say (the bench itself says what
/// there is, but for `--profile`), then counts instructions where the tools for it are installed.
///
/// # Errors
///
/// A bench fails.
pub fn run(args: &[&str]) -> Result<(), Error> {
    if !metadata::of_workspace()?.packages.iter().any(|package| package.name == PACKAGE) {
        eprintln!("There is no package {PACKAGE} in this workspace, so nothing was measured.");
        return Ok(());
    }
    if let Some(at) = args.iter().position(|arg| *arg == PROFILES) {
        let asked = args.get(at + 1).copied().unwrap_or(PROFILED);
        let lines = ["--", "--profile-time", PROFILE_SECONDS, asked];
        return shown_and_run(&bench("criterion").args(lines));
    }
    let counts_only = args.contains(&COUNTS_ONLY);
    let is_without_locks = counts_only || args.iter().any(|arg| WITHOUT_LOCKS.contains(arg));
    let mut more = Vec::new();
    if !is_without_locks && let Some(folder) = programs()? {
        more = vec!["--programs".to_owned(), folder];
    }
    let ratios = || shown_and_run(&bench("ratios").args(["--"]).args(args).args(&more));
    if !counts_only {
        ratios()?;
    }
    if is_without_locks && !counts_only {
        return Ok(());
    }
    match count_instructions()? {
        Some(why) => eprintln!("Instructions were not counted: {why}"),
        None if counts_only => ratios()?,
        None => {}
    }
    Ok(())
}

/// Counts instructions, loads and stores of what records nothing, against limits; or
/// says what is missing for that.
///
/// # Errors
///
/// A path takes more than its limit.
pub fn count_instructions() -> Result<Option<String>, Error> {
    system::provide(&[VALGRIND]);
    let missing = ["valgrind", RUNNER].into_iter().find(|tool| !system::has(tool));
    if let Some(missing) = missing {
        return Ok(Some(format!(
            "{missing} is not installed; to have both that are needed: apt-get install \
             valgrind; cargo install --locked {RUNNER} --version 0.20.0"
        )));
    }
    shown_and_run(&bench("instructions"))?;
    Ok(None)
}

/// Builds [`PROGRAMS`], and says where they are; none, with the reason, if their packages
/// cannot be fetched.
///
/// # Errors
///
/// One cannot be built.
fn programs() -> Result<Option<String>, Error> {
    let target = metadata::of_workspace()?.target.join("real");
    for folder in PROGRAMS {
        let manifest = metadata::root().join(folder).join("Cargo.toml");
        let fetch = Call::cargo().args(["fetch", "--manifest-path"]).args([&manifest]);
        if fetch.run().is_err() {
            eprintln!(
                "`{}` failed, so the packages of crates.io are not at hand, and other people's \
                 crates are not measured; with a network they are fetched once.",
                fetch.shown()
            );
            return Ok(None);
        }
        let build = ["build", "--release", "--manifest-path"];
        let build = Call::cargo().args(build).args([&manifest]);
        shown_and_run(&build.args(["--target-dir".as_ref(), target.as_os_str()]))?;
    }
    Ok(Some(target.join("release").display().to_string()))
}

fn bench(name: &str) -> Call {
    Call::cargo().args(["bench", "-p", PACKAGE, "--features", "peers", "--bench", name])
}

fn shown_and_run(call: &Call) -> Result<(), Error> {
    eprintln!("$ {}", call.shown());
    call.run()
}
