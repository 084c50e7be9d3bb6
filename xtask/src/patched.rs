//! The stand-ins under `probes/patched`: what they stand in for has tests, which must pass
//! against them, and what locks by them must be seen.
//!
//! The original's tests are taken from the package that cargo has fetched, and are written
//! into cargo's target folder: they are not ours to keep.

mod tests_of;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// What all of them stand in for.
const NAME: &str = "parking_lot";

/// A package that stands in for a release of parking_lot, and what is tried with it.
struct StandIn {
    /// The release that it has the interface of.
    version: &'static str,
    /// Its folder, in the workspace.
    folder: &'static str,
    /// The folder of a program that is patched with it.
    program: &'static str,
    /// The original's features.
    features: &'static [&'static str],
    /// Those with which the original's tests are run, in turn: all that go together.
    together: &'static [&'static str],
    /// The parking_lot_core by which it locks.
    core: &'static str,
    /// The language of the original's tests.
    edition: &'static str,
    /// What they depend on, as a manifest says it.
    tests_need: &'static str,
    /// Those that cannot pass: they are about what this release does otherwise than the one
    /// by which the stand-in locks.
    left_out: &'static [&'static str],
}

const STAND_INS: [StandIn; 2] = [
    StandIn {
        version: "0.13.0",
        folder: "probes/patched/parking_lot-0.13",
        program: "probes/patched/program-0.13",
        features: &["arc_lock", "deadlock_detection", "owning_ref", "send_guard", "serde"],
        together: &["", "arc_lock,serde,owning_ref,send_guard", "arc_lock,deadlock_detection"],
        core: "0.9",
        edition: "2024",
        tests_need: "rand = \"0.10.2\"\n\
            [dev-dependencies.postcard]\n\
            version = \"1.1.3\"\n\
            features = [\"use-std\"]\n\
            default-features = false\n",
        // What 0.12 takes for a deadlock, and for none, where readers and writers mix.
        left_out: &[
            "test_rwlock_pending_writer_owns_primary_key",
            "test_rwlock_shared_reader_does_not_own_primary_key",
        ],
    },
    StandIn {
        version: "0.12.5",
        folder: "probes/patched/parking_lot-0.12",
        program: "probes/patched/program-0.12",
        features: &[
            "arc_lock",
            "deadlock_detection",
            "hardware-lock-elision",
            "owning_ref",
            "send_guard",
            "serde",
        ],
        together: &[
            "",
            "arc_lock,serde,owning_ref,send_guard,hardware-lock-elision",
            "arc_lock,deadlock_detection",
        ],
        core: "0.10",
        edition: "2021",
        tests_need: "bincode = \"1.3.3\"\nrand = \"0.8.3\"\n",
        left_out: &[],
    },
];

/// Runs the originals' own tests against the stand-ins, unrecorded and recorded, and
/// compares what patched programs did with what was seen of them.
///
/// # Errors
///
/// A test fails, something cannot be built, or a count differs. A reason, and no error, if
/// nothing could be tried because packages cannot be fetched.
pub fn check() -> Result<Option<String>, Error> {
    for folder in STAND_INS.iter().flat_map(|stand_in| [stand_in.folder, stand_in.program]) {
        let manifest = metadata::root().join(folder).join("Cargo.toml");
        // What is wrong with a manifest is said without network, and is no reason to skip.
        package_metadata(&manifest, &["--no-deps"])?;
        let fetch = Call::cargo().args(["fetch", "--manifest-path"]).args([&manifest]);
        if fetch.run().is_err() {
            return Ok(Some(format!(
                "`{}` failed, so the packages of crates.io are not at hand; with a network \
                 they are fetched once.",
                fetch.shown()
            )));
        }
    }
    let built = metadata::of_workspace()?.target;
    let build = ["build", "-p", "lockscope-host", "-p", "lockscope-backend-wrapper"];
    Call::cargo().args(build).run()?;
    let (lockscope, target) = (&*built.join("debug/lockscope"), built.join("patched"));
    for stand_in in &STAND_INS {
        let folder = metadata::root().join(stand_in.folder);
        let original = stand_in.original(&folder)?;
        let tests = target.join("original-tests").join(stand_in.version);
        tests_of::write(&original, stand_in, &folder, &tests)?;
        stand_in.is_patched_in(&tests.join("Cargo.toml"))?;
        for features in stand_in.together {
            stand_in.run_tests(&tests, &target, features, None)?;
            stand_in.run_tests(&tests, &target, features, Some(lockscope))?;
        }
        count(lockscope, &metadata::root().join(stand_in.program), &target)?;
    }
    Ok(None)
}

