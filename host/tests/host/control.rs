//! A running process, controlled from outside.

mod top;

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lockscope_host::report::model::ReportFile;
use tempfile::TempDir;

use crate::support::{
    PATIENCE, Started, acquisitions, files, folder, kill, lockscope, plugin, report, run_minimal,
    stderr, stdout, unfinished,
};

/// The command, in a folder in which sockets are, too.
fn here(dir: &Path) -> Command {
    let mut command = lockscope(dir);
    command.env("XDG_RUNTIME_DIR", dir);
    command
}

/// A program that does `tasks` in `dir`, and listens there.
fn listening(dir: &Path, flags: &[&str], tasks: &str) -> Command {
    let mut command = run_minimal(dir, flags, tasks);
    command.env("XDG_RUNTIME_DIR", dir).env_remove("LOCKSCOPE_CONTROL");
    command
}

/// A program that does `tasks`, one of which is `ready`, and listens.
struct Controlled {
    dir: TempDir,
    started: Started,
    pid: u32,
}

impl Controlled {
    fn new(tasks: &str) -> Self {
        Self::configured("", tasks)
    }

    /// The same, with this file of configuration.
    fn configured(text: &str, tasks: &str) -> Self {
        let dir = folder();
        std::fs::write(dir.path().join("lockscope.toml"), text).unwrap();
        let mut started = Started::new(&mut listening(dir.path(), &["--period", "1"], tasks));
        let pid = started.said("ready").parse().unwrap();
        Self { dir, started, pid }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("lockscope").join(format!("{}.sock", self.pid))
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        let pid = self.pid.to_string();
        here(self.dir.path()).args(["ctl", &pid]).args(arguments).output().unwrap()
    }

    /// What `lockscope ctl` prints, without what differs from run to run.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        self.plain(&stdout(&output))
    }

    /// What it complains of.
    fn complaint(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
        self.plain(&stderr(&output))
    }

    fn plain(&self, text: &str) -> String {
        let dir = self.dir.path().canonicalize().unwrap();
        text.replace(dir.to_str().unwrap(), "DIR").replace(&self.pid.to_string(), "PID")
    }

    /// The list of processes that can be controlled: of this folder, and of
    /// whatever else runs on the machine.
    fn ps(&self) -> String {
        let output = here(self.dir.path()).arg("ps").output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        stdout(&output)
    }

    fn line_of_ps(&self) -> Option<String> {
        let start = format!("{} ", self.pid);
        let listed = self.ps();
        listed.lines().map(str::trim_start).find(|line| line.starts_with(&start)).map(str::to_owned)
    }

    fn report(&self, name: &str) -> ReportFile {
        report(&self.dir.path().join(name))
    }

    /// Lets the program do what comes after `go`, until it is ready again.
    fn goes_on(mut self) -> Self {
        self.started.child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        self.started.said("ready");
        self
    }

    /// Lets the program do what comes after `go`, to its end.
    fn go(mut self) -> (TempDir, Output) {
        self.started.child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        (self.dir, self.started.end())
    }
}

#[test]
fn a_session_is_looked_at_and_ended_from_outside() {
    let program = Controlled::new("lock 5,ready,go,lock 2,exit 7");
    let status = program.said(&["status"]);
    let lines: Vec<&str> = status.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("process PID: "), "{status}");
    assert!(lines[1].starts_with("state     running, session 1 for "), "{status}");
    assert_eq!(
        lines[2..6],
        [
            "backend   minimal 0.1.0",
            "settings  period = 1, fail = no",
            "samples   5",
            "report    DIR/lockscope.json",
        ]
    );
    assert!(lines[6].starts_with("backends  ") && lines[6].contains("minimal"), "{status}");

    let table = program.said(&["snapshot"]);
    assert!(table.contains("so far under minimal") && table.contains("counter"), "{table}");
    assert_eq!(program.said(&["snapshot", "-o", "now.json"]), "wrote now.json\n");
    let written = report(&program.dir.path().join("now.json"));
    assert_eq!(acquisitions(&written, Some("counter")), 5.0);
    assert!(!written.session.complete);
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&program.ctl(&["snapshot", "--json"]))).unwrap();
    assert_eq!(
        (&json["session"]["samples"], &json["session"]["pid"]),
        (&5.into(), &program.pid.into())
    );

    assert_eq!(
        program.said(&["stop"]),
        "process PID: session 1 has ended, under 'minimal'; wrote DIR/lockscope.json\n"
    );
    let written = report(&program.dir.path().join("lockscope.json"));
    assert!(written.session.complete);
    assert_eq!(acquisitions(&written, None), 5.0);
    assert!(program.said(&["status"]).contains("state     stopped, after session 1\n"));
    assert_eq!(
        program.complaint(&["stop"]),
        "lockscope: process PID answers: no session is running in this process; start one first\n"
    );

    let socket = program.socket();
    let (dir, output) = program.go();
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    // What came after the end is not in the report, and nobody complains.
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 5.0);
    assert_eq!(stderr(&output).matches("lockscope: ").count(), 1, "{}", stderr(&output));
    assert!(!socket.exists());
}

