//! The command's side: finds a process's socket, and asks.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::ControlError;
use super::folder::{self, Folder};
use super::protocol::{self, Answer, Hello, Request, VERSION};
use super::system;

#[cfg(test)]
mod tests;

/// Bytes of the longest answer that is read: a report of some hundred thousand
/// call sites.
const LONGEST_ANSWER: usize = 256 << 20;
/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// A connection to a process that has greeted and was greeted.
#[derive(Debug)]
pub(super) struct Client {
    pid: u32,
    stream: UnixStream,
    /// What was read and is not part of an answer yet.
    input: Vec<u8>,
    /// Bytes of the longest answer that is read.
    longest: usize,
}

impl Client {
    /// Connects to a process, wherever its socket is.
    pub(super) fn to(pid: u32, patience: Duration) -> Result<Self, ControlError> {
        let mut seen = Vec::new();
        let mut stale = None;
        let (own, owner) = (system::user(), folder::owner_of(pid));
        // Root's own folder, too: a process may have become another user's.
        let other = owner.filter(|owner| own == 0 && *owner != own);
        for user in other.into_iter().chain([own]) {
            for place in folder::places_of(user) {
                seen.push(folder::socket_in(&place, pid));
                let folder = match Folder::open(place, user) {
                    Ok(Some(folder)) => folder,
                    Ok(None) => continue,
                    Err(error) => return Err(error),
                };
                match Self::at(&folder, pid, patience)? {
                    Found::Client(client) => return Ok(client),
                    Found::Stale => stale = Some(folder.socket(pid)),
                    Found::Nothing => {}
                }
            }
        }
        Err(match (owner, stale) {
            (None, _) => ControlError::NoProcess { pid },
            (Some(owner), _) if own != 0 && owner != own => {
                ControlError::OtherUser { pid, owner, user: own }
            }
            (Some(_), Some(path)) => ControlError::Stale { pid, path },
            (Some(_), None) => ControlError::NoHost { pid, places: seen },
        })
    }

    /// Connects to a process by its socket in this folder.
    pub(super) fn at(folder: &Folder, pid: u32, patience: Duration) -> Result<Found, ControlError> {
        let path = folder.socket(pid);
        match system::connect(&path) {
            Ok(stream) => {
                check(&stream, folder.owner, pid, &path)?;
                let mut client = Self { pid, stream, input: Vec::new(), longest: LONGEST_ANSWER };
                client.greet(patience)?;
                Ok(Found::Client(client))
            }
            Err(error) => match error.kind() {
                ErrorKind::NotFound => Ok(Found::Nothing),
                ErrorKind::ConnectionRefused => {
                    folder.remove_stale(pid);
                    Ok(Found::Stale)
                }
                ErrorKind::WouldBlock => Err(ControlError::Silent { pid, patience }),
                _ => Err(ControlError::Connect { pid, path, source: error }),
            },
        }
    }

    fn greet(&mut self, patience: Duration) -> Result<(), ControlError> {
        let line = self.line(patience)?;
        let Some(hello) = Hello::parse(&line) else {
            return Err(match serde_json::from_slice::<Answer<Value>>(&line) {
                // There is no room, or we are not allowed.
                Ok(Answer::Error(refusal)) => {
                    ControlError::Refused { pid: self.pid, message: refusal.message }
                }
                _ => self.foreign("a greeting", &line),
            });
        };
        if hello.version != u64::from(VERSION) {
            return Err(ControlError::Version { pid: self.pid, found: hello.version });
        }
        self.send(&protocol::line_of(&Hello::ours()), patience)
    }

    /// Asks for something that is answered with a `T`.
    pub(super) fn ask<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        patience: Duration,
    ) -> Result<T, ControlError> {
        // What cannot be sent was refused: the answer says why.
        let sent = self.send(&request.line(), patience);
        let line = match (self.line(patience), sent) {
            (Err(ControlError::Gone { .. }), Err(error)) => return Err(error),
            (line, _) => line?,
        };
        match serde_json::from_slice(&line) {
            Ok(Answer::Ok(outcome)) => Ok(outcome),
            Ok(Answer::Error(refusal)) => {
                Err(ControlError::Refused { pid: self.pid, message: refusal.message })
            }
            Err(_) => Err(self.foreign("an answer", &line)),
        }
    }

    fn send(&mut self, line: &[u8], patience: Duration) -> Result<(), ControlError> {
        let sent = self
            .stream
            .set_write_timeout(Some(patience))
            .and_then(|()| self.stream.write_all(line));
        sent.map_err(|error| self.lost(&error, patience))
    }

    /// The next line, without its end.
    fn line(&mut self, patience: Duration) -> Result<Vec<u8>, ControlError> {
        let deadline = Instant::now() + patience;
        let mut seen = 0;
        loop {
            if let Some(end) = self.input[seen..].iter().position(|byte| *byte == b'\n') {
                let rest = self.input.split_off(seen + end + 1);
                let mut line = core::mem::replace(&mut self.input, rest);
                line.pop();
                return Ok(line);
            }
            seen = self.input.len();
            if seen > self.longest {
                return Err(ControlError::TooLong { pid: self.pid, limit: self.longest });
            }
            match self.read(deadline) {
                Ok(0) => return Err(ControlError::Gone { pid: self.pid }),
                Ok(_) => {}
                Err(error) => return Err(self.lost(&error, patience)),
            }
        }
    }

    fn read(&mut self, deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut piece = [0; PIECE];
        loop {
            match self.stream.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => {
                    self.input.extend_from_slice(&piece[..*read.as_ref().unwrap_or(&0)]);
                    return read;
                }
            }
        }
    }

    fn lost(&self, error: &io::Error, patience: Duration) -> ControlError {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                ControlError::Silent { pid: self.pid, patience }
            }
            _ => ControlError::Gone { pid: self.pid },
        }
    }

    fn foreign(&self, expected: &'static str, line: &[u8]) -> ControlError {
        const SHOWN: usize = 60;
        let shown = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
        let more = if line.len() > SHOWN { "…" } else { "" };
        let found = format!("'{}{more}'", shown.escape_debug());
        ControlError::Foreign { pid: self.pid, expected, found }
    }
}

/// What is at a process's socket.
#[derive(Debug)]
pub(super) enum Found {
    Client(Client),
    /// A socket that nobody listens at.
    Stale,
    /// No socket.
    Nothing,
}

/// Whether the one who listens is the process, as far as the kernel says.
fn check(stream: &UnixStream, owner: u32, pid: u32, path: &Path) -> Result<(), ControlError> {
    let found = system::credentials(stream).map_err(|source| ControlError::Connect {
        pid,
        path: path.to_owned(),
        source,
    })?;
    if found.pid == pid && found.uid == owner {
        return Ok(());
    }
    Err(ControlError::Impostor {
        pid,
        path: PathBuf::from(path),
        found_pid: found.pid,
        found_user: found.uid,
    })
}
