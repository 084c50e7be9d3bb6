//! Where locks are made, when they end, and which programs have some.

use std::os::unix::fs::PermissionsExt;

use super::{built, counts, run, succeeded};
use crate::support::{folder, report, stderr};

#[test]
fn locks_in_the_same_memory_are_told_apart_and_have_a_line() {
    let dir = folder();
    let Some(program) = built(dir.path(), "lives.c", "lives", &["-g"]) else { return };
    succeeded(&run(dir.path(), &["--period", "1"], &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    let source = include_str!("lives.c");
    let acquisitions = |life: &str| {
        let is_its = |line: u32| source.lines().nth(line as usize - 1).unwrap().contains(life);
        let found = report.locks.iter().find(|lock| {
            let created = lock.created.as_ref().unwrap();
            created.file.ends_with("pthread/lives.c") && is_its(created.line)
        });
        let lock = found.unwrap_or_else(|| panic!("no {life} in {:#?}", report.locks));
        lock.sites.iter().map(|site| site.acquisitions.value).sum::<f64>()
    };
    let lives = ["the first life", "the second life", "the third life", "the fourth life"];
    assert_eq!(lives.map(acquisitions), [3.0, 50.0, 70.0, 1.0]);
}

#[test]
fn a_program_whose_libraries_lock_is_watched_without_asking() {
    let dir = folder();
    let flags = ["-shared", "-fPIC", "-g"];
    let Some(library) = built(dir.path(), "library.c", "liblocks.so", &flags) else { return };
    // Found by the program's own word, since nobody has installed it.
    let flags = ["-Wl,--no-as-needed", library.to_str().unwrap(), "-Wl,-rpath,$ORIGIN"];
    let program = built(dir.path(), "user.c", "user", &flags).unwrap();
    let output = run(dir.path(), &["--period", "1"], &program).output().unwrap();
    succeeded(&output);
    let said = stderr(&output);
    assert!(said.contains("pthread and C11 locks watched"), "{said}");
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(counts(&report, "within")[0], 7.0);
}

#[test]
fn a_program_with_more_rights_is_not_preloaded_and_that_is_said() {
    let dir = folder();
    let program = dir.path().join("privileged");
    // SAFETY: the call takes nothing and cannot fail.
    let is_root = unsafe { libc::getuid() == 0 };
    let program = if is_root {
        std::fs::copy("/bin/true", &program).unwrap();
        std::os::unix::fs::chown(&program, Some(65534), None).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o4755)).unwrap();
        program
    } else {
        let known = ["/bin/su", "/usr/bin/su", "/bin/mount", "/usr/bin/passwd"];
        let Some(known) = known.into_iter().find(|path| std::path::Path::new(path).is_file())
        else {
            eprintln!("skipped: no set-user-id program is known here");
            return;
        };
        known.into()
    };
    // `--help` or not, it does nothing.
    let output = run(dir.path(), &["--probe", "pthread"], &program).arg("--help").output().unwrap();
    let said = stderr(&output);
    let expected = "runs with more rights than yours (set-user-id), and the system loads nothing into such a program; profile a copy without that bit";
    assert!(said.contains(expected), "{said}");
    assert!(!dir.path().join("lockscope.json").exists());
}