#[test]
fn sessions_follow_each_other_from_outside() {
    let program = Controlled::new("lock 5,ready,go,lock 3,ready,go,lock 2");
    let wrapper = plugin("wrapper");
    let wrapper = wrapper.to_str().unwrap();
    assert_eq!(
        program.said(&["use", wrapper, "period=1"]),
        "process PID: session 1 has ended, under 'minimal'; wrote DIR/lockscope.json; session 2 has begun, under 'wrapper'\n"
    );
    assert_eq!(acquisitions(&program.report("lockscope.json"), None), 5.0);
    assert_eq!(program.said(&["set", "period=7"]), "process PID: period = 7\n");
    assert!(program.said(&["status"]).contains("settings  period = 7, "));
    assert_eq!(program.said(&["set", "period=1"]), "process PID: period = 1\n");
    let program = program.goes_on();
    assert_eq!(
        program.said(&["stop"]),
        "process PID: session 2 has ended, under 'wrapper'; wrote DIR/lockscope.2.json\n"
    );
    assert_eq!(acquisitions(&program.report("lockscope.2.json"), None), 3.0);
    assert_eq!(program.said(&["start"]), "process PID: session 3 has begun, under 'wrapper'\n");
    let (dir, output) = program.go();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.3.json")), None), 2.0);
}

/// What the configuration says of a backend holds when it is used later, in a
/// program to which that file is not known.
#[test]
fn a_backend_that_comes_later_is_configured_like_any_other() {
    let program = Controlled::configured("[wrapper]\nperiod = 7\n", "lock 5,ready,go");
    program.said(&["use", "wrapper"]);
    let status = program.said(&["status"]);
    assert!(status.contains("settings  period = 7, "), "{status}");
    program.said(&["use", "sidetable", "max_sites=3"]);
    let status = program.said(&["status"]);
    assert!(status.contains("max_sites = 3"), "{status}");
    drop(program.go());
}

/// A program with the host inside is controlled like any other, for as long as
/// it has not ended its profiling itself.
#[test]
fn a_program_that_profiles_itself_is_controlled() {
    let dir = folder();
    let mut command = crate::child::program("profile 3,exit 7");
    command.env("XDG_RUNTIME_DIR", dir.path()).current_dir(dir.path());
    let mut started = Started::new(&mut command);
    let pid = started.said("ready").parse().unwrap();
    let mut program = Controlled { dir, started, pid };
    program.said(&["snapshot", "-o", "now.json"]);
    assert_eq!(acquisitions(&program.report("now.json"), None), 3.0);
    let report = format!("DIR/lockscope-{}.json", "PID");
    assert_eq!(
        program.said(&["stop"]),
        format!("process PID: session 1 has ended, under 'minimal'; wrote {report}\n")
    );
    program = program.goes_on();
    assert_eq!(
        program.complaint(&["start"]),
        "lockscope: process PID answers: the program has ended its profiling, and begins another session itself if it wants one; look at it when it does\n"
    );
    let (_dir, output) = program.go();
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(stdout(&output).contains("recorded 3"), "{}", stdout(&output));
}