fn package_metadata(manifest: &Path, args: &[&str]) -> Result<Value, Error> {
    let call = Call::cargo().args(["metadata", "--format-version", "1", "--manifest-path"]);
    let output = call.args([manifest]).args(args).output()?;
    serde_json::from_slice(&output).map_err(|error| Error::Metadata(error.to_string()))
}

impl StandIn {
    /// Where cargo keeps the sources of the original.
    fn original(&self, folder: &Path) -> Result<PathBuf, Error> {
        let found = package_metadata(&folder.join("Cargo.toml"), &["--offline"])?;
        let packages = found["packages"].as_array();
        let is_original = |package: &&Value| {
            (package["name"].as_str(), package["version"].as_str())
                == (Some(NAME), Some(self.version))
                && package["source"].is_string()
        };
        packages
            .into_iter()
            .flatten()
            .find(is_original)
            .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
            .map(Path::to_owned)
            .ok_or_else(|| Error::Metadata(format!("nothing of {NAME} {}", self.version)))
    }

    /// That the package is built with the stand-in: Cargo leaves out a patch that does not
    /// fit with no more than a warning, and then the original would be tested.
    ///
    /// # Errors
    ///
    /// It is not.
    fn is_patched_in(&self, manifest: &Path) -> Result<(), Error> {
        let found = package_metadata(manifest, &[])?;
        let mut packages = found["packages"].as_array().into_iter().flatten();
        let is_stand_in = |package: &Value| {
            package["name"].as_str() == Some(NAME)
                && package["version"].as_str() == Some(self.version)
                && package["source"].is_null()
        };
        if packages.any(is_stand_in) {
            return Ok(());
        }
        Err(Error::Metadata(format!("that {NAME} {} is not patched", self.version)))
    }

    /// Runs the tests, each test program under `lockscope run` if there is one.
    fn run_tests(
        &self,
        tests: &Path,
        target: &Path,
        features: &str,
        lockscope: Option<&Path>,
    ) -> Result<(), Error> {
        let mut call = Call::cargo()
            .args(["test", "--quiet", "--no-fail-fast", "--features", features, "--manifest-path"])
            .args([tests.join("Cargo.toml")])
            .args(["--target-dir".as_ref(), target.join("build").as_os_str()]);
        if let Some(lockscope) = lockscope {
            let report = target.join("tests-{pid}.json").display().to_string();
            let lockscope = lockscope.display().to_string();
            let words =
                [&*lockscope, "run", "--backend", "wrapper", "--period", "1", "-o", &report];
            let words: Vec<_> = words.into_iter().chain(["--"]).map(quoted).collect();
            let runner = words.join(", ");
            // Examples are not run again: what their programs print would be compared.
            call = call.args(["--tests", "--config"]);
            call = call.args([format!("target.'cfg(all())'.runner = [{runner}]")]);
        }
        call = call.args(["--"]);
        for test in self.left_out {
            call = call.args(["--skip", test]);
        }
        eprintln!("$ {}", call.shown());
        call.run()
    }
}

