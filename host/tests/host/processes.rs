//! Programs of several processes: nobody's report is lost or another's.

use std::path::Path;

use lockscope_host::report::model::ReportFile;

use crate::support::{acquisitions, files, folder, report, run_minimal, stderr};

/// The reports in `folder`, by how often they saw the lock taken.
fn reports(folder: &Path) -> Vec<(f64, String, ReportFile)> {
    let mut reports: Vec<_> = files(folder)
        .into_iter()
        .map(|name| {
            let report = report(&folder.join(&name));
            (acquisitions(&report, None), name, report)
        })
        .collect();
    reports.sort_by(|a, b| a.0.total_cmp(&b.0));
    reports
}

#[test]
fn a_process_that_the_program_starts_has_a_report_of_its_own() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "lock 5,spawn lock 7,lock 5").output().unwrap();
    let said = stderr(&output);
    let [(childs, name, child), (own, own_name, _)] = &reports(dir.path())[..] else {
        panic!("{:?}: {said}", files(dir.path()))
    };
    assert_eq!((*childs, *own), (7.0, 10.0));
    assert_eq!(own_name, "lockscope.json");
    assert_eq!(*name, format!("lockscope-{}.json", child.session.pid));
    assert!(said.contains(&format!("lockscope: process {} (", child.session.pid)), "{said}");
    assert!(said.contains(&format!("{name}\n")), "{said}");
}

/// As with a shell or a build tool around the program.
#[test]
fn the_only_process_that_locks_is_the_one_that_is_meant() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "spawn lock 7").output().unwrap();
    assert_eq!(files(dir.path()), ["lockscope.json"], "{}", stderr(&output));
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 7.0);
    let said = stderr(&output);
    assert!(said.contains("counter") && said.ends_with("lockscope.json\n"), "{said}");
}

#[test]
fn several_processes_of_which_none_is_the_program_are_all_named() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "spawn lock 7,spawn lock 8").output().unwrap();
    let said = stderr(&output);
    let reports = reports(dir.path());
    assert_eq!(reports.iter().map(|of| of.0).collect::<Vec<_>>(), [7.0, 8.0], "{said}");
    for (_, name, _) in &reports {
        assert!(said.contains(&format!("{name}\n")), "{said}");
    }
    assert!(said.contains(" used no lock that lockscope watches, but processes that it started did. Show what they wrote with `lockscope report FILE`.\n"), "{said}");
}

#[test]
fn a_fork_is_not_profiled_and_does_not_disturb() {
    let dir = folder();
    let tasks = "lock 5,fork lock 7,lock 5,fork lock 7;_exit 0,threads 10";
    let output = run_minimal(dir.path(), &[], tasks).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(files(dir.path()), ["lockscope.json"]);
    let report = report(&dir.path().join("lockscope.json"));
    assert!(report.session.complete);
    assert_eq!(acquisitions(&report, None), 50.0);
}