/// A program that never stands still, under one backend after the other: each
/// operation is in one of the reports, or was under way when its session ended,
/// which says so.
#[test]
fn a_program_under_load_is_switched_through_all_backends() {
    let mut program = Controlled::new("lock 1,ready,load");
    let adaptive = ["max_period=1", "budget_percent=0", "auto_disable_ops_per_sec=0"];
    let lazy = ["wake_at_start=1", "window_ms=60000"];
    let turns: [(&str, &[&str]); 5] = [
        ("wrapper", &[]),
        ("sidetable", &[]),
        ("adaptive", &adaptive),
        ("lazy", &lazy),
        ("wrapper", &[]),
    ];
    for (backend, settings) in turns {
        let samples = || {
            let status = stdout(&program.ctl(&["status", "--json"]));
            let status: serde_json::Value = serde_json::from_str(&status).unwrap();
            status["samples"].as_u64().unwrap()
        };
        let deadline = Instant::now() + PATIENCE;
        while samples() < 2_000 {
            assert!(Instant::now() < deadline, "nothing is recorded before {backend}");
        }
        let said = program.said(&[&["use", backend, "period=1"], settings].concat());
        assert!(said.contains(&format!("has begun, under '{backend}'")), "{said}");
    }
    program.started.child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    let done = 1 + program.started.said("locked").parse::<u64>().unwrap();
    let (dir, output) = (program.dir, program.started.end());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let names = ["lockscope.json".to_owned()].into_iter();
    let names = names.chain((2..=6).map(|session| format!("lockscope.{session}.json")));
    let reports: Vec<ReportFile> = names.map(|name| report(&dir.path().join(name))).collect();
    let told: f64 = reports.iter().map(|report| acquisitions(report, None)).sum();
    let cut_short: u64 = reports.iter().map(unfinished).sum();
    assert_eq!(told as u64 + cut_short, done, "{cut_short} were cut short");
    assert!(cut_short <= 4 * 5, "{cut_short}");
    let backends: Vec<_> = reports.iter().map(|report| report.session.backend.as_str()).collect();
    assert_eq!(backends, ["minimal", "wrapper", "sidetable", "adaptive", "lazy", "wrapper"]);
}