/// As a string of TOML.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Runs the program at period 1, and compares its own account with the report's.
fn count(lockscope: &Path, program: &Path, target: &Path) -> Result<(), Error> {
    let build = Call::cargo().args(["build", "--manifest-path"]).args([program.join("Cargo.toml")]);
    build.args(["--target-dir".as_ref(), target.join("build").as_os_str()]).run()?;
    let name = program.file_name().unwrap_or_default().to_string_lossy().replace('.', "-");
    let report = target.join(format!("{name}.json"));
    let profile = Call::new(lockscope)
        .args(["run", "--backend", "wrapper", "--period", "1", "-o"])
        .args([report.as_os_str(), "--".as_ref()])
        .args([target.join(format!("build/debug/patched-{name}"))]);
    eprintln!("$ {}", profile.shown());
    let account = String::from_utf8_lossy(&profile.output()?).into_owned();
    let text = fs::read_to_string(&report)
        .map_err(|source| Error::File { path: report.clone(), source })?;
    let seen: Value =
        serde_json::from_str(&text).map_err(|error| Error::Metadata(error.to_string()))?;
    let wrong = differences(&account, &seen);
    if wrong.is_empty() {
        println!(
            "As often as it says, {name} was seen to lock, itself and in its dependency:\n{}",
            account.trim()
        );
        return Ok(());
    }
    Err(Error::Differs { what: wrong, command: profile.shown() })
}

/// Where the program's account, `file count` or `file:line count` by line, differs from
/// the report.
fn differences(account: &str, report: &Value) -> String {
    let mut wrong = Vec::new();
    let lines: Vec<_> = account.lines().filter_map(|line| line.split_once(' ')).collect();
    for (place, said) in &lines {
        let (seen, origins) = acquisitions(report, place);
        if said.parse() != Ok(seen) {
            wrong.push(format!("{place}: locked {said} times, seen {seen} times"));
        }
        if !origins {
            wrong.push(format!("{place}: a lock whose origin is not known"));
        }
    }
    if lines.is_empty() {
        wrong.push("the program has given no account".to_owned());
    }
    if report["losses"].as_array().is_some_and(|losses| !losses.is_empty()) {
        wrong.push(format!("losses: {}", report["losses"]));
    }
    wrong.join("\n")
}

/// How often the report saw locking in files that end like this, or in this line of them,
/// and whether the origin of all these locks is known.
fn acquisitions(report: &Value, place: &str) -> (f64, bool) {
    let (mut seen, mut origins) = (0.0, true);
    let (file, line) = match place.split_once(':') {
        Some((file, line)) => (file, line.parse::<u64>().ok()),
        None => (place, None),
    };
    for lock in report["locks"].as_array().into_iter().flatten() {
        for site in lock["sites"].as_array().into_iter().flatten() {
            let place = site["place"]["file"].as_str().unwrap_or_default();
            let is_line = line.is_none() || site["place"]["line"].as_u64() == line;
            if Path::new(place).ends_with(file) && is_line {
                seen += site["acquisitions"]["value"].as_f64().unwrap_or(f64::NAN);
                origins &= lock["created"]["file"].is_string();
            }
        }
    }
    (seen, origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        serde_json::json!({ "losses": [], "locks": [
            { "created": { "file": "/p/src/vec.rs" }, "sites": [
                { "place": { "file": "/p/src/vec.rs", "line": 7 }, "acquisitions": { "value": 2.0 } },
                { "place": { "file": "/p/src/vec.rs", "line": 8 }, "acquisitions": { "value": 3.0 } },
            ] },
            { "sites": [
                { "place": { "file": "/p/src/other.rs" }, "acquisitions": { "value": 1.0 } },
            ] },
        ] })
    }

    #[test]
    fn an_account_is_compared_by_file() {
        assert_eq!(differences("vec.rs 5\n", &report()), "");
        assert_eq!(differences("src/vec.rs:8 3\n", &report()), "");
        assert_eq!(
            differences("vec.rs:7 3\n", &report()),
            "vec.rs:7: locked 3 times, seen 2 times"
        );
        assert_eq!(differences("vec.rs 6\n", &report()), "vec.rs: locked 6 times, seen 5 times");
        assert_eq!(
            differences("other.rs 1\n", &report()),
            "other.rs: a lock whose origin is not known"
        );
        assert_eq!(differences("", &report()), "the program has given no account");
    }
}
