use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::{Config, FILE_NAME, Overrides, Place, Sources};
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
        "unknown key 'backned' (DIR/lockscope.toml:2); did you mean 'backend'? Valid here: backend, output, flush_interval, plugin_path, strict, enabled, include, exclude, control, wake_signal, stacks, max_stacks, period. Correct or remove it"
    );
    assert_eq!(
        of_file("colour = \"blue\"\n"),
        "unknown key 'colour' (DIR/lockscope.toml:1). Valid here: backend, output, flush_interval, plugin_path, strict, enabled, include, exclude, control, wake_signal, stacks, max_stacks, period. Correct or remove it"
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
        "unknown key 'wraper' (DIR/lockscope.toml:2); did you mean 'wrapper'? Valid here: backend, control, enabled, exclude, flush_interval, include, max_stacks, output, period, plugin_path, stacks, strict, wake_signal, wrapper. Correct or remove it"
    );
}

#[test]
fn an_unknown_variable() {
    assert_eq!(
        of_variable("LOCKSCOPE_PEROID", "7"),
        "unknown key 'LOCKSCOPE_PEROID' (the variable LOCKSCOPE_PEROID); did you mean 'LOCKSCOPE_PERIOD'? Valid here: LOCKSCOPE_BACKEND, LOCKSCOPE_OUTPUT, LOCKSCOPE_FLUSH_INTERVAL, LOCKSCOPE_PLUGIN_PATH, LOCKSCOPE_STRICT, LOCKSCOPE_ENABLED, LOCKSCOPE_INCLUDE, LOCKSCOPE_EXCLUDE, LOCKSCOPE_CONTROL, LOCKSCOPE_WAKE_SIGNAL, LOCKSCOPE_STACKS, LOCKSCOPE_MAX_STACKS, LOCKSCOPE_PERIOD, LOCKSCOPE_CONFIG, LOCKSCOPE_WRAPPER_PERIOD, LOCKSCOPE_WRAPPER_MAX_LOCKS. Correct or remove it"
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
        ("LOCKSCOPE_WAKE_SIGNAL", "wake_signal", SIGNALS),
        ("LOCKSCOPE_STACKS", "stacks", "a number of frames from 0 to 128, where 0 keeps no stacks"),
        ("LOCKSCOPE_MAX_STACKS", "max_stacks", "a number of stacks from 1 to 65536"),
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
        of_file("include = [\"name:a\", \"\"]\n"),
        "the value 'name:a, ' of 'include' (DIR/lockscope.toml:1) cannot be used: expected a pattern, or a list of patterns, each name:GLOB, site:GLOB, module:GLOB or kind:GLOB. Correct it there"
    );
    assert_eq!(
        of_file("plugin_path = [\"plugins\", \"\"]\n"),
        "the value 'plugins, ' of 'plugin_path' (DIR/lockscope.toml:1) cannot be used: expected a folder, or a list of folders. Correct it there"
    );
}

#[test]
fn numbers_that_stacks_cannot_have() {
    for (key, value, expected) in [
        ("stacks", "129", "a number of frames from 0 to 128, where 0 keeps no stacks"),
        ("stacks", "-1", "a number of frames from 0 to 128, where 0 keeps no stacks"),
        ("stacks", "yes", "a number of frames from 0 to 128, where 0 keeps no stacks"),
        ("max_stacks", "0", "a number of stacks from 1 to 65536"),
        ("max_stacks", "65537", "a number of stacks from 1 to 65536"),
    ] {
        assert_eq!(
            of_file(&format!("{key} = \"{value}\"\n")),
            format!(
                "the value '{value}' of '{key}' (DIR/lockscope.toml:1) cannot be used: expected {expected}. Correct it there"
            )
        );
    }
}

#[test]
fn a_text_that_does_not_fit_is_named_where_it_stands() {
    assert_eq!(
        of_file("strict = false\n\n[wrapper]\nperiod = \"\"\n"),
        "the value '' of 'period' (DIR/lockscope.toml:4) cannot be used: expected a value. Correct it there"
    );
}

/// What is said of this pattern to include.
fn of_pattern(pattern: &str) -> String {
    let said = of_variable("LOCKSCOPE_INCLUDE", pattern);
    let start = format!(
        "the value '{pattern}' of 'include' (the variable LOCKSCOPE_INCLUDE) cannot be used: "
    );
    said.strip_prefix(&start).expect(&said).to_owned()
}

