//! `lockscope new-backend`, from a word to a plugin that its own tests pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockscope_conformance::new_backend::{NewBackendArgs, Written, write};

/// The checkout that these tests are in.
fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("it is in a workspace").to_owned()
}

fn written(name: &str, path: &Path, lockscope: Option<&Path>) -> Written {
    let lockscope = lockscope.map(Path::to_owned);
    let args = NewBackendArgs { name: name.to_owned(), path: Some(path.to_owned()), lockscope };
    write(&args).expect("it can be written")
}

fn refused(name: &str, path: &Path, lockscope: Option<&Path>) -> String {
    let lockscope = lockscope.map(Path::to_owned);
    let args = NewBackendArgs { name: name.to_owned(), path: Some(path.to_owned()), lockscope };
    write(&args).expect_err("it cannot be written").to_string()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("it was written")
}

/// Runs cargo in a crate that was written, with the checkout's choice of versions,
/// offline.
fn cargo(folder: &Path, args: &[&str]) {
    let _ = fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(folder)
        .args(args)
        .env("CARGO_NET_OFFLINE", "true")
        // One for all, and from one run to the next: what is the same is built once.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-backend"))
        .env("RUSTFLAGS", "-D warnings")
        .output()
        .expect("cargo runs");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "cargo {args:?}:\n{}\n{}",
        told(&output.stdout),
        told(&output.stderr)
    );
}

#[test]
fn what_is_written_builds_and_passes_its_suite_without_a_warning() {
    let temp = tempfile::tempdir().expect("a folder");
    let folder = temp.path().join("mine");
    written("mine", &folder, Some(&checkout()));
    cargo(&folder, &["test"]);
}

#[test]
fn what_is_written_is_formatted_whatever_the_names_length() {
    let temp = tempfile::tempdir().expect("a folder");
    for name in ["a", "as_long_as_a_name_can_be_in_here"] {
        let folder = temp.path().join(name);
        written(name, &folder, Some(&checkout()));
        cargo(&folder, &["fmt", "--check"]);
    }
}

#[test]
fn published_versions_are_asked_for_outside_of_a_checkout() {
    let temp = tempfile::tempdir().expect("a folder");
    let folder = temp.path().join("crate");
    written("mine", &folder, None);
    // As if this checkout were what is published.
    let patch = |package: &str, path: &str| {
        format!("patch.crates-io.{package}.path='{}'", checkout().join(path).display())
    };
    let patches = [
        patch("lockscope-core", "core"),
        patch("lockscope-backends", "backends/shared"),
        patch("lockscope-conformance", "conformance"),
    ];
    // It finds them all; that it builds is shown above.
    let mut args = vec!["tree", "--edges", "all"];
    args.extend(patches.iter().flat_map(|patch| ["--config", patch]));
    cargo(&folder, &args);
    let manifest = read(folder.join("Cargo.toml"));
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        manifest.contains(&format!(
            "lockscope-conformance = {{ version = \"{version}\", default-features = false }}\n"
        )),
        "{manifest}"
    );
    assert!(!manifest.contains("path ="), "{manifest}");
    assert_eq!(read(folder.join(".gitignore")), "/target\n");
}

/// A folder that looks like a checkout.
fn fake_checkout(root: &Path) {
    fs::create_dir_all(root.join("core")).expect("a folder");
    fs::write(root.join("core/Cargo.toml"), "[package]\nname = \"lockscope-core\"\n")
        .expect("a file");
    fs::write(
        root.join("Cargo.toml"),
        "[workspace]\nmembers = [\n    \"backends/lazy\",\n    \"core\",\n]\n",
    )
    .expect("a file");
}

#[test]
fn in_a_checkout_it_is_a_member_of_the_workspace() {
    let temp = tempfile::tempdir().expect("a folder");
    let root = temp.path().join("lockscope");
    fake_checkout(&root);
    let told = written("mine", &root.join("backends/mine"), None).told();
    assert_eq!(
        read(root.join("Cargo.toml")),
        "[workspace]\nmembers = [\n    \"backends/lazy\",\n    \"backends/mine\",\n    \"core\",\n]\n"
    );
    let manifest = read(root.join("backends/mine/Cargo.toml"));
    for line in [
        "version.workspace = true",
        "lockscope-core = { workspace = true, features = [\"control\"] }",
        "lockscope-conformance = { path = \"../../conformance\", default-features = false }",
    ] {
        assert!(manifest.lines().any(|found| found == line), "{line} is not in:\n{manifest}");
    }
    let root = root.canonicalize().expect("it is there");
    assert!(told.contains(&format!("It is a member of the workspace in {}.\n", root.display())));
    assert!(told.contains("\n  cargo test -p lockscope-backend-mine\n"), "{told}");
}

#[test]
fn in_another_workspace_it_is_one_of_its_own() {
    let temp = tempfile::tempdir().expect("a folder");
    fs::write(temp.path().join("Cargo.toml"), "[workspace]\n").expect("a file");
    let folder = temp.path().join("mine");
    written("mine", &folder, None);
    assert!(read(folder.join("Cargo.toml")).ends_with("\n[workspace]\n"));
    assert_eq!(read(temp.path().join("Cargo.toml")), "[workspace]\n", "not ours to change");
}

#[test]
fn what_to_do_next_is_told() {
    let temp = tempfile::tempdir().expect("a folder");
    let temp = temp.path().canonicalize().expect("it is there");
    let folder = temp.join("mine");
    let told = written("mine", &folder, None).told().replace(&folder.display().to_string(), "DIR");
    assert_eq!(
        told,
        "\
The backend mine is written to DIR:
  Cargo.toml
  build.rs
  src/lib.rs
  src/backend.rs
  src/plugin.rs
  src/policy.rs
  src/settings.rs
  src/state.rs
  tests/suite.rs

It passes, as it is:
  cd DIR
  cargo test
  cargo build --release
  lockscope conformance target/release/liblockscope_mine.so

It profiles a program:
  lockscope run --backend ./target/release/liblockscope_mine.so -- ./app

Then begin with src/policy.rs and src/state.rs; docs/write-a-backend.md says how.
"
    );
}

#[test]
fn nothing_is_overwritten_and_no_checkout_is_made_up() {
    let temp = tempfile::tempdir().expect("a folder");
    let temp = temp.path().canonicalize().expect("it is there");
    fs::write(temp.join("mine"), "").expect("a file");
    let shown = temp.join("mine").display().to_string();
    assert_eq!(
        refused("mine", &temp.join("mine"), None),
        format!(
            "the folder {shown} is there already and is not empty; name another by --path, or \
             remove it"
        )
    );
    let nowhere = temp.join("nowhere");
    assert_eq!(
        refused("mine", &temp.join("new"), Some(&nowhere)),
        format!(
            "{} is no checkout of lockscope: expected core/Cargo.toml there; name the folder that \
             has it, or leave out --lockscope to depend on published versions",
            nowhere.display()
        )
    );
    assert!(!temp.join("new").exists());
    // A folder that nobody can make.
    let inside = temp.join("mine/inside");
    let why = refused("mine", &inside, None);
    assert!(why.contains("see to the folder's permissions and room"), "{why}");
}
