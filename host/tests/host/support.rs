//! An installation, folders that vanish, and the command.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lockscope_host::report::file;
use lockscope_host::report::model::ReportFile;
use lockscope_host::{Builder, Profiler};
use tempfile::TempDir;

/// How long something is waited for that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The folder in which cargo has put the plugins made for tests.
pub(crate) fn plugins() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// The file of a plugin made for tests.
pub(crate) fn plugin(name: &str) -> PathBuf {
    let path = plugins().join(format!("liblockscope_{name}.so"));
    assert!(path.is_file(), "cargo has not built {}", path.display());
    path
}

/// There is one session in a process at a time: tests that start one in this
/// process take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the first lock operation of the process pass: it looks for a host, and
/// operations of other threads meanwhile are not recorded.
pub(crate) fn introduce_probe() {
    drop(lockscope::sync::Mutex::new(()).lock());
}

/// A session of this process that is still to be started, of a backend that is
/// awake from its start on.
pub(crate) fn backend(name: &str, period: u32) -> Builder {
    let builder = Profiler::builder().backend(name).plugin_path(plugins());
    let builder = builder.period(period).control(false);
    awake(name).iter().fold(builder, |builder, (key, value)| builder.set(key, *value))
}

/// What is to be set, so that a backend is awake from its session's start on, and
/// for as long as a test takes.
pub(crate) fn awake(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "lazy" => &[("wake_at_start", "1"), ("window_ms", "86400000")],
        _ => &[],
    }
}

/// Makes a test of each function, for each backend that records all it is told
/// of, with the period that is configured: it is called with the backend's name.
macro_rules! for_each_backend {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                #[test]
                fn wrapper() {
                    super::$test("wrapper");
                }

                #[test]
                fn sidetable() {
                    super::$test("sidetable");
                }

                #[test]
                fn lazy() {
                    super::$test("lazy");
                }
            }
        )+
    };
}
pub(crate) use for_each_backend;

/// A folder that vanishes with its owner.
pub(crate) fn folder() -> TempDir {
    TempDir::new().unwrap()
}

/// The command, installed beside its library as a distribution would do it.
///
/// Cargo leaves the library that belongs to these tests beside them, and
/// possibly an older one beside the command.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed");
        let command = root.join("bin/lockscope");
        link(Path::new(env!("CARGO_BIN_EXE_lockscope")), &command);
        for library in ["liblockscope_host.so", "liblockscope_pthread.so", "liblockscope_futex.so"]
        {
            link(&plugins().join(library), &root.join("lib/lockscope").join(library));
        }
        command
    })
}

/// Makes `to` another name of the file `from`, whole at any moment: other
/// tests do the same.
fn link(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let scratch = to.with_extension(std::process::id().to_string());
    std::fs::hard_link(from, &scratch).unwrap();
    // A rename onto another name of the same file does nothing, not even
    // remove the old name.
    std::fs::rename(&scratch, to).unwrap();
    let _ = std::fs::remove_file(&scratch);
}

/// The command in `folder`, without configuration, and with programs that do not
/// listen: one that is killed leaves its socket behind.
pub(crate) fn lockscope(folder: &Path) -> Command {
    let mut command = Command::new(installed());
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOCKSCOPE_") {
            command.env_remove(name);
        }
    }
    command.env("LOCKSCOPE_CONTROL", "false");
    command
}

/// `lockscope run`, in `folder`, of the program that does `tasks`.
pub(crate) fn run(folder: &Path, flags: &[&str], tasks: &str) -> Command {
    let mut command = lockscope(folder);
    command.arg("run").args(flags).arg("--").arg(std::env::current_exe().unwrap());
    crate::child::add_to(&mut command, tasks);
    command
}

/// As [`run`], with the plugin made for tests.
pub(crate) fn run_minimal(folder: &Path, flags: &[&str], tasks: &str) -> Command {
    let plugins = plugins();
    let mut all = vec!["--backend", "minimal", "--plugin-path", plugins.to_str().unwrap()];
    all.extend(flags);
    run(folder, &all, tasks)
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn report(path: &Path) -> ReportFile {
    file::read(path).unwrap()
}

/// Acquisitions of the lock with this name, or of all locks.
pub(crate) fn acquisitions(report: &ReportFile, name: Option<&str>) -> f64 {
    report
        .locks
        .iter()
        .filter(|lock| name.is_none() || lock.name.as_deref() == name)
        .flat_map(|lock| &lock.sites)
        .map(|site| site.acquisitions.value)
        .sum()
}

/// Operations that the report says ended after its session.
pub(crate) fn unfinished(report: &ReportFile) -> u64 {
    let is_it = |what: &str| what.starts_with("operations that ended after the session");
    report.losses.iter().filter(|loss| is_it(&loss.what)).map(|loss| loss.count).sum()
}

/// The text with what differs from machine to machine replaced.
pub(crate) fn without(text: &str, varying: &[(&Path, &str)]) -> String {
    varying.iter().fold(text.to_owned(), |text, (path, stands_for)| {
        text.replace(path.to_str().unwrap(), stands_for)
    })
}

/// The report at `path`, as soon as it is there and `fits`.
pub(crate) fn report_that(path: &Path, fits: impl Fn(&ReportFile) -> bool) -> ReportFile {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(report) = file::read(path)
            && fits(&report)
        {
            return report;
        }
        assert!(Instant::now() < deadline, "{} does not come", path.display());
        // Nobody tells when a file has been written.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A process that was started with its stdout piped, and a line that it said.
pub(crate) struct Started {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Started {
    pub(crate) fn new(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The rest of the line that begins with `word`, as soon as it comes.
    pub(crate) fn said(&mut self, word: &str) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).unwrap() > 0 {
            if let Some(rest) = line.trim().strip_prefix(word) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("the program ended without saying {word}");
    }

    pub(crate) fn kill(&self, signal: i32) {
        kill(self.child.id().try_into().unwrap(), signal);
    }

    /// Its end; what it said after the last line that was asked for is part.
    pub(crate) fn end(mut self) -> Output {
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).unwrap();
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout = rest;
        output
    }
}

pub(crate) fn kill(pid: libc::pid_t, signal: i32) {
    // SAFETY: the call takes integers only.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// Names of the files in `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}
