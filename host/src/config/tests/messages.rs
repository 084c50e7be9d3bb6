use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::{Config, FILE_NAME, Overrides, Place};
use super::{backend, folder, resolve, sources};
use crate::error::HostError;

/// What is said, with the folder left out.
fn message(error: &HostError, folder: &Path) -> String {
    error.to_string().replace(folder.to_str().unwrap(), "DIR")
}

/// What is said of this `lockscope.toml`.
fn of_file(text: &str) -> String {
    let dir = folder(text);
    let error = match resolve(dir.path(), &[]) {
        Ok(config) => config.settings_for(&backend(), &[]).expect_err("it is wrong"),
        Err(error) => error,
    };
    message(&error, dir.path())
}

/// What is said of this variable.
fn of_variable(name: &str, value: &str) -> String {
    let dir = tempfile::TempDir::new().unwrap();
    let error = match resolve(dir.path(), &[(name, value)]) {
        Ok(config) => config.settings_for(&backend(), &[]).expect_err("it is wrong"),
        Err(error) => error,
    };
    message(&error, dir.path())
}

#[test]
fn a_file_that_is_named_and_absent() {
    let dir = tempfile::TempDir::new().unwrap();
    let error = resolve(dir.path(), &[("LOCKSCOPE_CONFIG", "none.toml")]).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the configuration file DIR/none.toml does not exist (the variable LOCKSCOPE_CONFIG); create it, or name another one"
    );
    let mut overrides = Overrides::default();
    overrides.config("none.toml".into(), Place::Flag("--config"));
    let error = Config::resolve(&sources(dir.path(), &[]), &overrides).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the configuration file DIR/none.toml does not exist (the flag --config); create it, or name another one"
    );
}

#[test]
fn a_folder_in_place_of_a_file() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    let error = resolve(dir.path(), &[]).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the configuration file DIR/lockscope.toml cannot be read: Is a directory (os error 21); make it a text file that the user who runs the program can read, or name another one"
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    let dir = folder("strict = true\n");
    let path = dir.path().join(FILE_NAME);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let error = resolve(dir.path(), &[]).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the configuration file DIR/lockscope.toml cannot be read: Permission denied (os error 13); make it a text file that the user who runs the program can read, or name another one"
    );
}

#[test]
fn a_file_that_is_not_text() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), b"\xff\xfe").unwrap();
    let error = resolve(dir.path(), &[]).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the configuration file DIR/lockscope.toml cannot be read: stream did not contain valid UTF-8; make it a text file that the user who runs the program can read, or name another one"
    );
}

#[test]
fn not_toml() {
    let said = of_file("strict = true\nbackend: wrapper\n");
    let start = "the configuration file DIR/lockscope.toml is not TOML: line 2, column ";
    assert!(said.starts_with(start) && said.ends_with("; correct it there"), "{said}");
    // The middle is the parser's.
    assert!(said.len() > start.len() + 20 && !said.contains('\n'), "{said}");
}

#[test]
fn an_unknown_key() {
    assert_eq!(
        of_file("# a comment\nbackned = \"wrapper\"\n"),
        "unknown key 'backned' (DIR/lockscope.toml:2); did you mean 'backend'? Valid here: backend, output, flush_interval, plugin_path, strict, enabled, period. Correct or remove it"
    );
    assert_eq!(
        of_file("colour = \"blue\"\n"),
        "unknown key 'colour' (DIR/lockscope.toml:1). Valid here: backend, output, flush_interval, plugin_path, strict, enabled, period. Correct or remove it"
    );
}

#[test]
fn an_unknown_key_of_the_backend() {
    assert_eq!(
        of_file("[wrapper]\nmax_lock = 7\n"),
        "unknown key 'max_lock' (DIR/lockscope.toml:2); did you mean 'max_locks'? Valid here: period, max_locks. Correct or remove it"
    );
}

#[test]
fn an_unknown_table() {
    assert_eq!(
        of_file("[wraper]\nperiod = 7\n"),
        "unknown key 'wraper' (DIR/lockscope.toml:2); did you mean 'wrapper'? Valid here: backend, enabled, flush_interval, output, period, plugin_path, strict, wrapper. Correct or remove it"
    );
}

#[test]
fn an_unknown_variable() {
    assert_eq!(
        of_variable("LOCKSCOPE_PEROID", "7"),
        "unknown key 'LOCKSCOPE_PEROID' (the variable LOCKSCOPE_PEROID); did you mean 'LOCKSCOPE_PERIOD'? Valid here: LOCKSCOPE_BACKEND, LOCKSCOPE_OUTPUT, LOCKSCOPE_FLUSH_INTERVAL, LOCKSCOPE_PLUGIN_PATH, LOCKSCOPE_STRICT, LOCKSCOPE_ENABLED, LOCKSCOPE_PERIOD, LOCKSCOPE_CONFIG, LOCKSCOPE_WRAPPER_PERIOD, LOCKSCOPE_WRAPPER_MAX_LOCKS. Correct or remove it"
    );
}