#[test]
fn what_a_session_cannot_do_changes_nothing() {
    let program = Controlled::new("lock 5,ready,go,lock 2");
    for (arguments, expected) in [
        (&["set", "period=7"][..], "cannot be changed while the backend is loaded"),
        (&["set", "peroid=7"], "peroid"),
        (&["use", "none"], "no backend named 'none' was found"),
        (&["use", "./none.so"], "the plugin DIR/none.so does not exist"),
        (&["use", "minimal", "peroid=7"], "did you mean 'period'?"),
        (&["wake"], "cannot wake up"),
    ] {
        let said = program.complaint(arguments);
        assert!(said.starts_with("lockscope: process PID answers: "), "{said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let (dir, output) = program.go();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 7.0);
}

/// One word of configuration.
#[test]
fn a_process_that_is_not_to_be_controlled_does_not_listen() {
    let dir = folder();
    let mut command = listening(dir.path(), &[], "lock 5,ready,go");
    command.env("LOCKSCOPE_CONTROL", "false");
    let mut started = Started::new(&mut command);
    let pid = started.said("ready");
    let output = here(dir.path()).args(["ctl", &pid, "status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("see that `control` is not off"), "{}", stderr(&output));
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn the_status_can_be_read_by_programs() {
    let program = Controlled::new("lock 5,ready,go");
    let status: serde_json::Value =
        serde_json::from_str(&stdout(&program.ctl(&["status", "--json"]))).unwrap();
    assert_eq!(status["pid"], program.pid);
    assert_eq!(status["state"], "running");
    assert_eq!(status["samples"], 5);
    assert!(status["started_unix_ns"].as_u64().unwrap() > 1_700_000_000_000_000_000);
}

#[test]
fn a_session_that_runs_is_not_started() {
    let program = Controlled::new("lock 5,ready,go");
    assert_eq!(
        program.complaint(&["start"]),
        "lockscope: process PID answers: a session of the backend 'minimal' is running in this process, and there can be one at a time; stop it first\n"
    );
}

#[test]
fn processes_are_listed_until_they_end() {
    let program = Controlled::new("lock 5,ready,go");
    let line = program.line_of_ps().expect("it is there");
    let cells: Vec<&str> = line.split_whitespace().collect();
    let pid = program.pid.to_string();
    assert_eq!(cells[..3], [&pid, "minimal", "running"]);
    // A number and its unit, and `ago`.
    assert_eq!(cells[5..7], ["ago", "5"], "{line}");
    assert!(line.ends_with("child::child --nocapture"), "{line}");
    let (dir, _) = program.go();
    let output = here(dir.path()).arg("ps").output().unwrap();
    assert!(!stdout(&output).contains(&format!("{pid} ")), "{}", stdout(&output));
}

#[test]
fn the_socket_is_its_owners_alone() {
    let program = Controlled::new("lock 5,ready,go");
    let socket = program.socket().symlink_metadata().unwrap();
    let folder = program.socket().parent().unwrap().symlink_metadata().unwrap();
    assert_eq!((socket.mode() & 0o777, folder.mode() & 0o777), (0o600, 0o700));
    assert_eq!(files(&program.dir.path().join("lockscope")).len(), 1);
}

/// Clients of the worst kind, on the socket of a real program.
#[test]
fn a_program_is_not_harmed_by_its_clients() {
    let program = Controlled::new("lock 5,ready,threads 20000,go");
    let piece = vec![b'{'; 1 << 20];
    let mut idle = Vec::new();
    for round in 0..40 {
        let mut stream = UnixStream::connect(program.socket()).unwrap();
        match round % 4 {
            0 => idle.push(stream),
            1 => drop(stream.write_all(&piece)),
            2 => drop(stream.write_all(b"{\"lockscope\":\"control\",\"version\":1}\n{\"comm")),
            _ => drop(stream.write_all(b"\0\n\xff\n[]\n")),
        }
    }
    drop(idle);
    assert!(program.said(&["status"]).contains("state     running"));
    let (dir, output) = program.go();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 80_005.0);
}

#[test]
fn a_process_that_was_killed_leaves_a_socket_that_is_removed() {
    let program = Controlled::new("lock 5,ready,go");
    let socket = program.socket();
    kill(program.pid.try_into().unwrap(), libc::SIGKILL);
    let Controlled { dir, started, pid } = program;
    assert_eq!(started.end().status.signal(), Some(libc::SIGKILL));
    assert!(socket.exists());
    let pid = pid.to_string();
    let output = here(dir.path()).args(["ctl", &pid, "status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        format!(
            "lockscope: there is no process {pid}; `lockscope ps` lists those that can be controlled\n"
        )
    );
    assert!(!socket.exists());
}

/// The child has copies of everything, and answers nobody.
#[test]
fn the_child_of_a_fork_does_not_keep_the_socket_open() {
    let program = Controlled::new("lock 5,fork ready;go");
    // The one that is ready is the child.
    let child = program.pid;
    let [name] = &files(&program.dir.path().join("lockscope"))[..] else { panic!("one listens") };
    let parent: libc::pid_t = name.strip_suffix(".sock").unwrap().parse().unwrap();
    assert_ne!(parent, libc::pid_t::try_from(child).unwrap());
    assert!(program.complaint(&["status"]).contains("has no lockscope host that listens"));
    let socket = program.dir.path().join("lockscope").join(name);
    let connected = UnixStream::connect(&socket).unwrap();
    kill(parent, libc::SIGKILL);
    let deadline = Instant::now() + PATIENCE;
    while UnixStream::connect(&socket).is_ok() {
        assert!(Instant::now() < deadline, "the child listens");
        // Not so often that those that are not taken fill the kernel's queue.
        std::thread::sleep(Duration::from_millis(50));
    }
    // The connection ends with the parent, too.
    connected.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = Vec::new();
    let _ = (&connected).read_to_end(&mut all);
    let (_dir, output) = program.go();
    assert_eq!(output.status.signal(), Some(libc::SIGKILL), "{}", stderr(&output));
}

#[test]
fn a_process_that_does_not_run_is_listed_as_such() {
    let program = Controlled::new("lock 5,ready,go");
    let pid = program.pid.try_into().unwrap();
    kill(pid, libc::SIGSTOP);
    let deadline = Instant::now() + PATIENCE;
    // Its threads stop one after the other.
    while !program.line_of_ps().expect("it is there").contains("no answer") {
        assert!(Instant::now() < deadline, "it still answers");
    }
    let line = program.line_of_ps().expect("it is there");
    assert!(line.ends_with("child::child --nocapture"), "{line}");
    kill(pid, libc::SIGCONT);
    assert!(program.said(&["status"]).contains("state     running"));
}

#[test]
fn processes_that_cannot_be_controlled() {
    let dir = folder();
    let complaint = |pid: &str| {
        let output = here(dir.path()).args(["ctl", pid, "status"]).output().unwrap();
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
        stderr(&output)
    };
    assert_eq!(
        complaint("1073741824"),
        "lockscope: there is no process 1073741824; `lockscope ps` lists those that can be controlled\n"
    );
    let own = std::process::id().to_string();
    let said = complaint(&own);
    let start = format!(
        "lockscope: process {own} has no lockscope host that listens: there is no {}/lockscope/{own}.sock or ",
        dir.path().display()
    );
    let end = "; start the program with `lockscope run`, let it take a watched lock, and see that `control` is not off. `lockscope ps` lists the processes that can be controlled\n";
    assert!(said.starts_with(&start) && said.ends_with(end), "{said}");
}

#[test]
fn wrong_arguments() {
    let dir = folder();
    for (arguments, expected) in [
        (&["ctl"][..], "<PID>"),
        (&["ctl", "0", "status"], "0 is not in 1.."),
        (&["ctl", "minimal", "status"], "invalid digit"),
        (&["ctl", "7"], "Usage: lockscope ctl <PID> <COMMAND>"),
        (&["ctl", "7", "set", "period"], "expected KEY=VALUE, as in max_locks=20000"),
        (&["ctl", "7", "use", "lazy", "period"], "expected KEY=VALUE, as in max_locks=20000"),
        (&["ctl", "7", "stpo"], "'stop'"),
        (&["top"], "<PID>"),
    ] {
        let output = here(dir.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_process_of_another_user() {
    // SAFETY: the call takes nothing and cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: only root can be another user");
        return;
    }
    let program = Controlled::new("lock 5,ready,go");
    // Where nobody may be, there may be a command.
    let dir = folder();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let command = dir.path().join("lockscope");
    std::fs::copy(lockscope(dir.path()).get_program(), &command).unwrap();
    let nobody = 65_534;
    let output = Command::new(command)
        .args(["ctl", &program.pid.to_string(), "stop"])
        .current_dir("/")
        .env("XDG_RUNTIME_DIR", program.dir.path())
        .uid(nobody)
        .gid(nobody)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        program.plain(&stderr(&output)),
        format!(
            "lockscope: process PID belongs to the user with number 0, and this one has {nobody}; run lockscope as that user, or as root\n"
        )
    );
    assert!(program.said(&["status"]).contains("state     running"));
}

#[test]
fn a_socket_that_cannot_be_opened_is_no_reason_not_to_profile() {
    let dir = folder();
    std::fs::write(dir.path().join("lockscope"), "").unwrap();
    let output = listening(dir.path(), &[], "lock 5,exit 7").output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = stderr(&output);
    let expected = format!(
        "lockscope: the folder {}/lockscope is not used for sockets: expected a folder, found a file; remove it. Until then the program cannot be controlled from outside; otherwise nothing is different\n",
        dir.path().display()
    );
    assert_eq!(said.matches(&expected).count(), 1, "{said}");
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 5.0);
}

#[test]
fn a_socket_of_a_process_that_had_the_number_before_is_replaced() {
    let dir = folder();
    let sockets = dir.path().join("lockscope");
    std::fs::create_dir(&sockets).unwrap();
    std::fs::set_permissions(&sockets, PermissionsExt::from_mode(0o700)).unwrap();
    // The process becomes the program, and keeps its number.
    let mut command = Command::new("sh");
    let script = ": > \"$0/$$.sock\"; exec \"$@\"";
    let program = listening(dir.path(), &[], "lock 5,ready,go");
    let arguments: Vec<_> = program.get_args().map(ToOwned::to_owned).collect();
    let at = arguments.iter().position(|argument| argument == "--").unwrap() + 1;
    command.args(["-c", script]).arg(&sockets).args(&arguments[at..]);
    let mut run = Command::new(program.get_program());
    run.current_dir(dir.path()).args(&arguments[..at]).arg("sh").args(command.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => run.env(name, value),
            None => run.env_remove(name),
        };
    }
    let mut started = Started::new(&mut run);
    let pid = started.said("ready");
    let output = here(dir.path()).args(["ctl", &pid, "status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    drop(started.child.stdin.take());
    assert_eq!(started.end().status.code(), Some(0));
    assert_eq!(files(&sockets), [""; 0]);
}
