//! The process's side: one thread, which answers one request after the other.
//!
//! A client may send what it likes, as slowly as it likes, and go when it
//! likes. What it can take is bounded:
//!
//! | what | by |
//! |---|---|
//! | connections | [`Limits::clients`]; who comes later is told so, and let go |
//! | memory of a connection | the longest request, or one answer: while an answer is being written, nothing is read |
//! | time of a connection | to greet, to finish a line, to ask again, to take an answer: each has its limit |
//! | the program's time | none: the thread waits in `poll` alone, and holds nothing of the host while it writes |

mod connection;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lockscope_core::sync::{AtomicBool, Ordering};
use serde::Serialize;

use super::protocol::{self, Kind, LONGEST_REQUEST, Refusal, Request};
use super::system::{self, Ours};
use super::target::Target;
use crate::error::HostError;
use connection::{Connection, Turn};

/// How long a listener rests that could not take a connection: the process
/// has probably no descriptors left, and is not to be kept busy by that.
const REST: Duration = Duration::from_secs(1);
/// How long clients have to take their answers when the process ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// What clients can take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time.
    pub(super) clients: usize,
    /// From the connection to the greeting's end.
    pub(super) greeting: Duration,
    /// From a request's first byte to its last.
    pub(super) request: Duration,
    /// From an answer to the next request.
    pub(super) idle: Duration,
    /// From an answer's first byte to its last.
    pub(super) answer: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        clients: 8,
        greeting: Duration::from_secs(5),
        request: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        answer: Duration::from_secs(30),
    };
}

/// What the server's thread shares with the process.
pub(super) struct Listening {
    listener: Ours<UnixListener>,
    /// Who does what is asked for; held for the length of a clone.
    target: Mutex<Arc<dyn Target>>,
    closing: AtomicBool,
}

impl Listening {
    pub(super) fn new(listener: UnixListener, target: Arc<dyn Target>) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let target = Mutex::new(target);
        Ok(Self { listener: Ours::new(listener)?, target, closing: AtomicBool::new(false) })
    }

    /// Who does what is asked for from now on.
    pub(super) fn hand_over(&self, target: Arc<dyn Target>) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.target.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes no more connections, and has the server end as soon as the
    /// present clients have their answers.
    pub(super) fn close(&self) {
        // Release: pairs with the acquire in `is_closing`; the shutdown only
        // wakes the thread.
        self.closing.store(true, Ordering::Release);
        if self.listener.is_ours() {
            system::shut_down(&*self.listener);
        }
    }

    fn is_closing(&self) -> bool {
        // Acquire: see `close`.
        self.closing.load(Ordering::Acquire)
    }
}

/// Answers the clients of one socket.
pub(super) struct Server {
    listening: Arc<Listening>,
    limits: Limits,
    connections: Vec<Connection>,
    /// When the listener is looked at again, if it rests.
    rests_until: Option<Instant>,
    /// Until when answers are written, once the end has begun.
    ends_at: Option<Instant>,
}

impl Server {
    pub(super) fn new(listening: Arc<Listening>, limits: Limits) -> Self {
        let connections = Vec::new();
        Self { listening, limits, connections, rests_until: None, ends_at: None }
    }

    /// Serves until the listener is closed.
    pub(super) fn run(mut self) {
        while self.goes_on() {
            self.turn();
        }
    }

    /// Whether there is anything left to do.
    fn goes_on(&mut self) -> bool {
        if !self.listening.listener.is_ours() {
            // The program has closed it: there is nothing left to listen at.
            return false;
        }
        if !self.listening.is_closing() {
            return true;
        }
        let ends_at = *self.ends_at.get_or_insert_with(|| Instant::now() + FAREWELL);
        self.connections.retain(Connection::has_answer);
        !self.connections.is_empty() && Instant::now() < ends_at
    }