#[test]
fn bad_patterns() {
    for (pattern, said) in [
        (
            "nmae:queue*",
            "expected name:GLOB, site:GLOB, module:GLOB or kind:GLOB; did you mean 'name:queue*'?",
        ),
        (
            "demo::index",
            "expected name:GLOB, site:GLOB, module:GLOB or kind:GLOB; did you mean 'module:demo::index'?",
        ),
        ("colour:blue", "expected name:GLOB, site:GLOB, module:GLOB or kind:GLOB."),
        ("name:", "expected a glob after the colon, as in name:queue*."),
        (
            "name:queue[0",
            "expected a glob in which every '[' has its ']', as in queue[0-9] ('[[]' stands for the bracket itself).",
        ),
        (
            "kind:mutx",
            "expected a glob that fits one of the kinds mutex, rwlock, reentrant, condvar, once, barrier, spin, semaphore and futex; did you mean 'kind:mutex'?",
        ),
        (
            "name:*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*",
            "expected a glob of at most 1024 bytes, with at most 16 stars.",
        ),
    ] {
        assert_eq!(of_pattern(pattern), format!("{said} Correct it there"));
    }
}

#[test]
fn one_bad_pattern_of_several_is_named_with_its_place() {
    assert_eq!(
        of_file("strict = true\nexclude = [\n  \"kind:once\",\n  \"sit:src\",\n]\n"),
        "the value 'sit:src' of 'exclude' (DIR/lockscope.toml:2) cannot be used: expected name:GLOB, site:GLOB, module:GLOB or kind:GLOB; did you mean 'site:src'? Correct it there"
    );
    assert_eq!(
        of_file("include = [[\"name:a\"]]\n"),
        "the value '[[\"name:a\"]]' of 'include' (DIR/lockscope.toml:1) cannot be used: expected a pattern, or a list of patterns, each name:GLOB, site:GLOB, module:GLOB or kind:GLOB. Correct it there"
    );
    let dir = tempfile::TempDir::new().unwrap();
    let mut overrides = Overrides::default();
    overrides.add("include", "name:a", Place::Flag("--include"));
    overrides.add("include", "name:a[", Place::Flag("--include"));
    let error = Config::resolve(&sources(dir.path(), &[]), &overrides).unwrap_err();
    assert_eq!(
        message(&error, dir.path()),
        "the value 'name:a[' of 'include' (the flag --include) cannot be used: expected a glob in which every '[' has its ']', as in queue[0-9] ('[[]' stands for the bracket itself). Correct it there"
    );
}

const SIGNALS: &str = "a signal that a program can spare: one of USR1, USR2, HUP, ALRM, VTALRM, PROF, URG, WINCH, IO, PWR and RTMIN+1 to RTMIN+15; or none";

#[test]
fn bad_signals() {
    for (value, hint) in [
        ("SIGURS2", "; did you mean 'USR2'?"),
        ("kill", "."),
        ("SIGSEGV", "."),
        ("SIGTERM", "."),
        ("12", "."),
        ("RTMIN", "."),
        ("SIGRTMIN+16", "."),
        ("RTMIN+-1", "."),
    ] {
        assert_eq!(
            of_variable("LOCKSCOPE_WAKE_SIGNAL", value),
            format!(
                "the value '{value}' of 'wake_signal' (the variable LOCKSCOPE_WAKE_SIGNAL) cannot be used: expected {SIGNALS}{hint} Correct it there"
            )
        );
    }
}

#[test]
fn values_that_are_not_text() {
    let dir = tempfile::TempDir::new().unwrap();
    let value = OsString::from_vec(b"/reports/\xff.json".to_vec());
    for (name, key) in [
        ("LOCKSCOPE_OUTPUT", "output"),
        ("LOCKSCOPE_PLUGIN_PATH", "plugin_path"),
        ("LOCKSCOPE_STRICT", "strict"),
        ("LOCKSCOPE_WRAPPER_PERIOD", "WRAPPER_PERIOD"),
    ] {
        let variables = vec![(name.into(), value.clone())];
        let sources = Sources { variables, folder: Some(dir.path().to_owned()) };
        let config = Config::resolve(&sources, &Overrides::default());
        let error = match config {
            Ok(config) => config.settings_for(&backend(), &[]).expect_err("it is wrong"),
            Err(error) => error,
        };
        assert_eq!(
            error.to_string(),
            format!(
                "the value '/reports/\u{fffd}.json' of '{key}' (the variable {name}) cannot be used: expected text in UTF-8. Correct it there"
            )
        );
    }
}
