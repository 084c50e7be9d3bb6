//! One client: what it has sent, what it is still to be sent, and its time.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::super::protocol::{self, Hello, Kind, LONGEST_REQUEST, Refusal, Request};
use super::super::system::{self, Ours, Polled};
use super::{Limits, too_long};

/// How much is read at a time.
const PIECE: usize = 4 << 10;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Stays,
    Goes,
}

/// What comes next from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Requests,
    /// Nothing that is looked at: it is told why, and then let go.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: Ours<UnixStream>,
    stage: Stage,
    /// What was sent and not answered yet: at most the longest request and one
    /// piece.
    input: Vec<u8>,
    /// Whether the client sends no more.
    is_input_over: bool,
    /// The answer that is being written, and how much of it was.
    output: Vec<u8>,
    written: usize,
    deadline: Instant,
}

impl Connection {
    /// Begins with our greeting.
    pub(super) fn new(stream: Ours<UnixStream>, limits: &Limits) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            stage: Stage::Greeting,
            input: Vec::new(),
            is_input_over: false,
            output: protocol::line_of(&Hello::ours()),
            written: 0,
            deadline: Instant::now() + limits.greeting,
        })
    }

    /// What is waited for.
    pub(super) fn polled(&self) -> Polled {
        let events = if self.has_answer() { libc::POLLOUT } else { libc::POLLIN };
        system::polled(&*self.stream, events)
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether something is still to be written.
    pub(super) fn has_answer(&self) -> bool {
        self.written < self.output.len()
    }

    /// Whether a request is there that can be answered at once.
    pub(super) fn has_request(&self) -> bool {
        !self.has_answer() && self.input.contains(&b'\n')
    }

    /// Whether the client has used up its time; then it has been told.
    pub(super) fn is_late(&mut self, now: Instant) -> bool {
        if now < self.deadline {
            return false;
        }
        if !self.has_answer() {
            let what = match self.stage {
                Stage::Greeting => "the greeting did not come in time",
                _ if self.input.is_empty() => "nothing was asked for a long time",
                _ => "the request did not end in time",
            };
            let message = format!("{what}; connect again");
            dismiss(&self.stream, Refusal::new(Kind::Timeout, message));
        }
        true
    }

    /// Writes what can be written, reads what has come, and answers a request,
    /// if that is whole.
    pub(super) fn turn(&mut self, limits: &Limits, answer: &dyn Fn(&Request) -> Vec<u8>) -> Turn {
        // The program may have closed it, and have a file of the same number.
        if !self.stream.is_ours() || self.write(limits).is_err() {
            return Turn::Goes;
        }
        if self.has_answer() {
            return Turn::Stays;
        }
        if !self.input.contains(&b'\n') && self.read(limits).is_err() {
            return Turn::Goes;
        }
        if let Some(line) = self.take_line() {
            self.output = self.answered(&line, answer);
            if !self.has_answer() {
                // It was the greeting.
                self.deadline = Instant::now() + self.next(limits);
            }
        } else if self.input.len() >= LONGEST_REQUEST {
            self.output = self.dismissal(too_long());
        } else if self.is_input_over && !self.input.is_empty() && self.stage != Stage::Nothing {
            let message = "the line does not end; end it with a line break".to_owned();
            self.output = self.dismissal(Refusal::new(Kind::Request, message));
        }
        if self.has_answer() {
            self.deadline = Instant::now() + limits.answer;
        }
        if self.write(limits).is_err() || self.is_done() { Turn::Goes } else { Turn::Stays }
    }

    /// Whether there is nothing more to be said or to be heard.
    fn is_done(&self) -> bool {
        let hears_nothing =
            self.stage == Stage::Nothing || self.is_input_over && !self.input.contains(&b'\n');
        hears_nothing && !self.has_answer()
    }

    fn write(&mut self, limits: &Limits) -> io::Result<()> {
        while self.has_answer() {
            match (&*self.stream).write(&self.output[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if self.written > 0 {
            // Not cleared, but freed: an answer can be as long as a report.
            self.output = Vec::new();
            self.written = 0;
            if self.stage == Stage::Requests {
                self.deadline = Instant::now() + self.next(limits);
            }
        }
        Ok(())
    }

    /// How long the client has for what comes next.
    fn next(&self, limits: &Limits) -> Duration {
        if self.input.is_empty() { limits.idle } else { limits.request }
    }

    /// Reads until a line ends, or there is no more.
    fn read(&mut self, limits: &Limits) -> io::Result<()> {
        let mut piece = [0; PIECE];
        while self.input.len() < LONGEST_REQUEST {
            match (&*self.stream).read(&mut piece) {
                Ok(0) => {
                    self.is_input_over = true;
                    return Ok(());
                }
                Ok(read) => {
                    if self.input.is_empty() && self.stage == Stage::Requests {
                        self.deadline = Instant::now() + limits.request;
                    }
                    self.input.extend_from_slice(&piece[..read]);
                    if piece[..read].contains(&b'\n') {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The first line that has come whole, without its end.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.input.iter().position(|byte| *byte == b'\n')?;
        let rest = self.input.split_off(end + 1);
        let mut line = core::mem::replace(&mut self.input, rest);
        line.truncate(end);
        Some(line)
    }

    fn answered(&mut self, line: &[u8], answer: &dyn Fn(&Request) -> Vec<u8>) -> Vec<u8> {
        if line.len() >= LONGEST_REQUEST {
            return self.dismissal(too_long());
        }
        match self.stage {
            Stage::Greeting => match Hello::refusal(line) {
                Some(refusal) => self.dismissal(refusal),
                None => {
                    self.stage = Stage::Requests;
                    Vec::new()
                }
            },
            Stage::Requests => match Request::parse(line) {
                Ok(request) => answer(&request),
                // The line was whole, so the next one is understood again.
                Err(refusal) => protocol::refused(refusal),
            },
            Stage::Nothing => Vec::new(),
        }
    }

    /// The last thing that is said.
    fn dismissal(&mut self, refusal: Refusal) -> Vec<u8> {
        self.stage = Stage::Nothing;
        self.input = Vec::new();
        protocol::refused(refusal)
    }
}

/// Says why a client is let go, if it listens.
pub(super) fn dismiss(stream: &UnixStream, refusal: Refusal) {
    if stream.set_nonblocking(true).is_ok() {
        let mut stream: &UnixStream = stream;
        // All or nothing for so short a line on a fresh connection; whoever
        // takes no more is let go without it.
        let _ = stream.write(&protocol::refused(refusal));
    }
}
