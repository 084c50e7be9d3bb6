//! memcached, and a client that asks at a steady pace: what the server takes for the same
//! requests is then compared, and not how much client and server get done on one machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::programs::{Outcome, Stage};
use super::ways::Way;
use crate::error::Error;

const CONNECTIONS: usize = 8;
/// Requests that are on their way at a time, of a connection.
const BATCH: usize = 25;
/// One batch of each connection in this time.
const BEAT: Duration = Duration::from_micros(3_333);
const BATCHES: usize = 750;
const KEYS: usize = 1_000;
/// How long a server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(stage: &Stage<'_>, way: Way) -> Result<Outcome, Error> {
    let port = free_port().map_err(|source| failed("a port of this machine", source))?;
    let mut words = stage.ways.start(way, stage.folder);
    words.extend(["memcached", "-t", "4", "-l", "127.0.0.1", "-m", "64", "-p"].map(Into::into));
    words.extend([port.to_string().into()]);
    // Who is root has to say as whom it runs.
    words.extend(["-u", "root"].map(Into::into));
    let mut server = Server::start(stage, &words)?;
    let outcome = ask_all(port, &server);
    server.end()?;
    outcome.map_err(|source| failed("memcached on the loopback", source))
}

fn ask_all(port: u16, server: &Server) -> std::io::Result<Outcome> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect(port)?);
    }
    let mut all = BufReader::new(&connections[0]);
    for key in 0..KEYS {
        write!(&connections[0], "set key{key} 0 0 8\r\n{:08}\r\n", key * 7)?;
        let mut line = String::new();
        all.read_line(&mut line)?;
        if line != "STORED\r\n" {
            return Err(std::io::Error::other(format!("it said {line:?} to a set")));
        }
    }
    let (before, began) = (server.cpu_s(), Instant::now());
    let clients = connections
        .into_iter()
        .enumerate()
        .map(|(number, connection)| thread::spawn(move || ask(&connection, number, began)));
    let clients: Vec<_> = clients.collect();
    let mut right = 0;
    for client in clients {
        right += client.join().map_err(|_| std::io::Error::other("a client has panicked"))??;
    }
    let (seconds, cpu_s) = (began.elapsed().as_secs_f64(), server.cpu_s() - before);
    let units = (CONNECTIONS * BATCHES * BATCH) as f64;
    Ok(Outcome { result: format!("{right} right answers"), units, seconds, cpu_s })
}

/// How many answers were right.
fn ask(connection: &TcpStream, number: usize, began: Instant) -> std::io::Result<usize> {
    let mut answers = BufReader::new(connection);
    let mut right = 0;
    for batch in 0..BATCHES {
        let due = began + BEAT * batch as u32 + BEAT * number as u32 / CONNECTIONS as u32;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let keys = (0..BATCH).map(|index| (batch * 31 + index * 17 + number) % KEYS);
        let questions: String = keys.clone().map(|key| format!("get key{key}\r\n")).collect();
        { connection }.write_all(questions.as_bytes())?;
        for key in keys {
            let expected = [
                format!("VALUE key{key} 0 8\r\n"),
                format!("{:08}\r\n", key * 7),
                "END\r\n".to_owned(),
            ];
            let mut is_right = true;
            for expected in expected {
                let mut line = String::new();
                answers.read_line(&mut line)?;
                is_right &= line == expected;
            }
            right += usize::from(is_right);
        }
    }
    Ok(right)
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(connection) => {
                connection.set_nodelay(true)?;
                connection.set_read_timeout(Some(PATIENCE))?;
                return Ok(connection);
            }
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A port that nobody listened on a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn failed(what: &str, source: std::io::Error) -> Error {
    Error::File { path: what.into(), source }
}

/// A server that runs, and ends with this.
pub(super) struct Server {
    child: Child,
    command: String,
}

impl Server {
    /// The words become the server, in the process that is started.
    pub(super) fn start(stage: &Stage<'_>, words: &[std::ffi::OsString]) -> Result<Self, Error> {
        let command = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let at = stage.folder.join("server");
        let log = fs::File::create(&at).map_err(|source| Error::File { path: at, source })?;
        let child = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(stage.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| Error::Start { command: command.clone(), source })?;
        Ok(Self { child, command })
    }

    /// The processor's time of all its threads so far, as the scheduler counts it.
    pub(super) fn cpu_s(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten();
        let of = |thread: fs::DirEntry| {
            let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<f64>().ok()
        };
        threads.flatten().filter_map(of).sum::<f64>() / 1e9
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(Error::Failed { command: self.command.clone(), status });
                }
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                _ => {
                    let source = std::io::Error::other("it does not end when it is asked to");
                    return Err(failed(&self.command, source));
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has ended, there is nobody to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
