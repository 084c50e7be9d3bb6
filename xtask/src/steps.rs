//! Everything that CI runs: the list, and nothing else.

use crate::system::Tool;

/// One thing that must be right.
#[derive(Debug)]
pub struct Step {
    /// By which `--only` calls it.
    pub name: &'static str,
    /// What is right if it passes.
    pub claim: &'static str,
    /// How that is found out.
    pub check: Check,
    /// Whether only `--thorough` runs it.
    pub is_thorough: bool,
}

/// How a step is done.
#[derive(Debug)]
pub enum Check {
    /// One cargo command, with these variables.
    Cargo(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// A cargo command by a tool that need not be installed.
    Optional {
        /// The tool's program.
        tool: &'static str,
        /// The command.
        args: &'static [&'static str],
    },
    /// The models of all packages that have some, by this checker, with these
    /// variables.
    Models(Checker, &'static [(&'static str, &'static str)]),
    /// The bench that counts instructions, by [`crate::bench`].
    Instructions,
    /// The commands of the README, by [`crate::readme`].
    Readme,
    /// The stand-ins for other lock crates, by [`crate::patched`].
    Patched,
    /// Programs of others, by [`crate::real`].
    RealPrograms,
    /// The tests, by nextest where it is installed; they start programs that
    /// are built before.
    Tests {
        /// More arguments for build and test alike.
        args: &'static [&'static str],
        /// What some of the tests need from the system.
        tools: &'static [Tool],
    },
}

/// Who explores models: see `core/src/sync.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    /// All there is, of something small.
    Loom,
    /// Something large, at random.
    Shuttle,
}

impl Checker {
    /// Its name, which is that of its folder as well.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Shuttle => "shuttle",
        }
    }
}

/// The packages that have models, of their own or by `suite!`.
pub const MODELLED: &[&str] = &[
    "lockscope-core",
    "lockscope-stacks",
    "lockscope-backends",
    "lockscope-backend-adaptive",
    "lockscope-backend-lazy",
    "lockscope-backend-sidetable",
    "lockscope-backend-wrapper",
    "lockscope-conformance",
];

const fn step(name: &'static str, claim: &'static str, check: Check) -> Step {
    Step { name, claim, check, is_thorough: false }
}

const fn thorough(name: &'static str, claim: &'static str, check: Check) -> Step {
    Step { name, claim, check, is_thorough: true }
}

/// In the order in which they run: what fails fast comes first, and the tests
/// come last, so that a run closes on the test runner's own summary.
pub const STEPS: &[Step] = &[
    step("fmt", "the code is formatted", Check::Cargo(&["fmt", "--all", "--check"], &[])),
    step(
        "structure",
        "dependencies run one way; unsafe and atomics stand where they may",
        Check::Cargo(&["test", "--quiet", "-p", "xtask"], &[]),
    ),
    step(
        "clippy",
        "no lint complains",
        Check::Cargo(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
            &[],
        ),
    ),
    step(
        "docs",
        "the documentation builds, and its links lead somewhere",
        Check::Cargo(
            &["doc", "--workspace", "--lib", "--no-deps", "--all-features"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ),
    step(
        "deny",
        "licences and origins of dependencies are allowed",
        Check::Optional {
            tool: "cargo-deny",
            args: &["deny", "--all-features", "check", "bans", "licenses", "sources"],
        },
    ),
    thorough(
        "advisories",
        "no dependency has a known hole (asks the network)",
        Check::Optional {
            tool: "cargo-deny",
            args: &["deny", "--all-features", "check", "advisories"],
        },
    ),
    step(
        "models",
        "every interleaving of start, stop, slots, snapshots, records, and of each backend is right",
        Check::Models(Checker::Loom, &[]),
    ),
    step(
        "schedules",
        "each backend, as a whole, is right under thousands of schedules of four threads",
        Check::Models(Checker::Shuttle, &[]),
    ),
    thorough(
        "deep-models",
        "the same with one more switch between threads",
        Check::Models(Checker::Loom, &[("LOCKSCOPE_PREEMPTIONS", "4")]),
    ),
    thorough(
        "deep-schedules",
        "the same with twenty times as many schedules",
        Check::Models(Checker::Shuttle, &[("LOCKSCOPE_SCHEDULES", "100000")]),
    ),
    step("readme", "the README's commands work as they stand", Check::Readme),
    thorough(
        "slim",
        "the probe builds without its optional parts",
        Check::Cargo(&["check", "-p", "lockscope", "--no-default-features"], &[]),
    ),
    thorough(
        "release-tests",
        "the tests pass on optimised code, too",
        Check::Tests { args: &["--release"], tools: TOOLS },
    ),
    thorough(
        "instructions",
        "no path that records nothing takes more instructions than its limit",
        Check::Instructions,
    ),
    // What a feature adds to a type, or takes from it, is not seen by tests
    // that have all features: `send_guard` makes a guard `Send`.
    step(
        "features",
        "the parking_lot family is right with none of parking_lot's own features, too",
        Check::Cargo(&["test", "--quiet", "-p", "lockscope", "--features", "parking_lot"], &[]),
    ),
    step(
        "patched",
        "parking_lot's own tests pass against its stand-ins, and patched programs are seen",
        Check::Patched,
    ),
    step(
        "real-programs",
        "programs of others do what they do unwatched, and what they lock is counted right",
        Check::RealPrograms,
    ),
    step(
        "doctests",
        "the examples in the documentation work",
        Check::Cargo(&["test", "--workspace", "--all-features", "--doc"], &[]),
    ),
    step("tests", "all tests pass", Check::Tests { args: &[], tools: TOOLS }),
];

/// What the tests need from the system.
const TOOLS: &[Tool] = &[Tool {
    program: "go",
    package: "golang-go",
    wanted_for: "the test that `go tool pprof` reads our profiles",
}];
