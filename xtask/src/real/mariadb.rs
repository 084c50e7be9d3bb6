//! A server of MariaDB's with a database of its own, and sysbench as its client.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::memcached::Server;
use super::programs::{Outcome, Stage, number_after};
use super::ways::Way;
use crate::command::Call;
use crate::error::Error;

/// How long the server may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

fn data(stage: &Stage<'_>) -> PathBuf {
    stage.folder.join("data")
}

/// Short, since the kernel allows a socket's path no more than 107 bytes.
fn socket() -> PathBuf {
    std::env::temp_dir().join(format!("lockscope-mariadb-{}.sock", std::process::id()))
}

pub(super) fn prepare(stage: &Stage<'_>) -> Result<(), Error> {
    let data = format!("--datadir={}", data(stage).display());
    Call::new("mariadb-install-db")
        .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=normal"])
        .args([data])
        .output()?;
    let mut server = start(stage, Way::Plain)?;
    Call::new("mariadb")
        .args(["--no-defaults", "-u", "root", "-e", "create database sbtest", "-S"])
        .args([socket()])
        .run()?;
    sysbench("prepare")?;
    server.end()
}

pub(super) fn run(stage: &Stage<'_>, way: Way) -> Result<Outcome, Error> {
    let mut server = start(stage, way)?;
    let (before, began) = (server.cpu_s(), Instant::now());
    let said = sysbench("run")?;
    let (seconds, cpu_s) = (began.elapsed().as_secs_f64(), server.cpu_s() - before);
    server.end()?;
    let transactions = number_after(&said, "transactions:");
    let result = format!("{transactions} transactions");
    Ok(Outcome { result, units: transactions, seconds, cpu_s })
}

fn start(stage: &Stage<'_>, way: Way) -> Result<Server, Error> {
    let mut words = stage.ways.start(way, stage.folder);
    words.extend(["mariadbd", "--no-defaults", "--user=root", "--skip-networking"].map(Into::into));
    words.push(format!("--datadir={}", data(stage).display()).into());
    words.push(format!("--socket={}", socket().display()).into());
    // What is measured is not the disk.
    words.push("--innodb-flush-log-at-trx-commit=0".into());
    let server = Server::start(stage, &words)?;
    let deadline = Instant::now() + PATIENCE;
    let ping = || {
        std::process::Command::new("mariadb-admin")
            .args(["--no-defaults", "-u", "root", "--silent", "ping", "-S"])
            .arg(socket())
            .output()
            .is_ok_and(|output| output.status.success())
    };
    while !ping() {
        if Instant::now() > deadline {
            let source = std::io::Error::other("it does not listen; look at what it said");
            return Err(Error::File { path: stage.folder.join("server"), source });
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

fn sysbench(what: &str) -> Result<String, Error> {
    let said = Call::new("sysbench")
        .args(["oltp_read_write", "--db-driver=mysql", "--mysql-user=root", "--tables=1"])
        .args(["--table-size=10000", "--threads=4", "--events=6000", "--time=0"])
        .args([format!("--mysql-socket={}", socket().display()), what.to_owned()])
        .output()?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}
