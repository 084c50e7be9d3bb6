//! What a run is measured on.

use std::process::Command;
use std::time::SystemTime;

use crate::record::Provenance;

impl Provenance {
    /// What is measured here and now, by this command.
    #[must_use]
    pub fn of(command: String) -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            cpu.lines()
                .find(|line| line.starts_with(name))
                .and_then(|line| line.split(": ").nth(1))
                .unwrap_or("unknown")
                .to_owned()
        };
        let changed =
            if first_line("git", &["status", "--porcelain", "-uno"]).is_empty() { "" } else { "+" };
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            machine: format!(
                "{} (family {}, model {})",
                field("model name"),
                field("cpu family"),
                field("model")
            ),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            compiler: first_line("rustc", &["-V"]),
            commit: format!("{}{changed}", first_line("git", &["rev-parse", "--short", "HEAD"])),
            unix_time: since_1970.map_or(0, |time| time.as_secs()),
            command,
        }
    }
}

fn first_line(command: &str, args: &[&str]) -> String {
    let output = Command::new(command).args(args).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