#[test]
fn an_unknown_key_of_a_flag() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut overrides = Overrides::default();
    overrides.setting("max_looks", "7", Place::Flag("--set"));
    let config = Config::resolve(&sources(dir.path(), &[]), &overrides).unwrap();
    assert_eq!(
        message(&config.settings_for(&backend(), &[]).unwrap_err(), dir.path()),
        "unknown key 'max_looks' (the flag --set); did you mean 'max_locks'? Valid here: period, max_locks. Correct or remove it"
    );
}

#[test]
fn values_of_the_wrong_type() {
    assert_eq!(
        of_file("period = [1, 2]\n"),
        "the value '[1, 2]' of 'period' (DIR/lockscope.toml:1) cannot be used: expected a single text, number, true or false. Correct it there"
    );
    assert_eq!(
        of_file("[output]\nfile = \"x\"\n"),
        "the value '[output]' of 'output' (DIR/lockscope.toml:1) cannot be used: expected a single text, number, true or false. Correct it there"
    );
    assert_eq!(
        of_file("plugin_path = [[\"x\"]]\n"),
        "the value '[[\"x\"]]' of 'plugin_path' (DIR/lockscope.toml:1) cannot be used: expected a folder, or a list of folders. Correct it there"
    );
    assert_eq!(
        of_file("[wrapper]\n[wrapper.max_locks]\nx = 1\n"),
        "the value '[wrapper.max_locks]' of 'max_locks' (DIR/lockscope.toml:2) cannot be used: expected a single text, number, true or false. Correct it there"
    );
    assert_eq!(
        of_file("strict = 7\n"),
        "the value '7' of 'strict' (DIR/lockscope.toml:1) cannot be used: expected true or false. Correct it there"
    );
}

#[test]
fn bad_times() {
    for (value, hint) in [
        ("10", "; did you mean '10s'?"),
        ("0s", "."),
        ("10 lightyears", "."),
        ("-1s", "."),
        ("1.5s", "."),
        ("s", "."),
        ("18446744073709551615h", "."),
    ] {
        assert_eq!(
            of_variable("LOCKSCOPE_FLUSH_INTERVAL", value),
            format!(
                "the value '{value}' of 'flush_interval' (the variable LOCKSCOPE_FLUSH_INTERVAL) cannot be used: expected a time longer than 0 with its unit, as in 500ms, 10s or 1m{hint} Correct it there"
            )
        );
    }
}

#[test]
fn bad_booleans() {
    for (value, hint) in [("maybe", "."), ("ture", "; did you mean 'true'?")] {
        assert_eq!(
            of_variable("LOCKSCOPE_STRICT", value),
            format!(
                "the value '{value}' of 'strict' (the variable LOCKSCOPE_STRICT) cannot be used: expected true or false{hint} Correct it there"
            )
        );
    }
}

#[test]
fn empty_values() {
    for (name, key, expected) in [
        ("LOCKSCOPE_BACKEND", "backend", "the name of a backend, or the path of a plugin"),
        ("LOCKSCOPE_OUTPUT", "output", "the path of a file"),
        (
            "LOCKSCOPE_FLUSH_INTERVAL",
            "flush_interval",
            "a time longer than 0 with its unit, as in 500ms, 10s or 1m",
        ),
        ("LOCKSCOPE_STRICT", "strict", "true or false"),
        ("LOCKSCOPE_PERIOD", "period", "a value"),
        ("LOCKSCOPE_WRAPPER_MAX_LOCKS", "WRAPPER_MAX_LOCKS", "a value"),
    ] {
        assert_eq!(
            of_variable(name, ""),
            format!(
                "the value '' of '{key}' (the variable {name}) cannot be used: expected {expected}. Correct it there"
            )
        );
    }
    assert_eq!(
        of_file("plugin_path = [\"plugins\", \"\"]\n"),
        "the value 'plugins, ' of 'plugin_path' (DIR/lockscope.toml:1) cannot be used: expected a folder, or a list of folders. Correct it there"
    );
}

#[test]
fn a_text_that_does_not_fit_is_named_where_it_stands() {
    assert_eq!(
        of_file("strict = false\n\n[wrapper]\nperiod = \"\"\n"),
        "the value '' of 'period' (DIR/lockscope.toml:4) cannot be used: expected a value. Correct it there"
    );
}
