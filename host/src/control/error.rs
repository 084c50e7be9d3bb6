//! What can go wrong between two processes: sentences that end in what to do.

use std::path::PathBuf;
use std::time::Duration;

use super::protocol::VERSION;

/// An error of controlling a process, or of letting it be controlled.
///
/// Every message says what was expected, what was found, where, and what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No process has the number.
    #[error("there is no process {pid}; `lockscope ps` lists those that can be controlled")]
    NoProcess {
        /// The number.
        pid: u32,
    },
    /// The process has no socket.
    #[error(
        "process {pid} has no lockscope host that listens: there is no {}; start the program with `lockscope run`, let it take a watched lock, and see that `control` is not off. `lockscope ps` lists the processes that can be controlled",
        or(places)
    )]
    NoHost {
        /// The process.
        pid: u32,
        /// The sockets that it might have.
        places: Vec<PathBuf>,
    },
    /// The process is not the user's.
    #[error(
        "process {pid} belongs to the user with number {owner}, and this one has {user}; run lockscope as that user, or as root"
    )]
    OtherUser {
        /// The process.
        pid: u32,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        user: u32,
    },
    /// There is a socket, and nobody behind it.
    #[error("process {pid} does not listen at {} any more: it has closed files that it had not opened, or has become another program by exec; start it anew with `lockscope run`", path.display())]
    Stale {
        /// The process.
        pid: u32,
        /// Its socket.
        path: PathBuf,
    },
    /// Others may write in the folder of the sockets, or it is none.
    #[error("the folder {} is not used for sockets: expected {expected}, found {found}; {remedy}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// The system refused the socket or its folder.
    #[error("the socket {} cannot be opened: {source}; see that its folder can be written, or set XDG_RUNTIME_DIR to a folder of yours with a short path", path.display())]
    Open {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else listens at the process's socket.
    #[error("the socket {} is taken: another lockscope host in this process listens there, or a process with this number in another container; use one host, or give each container an XDG_RUNTIME_DIR of its own", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// The other end of a socket is not who it should be.
    #[error("{} is not the socket of process {pid}: process {found_pid} of the user with number {found_user} listens there; if processes of two containers share the folder, give each container an XDG_RUNTIME_DIR of its own", path.display())]
    Impostor {
        /// The process.
        pid: u32,
        /// The socket.
        path: PathBuf,
        /// Who listens; 0 if it is not seen from here.
        found_pid: u32,
        /// Whose process that is.
        found_user: u32,
    },
    /// The system refused the connection.
    #[error("process {pid} cannot be reached at {}: {source}; run lockscope as the user who runs the process, or as root", path.display())]
    Connect {
        /// The process.
        pid: u32,
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The process does not answer.
    #[error(
        "process {pid} does not answer within {}; it may be stopped (look with `ps`) or busy with another command: try again",
        seconds(patience)
    )]
    Silent {
        /// The process.
        pid: u32,
        /// How long it had.
        patience: Duration,
    },
    /// The connection ended before the answer did.
    #[error(
        "process {pid} closed the connection before it had answered; it has probably ended: look with `lockscope ps`"
    )]
    Gone {
        /// The process.
        pid: u32,
    },
    /// The process speaks another version of the protocol.
    #[error(
        "process {pid} speaks version {found} of the control protocol, and this lockscope version {VERSION}; use the lockscope that the process was started with"
    )]
    Version {
        /// The process.
        pid: u32,
        /// Its version.
        found: u64,
    },
    /// Something else than a host of ours listens.
    #[error(
        "process {pid} does not speak the control protocol: expected {expected}, found {found}; use the lockscope that the process was started with"
    )]
    Foreign {
        /// The process.
        pid: u32,
        /// What it should have said.
        expected: &'static str,
        /// What it said.
        found: String,
    },
    /// The answer is longer than anything that is asked for.
    #[error(
        "the answer of process {pid} is longer than {limit} bytes; let it write its report to a file, with `lockscope ctl {pid} stop`"
    )]
    TooLong {
        /// The process.
        pid: u32,
        /// The longest that is read.
        limit: usize,
    },
    /// The process answered with an error.
    #[error("process {pid} answers: {message}")]
    Refused {
        /// The process.
        pid: u32,
        /// What it said: a sentence that ends in what to do.
        message: String,
    },
    /// The live table needs a terminal.
    #[error(
        "the live table needs a terminal; print it once with `lockscope ctl {pid} snapshot`, or run `lockscope top {pid}` in a terminal"
    )]
    NoTerminal {
        /// The process.
        pid: u32,
    },
    /// The terminal failed.
    #[error(
        "the terminal cannot be used: {source}; print the table once with `lockscope ctl {pid} snapshot`"
    )]
    Terminal {
        /// The process.
        pid: u32,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The paths, of which any would do.
fn or(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}

fn seconds(patience: &Duration) -> String {
    format!("{} s", patience.as_secs_f64())
}

#[cfg(test)]
mod tests;