    /// Waits until something is to be done, and does it.
    fn turn(&mut self) {
        let is_listening = !self.listening.is_closing() && self.rests_until.is_none();
        let listener =
            is_listening.then(|| system::polled(&*self.listening.listener, libc::POLLIN));
        let connections = self.connections.iter().map(Connection::polled);
        let mut polled: Vec<_> = connections.chain(listener).collect();
        if system::poll(&mut polled, self.patience(Instant::now())).is_err() {
            // For lack of the kernel's memory: not to be kept busy by that.
            std::thread::sleep(REST);
        }
        let now = Instant::now();
        self.rests_until = self.rests_until.filter(|until| now < *until);
        let came = |at: usize| polled.get(at).is_some_and(|of| of.revents != 0);
        let mut position = 0;
        let (listening, limits) = (&*self.listening, &self.limits);
        self.connections.retain_mut(|connection| {
            let is_ready = came(position) || connection.has_request();
            position += 1;
            if !is_ready {
                return !connection.is_late(now);
            }
            // Not `now`: the requests before may have taken their time.
            connection.turn(limits, &|request| answer(&*listening.target(), request)) == Turn::Stays
        });
        if is_listening && came(position) {
            self.accept();
        }
    }

    /// How long nothing is to be done if nothing comes.
    fn patience(&self, now: Instant) -> Duration {
        if self.connections.iter().any(Connection::has_request) {
            return Duration::ZERO;
        }
        let deadlines = self.connections.iter().map(Connection::deadline);
        let next = deadlines.chain(self.rests_until).chain(self.ends_at).min();
        next.map_or(Duration::MAX, |next| next.saturating_duration_since(now))
    }

    fn accept(&mut self) {
        if !self.listening.listener.is_ours() {
            return;
        }
        match self.listening.listener.accept() {
            Ok((stream, _)) => self.welcome(stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The other end was faster.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(_) => self.rests_until = Some(Instant::now() + REST),
        }
    }

    /// Takes a connection, or says why not; what fails here is the client's
    /// loss alone.
    fn welcome(&mut self, stream: UnixStream) {
        let Ok(stream) = Ours::new(stream) else { return };
        let refusal = match system::credentials(&stream) {
            Ok(client) if client.uid != 0 && client.uid != system::user() => Refusal::new(
                Kind::Denied,
                format!(
                    "this process belongs to the user with number {}, and the client to {}; run lockscope as that user, or as root",
                    system::user(),
                    client.uid
                ),
            ),
            Ok(_) if self.connections.len() < self.limits.clients => {
                self.connections.extend(Connection::new(stream, &self.limits).ok());
                return;
            }
            Ok(_) => Refusal::new(
                Kind::Busy,
                format!(
                    "{} clients are connected, and there is no room for more; end one of them, or try again later",
                    self.limits.clients
                ),
            ),
            Err(_) => return,
        };
        connection::dismiss(&stream, refusal);
    }
}

/// Does what is asked for. A panic is the host's own mistake, and has been
/// told on stderr; the next request may do better.
fn answer(target: &dyn Target, request: &Request) -> Vec<u8> {
    catch_unwind(AssertUnwindSafe(|| outcome(target, request))).unwrap_or_else(|_| {
        protocol::refused(Refusal::new(
            Kind::Failed,
            "the host panicked, and said more on the process's stderr; this is a defect of lockscope, please report it".to_owned(),
        ))
    })
}

fn outcome(target: &dyn Target, request: &Request) -> Vec<u8> {
    match request {
        Request::Status => protocol::done(&target.status()),
        Request::Start => line(target.start()),
        Request::Stop => line(target.stop()),
        Request::Snapshot => line(target.snapshot()),
        Request::Set { key, value } => line(target.set(key, value)),
        Request::Use { backend, settings } => line(target.use_backend(backend, settings)),
        Request::Wake { cause } => line(target.wake(cause)),
    }
}

fn line(outcome: Result<impl Serialize, HostError>) -> Vec<u8> {
    match outcome {
        Ok(outcome) => protocol::done(&outcome),
        Err(error) => protocol::refused(Refusal::new(Kind::Failed, error.to_string())),
    }
}

/// What a line that is longer than any request is answered with.
fn too_long() -> Refusal {
    Refusal::new(
        Kind::Request,
        format!(
            "a request is at most {LONGEST_REQUEST} bytes long, its line break included; send a shorter one"
        ),
    )
}
