//! Commands that are the conformance kit's.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{folder, lockscope, stderr, stdout, without};

/// A program that says how it was called, instead of the kit's.
fn kit(folder: &Path, mode: u32) {
    let path = folder.join("lockscope-conformance");
    std::fs::write(&path, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 3\n").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_kit_is_given_all_that_is_not_the_commands() {
    let dir = folder();
    kit(dir.path(), 0o755);
    for (command, arguments) in [
        ("conformance", &["my.so", "--rule", "EVENT-01", "--", "-x"][..]),
        ("conformance", &["--help"]),
        ("new-backend", &["mine", "--version"]),
    ] {
        let output = lockscope(dir.path())
            .arg(command)
            .args(arguments)
            .env("PATH", dir.path())
            .output()
            .unwrap();
        let said: String =
            [command].iter().chain(arguments).map(|word| format!("<{word}>")).collect();
        assert_eq!((stdout(&output), output.status.code()), (said, Some(3)));
    }
}

/// The status is not the one that says that a plugin does not conform.
#[test]
fn a_kit_that_is_not_installed() {
    let dir = folder();
    let output =
        lockscope(dir.path()).args(["conformance", "my.so"]).env("PATH", "").output().unwrap();
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("", Some(2)));
    insta::assert_snapshot!(stderr(&output), @"lockscope: `lockscope conformance` needs the program lockscope-conformance, which is neither beside this command nor on the PATH; build it with `cargo build -p lockscope-conformance` in lockscope's sources, and leave it there or copy it beside this command");
}

#[test]
fn a_kit_that_cannot_be_started() {
    let dir = folder();
    kit(dir.path(), 0o644);
    let output = lockscope(dir.path()).arg("new-backend").env("PATH", dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(without(&stderr(&output), &[(dir.path(), "DIR")]), @"lockscope: DIR/lockscope-conformance cannot be started: Permission denied (os error 13); make it a file that you can execute");
}

#[test]
fn help_lists_the_kits_commands() {
    let dir = folder();
    let help = stdout(&lockscope(dir.path()).arg("help").output().unwrap());
    for line in [
        "  conformance  Judge a backend's plugin by the rules of SPEC.md\n",
        "  new-backend  Write a new backend that conforms\n",
    ] {
        assert!(help.contains(line), "{help}");
    }
}
