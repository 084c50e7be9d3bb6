//! What the standard library does not do with sockets: whose is the other end,
//! and who may close ours.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};

/// Who made the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    /// As it is numbered here; 0 if it is not seen from here.
    pub(super) pid: u32,
    pub(super) uid: u32,
}

/// The user on whose behalf this process acts.
pub(super) fn user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Who connected, or who listened: the kernel's word, not the other's.
pub(super) fn credentials(of: &UnixStream) -> io::Result<Credentials> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the answer has room for what the option gives, as `size` says.
    let status = unsafe {
        libc::getsockopt(
            of.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut size,
        )
    };
    succeeded(status)?;
    Ok(Credentials { pid: u32::try_from(found.pid).unwrap_or(0), uid: found.uid })
}

/// Connects without waiting: a process that does not run may have as many
/// connections that it has not taken as the kernel keeps, and would hold up
/// whoever comes next for ever. [`io::ErrorKind::WouldBlock`] says that.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    // SAFETY: an address is plain memory, for which all zeros is a value.
    let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let path = path.as_os_str().as_bytes();
    if path.len() >= address.sun_path.len() || path.contains(&0) {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    for (to, from) in address.sun_path.iter_mut().zip(path) {
        *to = (*from).cast_signed();
    }
    let flags = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the call takes integers only.
    let fd = unsafe { libc::socket(libc::AF_UNIX, flags, 0) };
    succeeded(fd)?;
    // SAFETY: the socket was opened above and is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let size = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: the address is valid for the call and as long as `size` says.
    let status = unsafe { libc::connect(fd, (&raw const address).cast(), size) };
    succeeded(status)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Wakes whoever waits for `socket`; nobody is connected to it any more.
pub(super) fn shut_down(socket: impl AsFd) {
    // SAFETY: the call takes integers only. It fails if that has happened.
    unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), libc::SHUT_RDWR) };
}

/// A descriptor, what it is waited for, and what has come of it.
pub(super) type Polled = libc::pollfd;

/// `socket`, waited for.
pub(super) fn polled(socket: impl AsFd, events: libc::c_short) -> Polled {
    Polled { fd: socket.as_fd().as_raw_fd(), events, revents: 0 }
}

/// Waits until something has come, or for `patience`.
pub(super) fn poll(polled: &mut [Polled], patience: Duration) -> io::Result<()> {
    // What is left of a millisecond is waited for, too: rather late than busy.
    let ms = patience.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as libc::c_int;
    // SAFETY: the descriptors are valid for writes, as many as their number says.
    succeeded(unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, ms) })
}

fn succeeded(status: libc::c_int) -> io::Result<()> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A socket in a program that does not know of it.
///
/// The program may close every descriptor that it finds, and its next file
/// then has the number. So whoever uses the socket asks [`Ours::is_ours`]
/// first, and what is not ours any more is not closed.
#[derive(Debug)]
pub(super) struct Ours<T: AsFd> {
    socket: ManuallyDrop<T>,
    inode: u64,
    kept: Option<&'static Kept>,
}

impl<T: AsFd> Ours<T> {
    pub(super) fn new(socket: T) -> io::Result<Self> {
        let fd = socket.as_fd().as_raw_fd();
        let inode = inode(fd).ok_or_else(io::Error::last_os_error)?;
        let kept = Kept::add(fd, inode);
        Ok(Self { socket: ManuallyDrop::new(socket), inode, kept })
    }

    /// Whether the descriptor still is what it was.
    pub(super) fn is_ours(&self) -> bool {
        inode(self.socket.as_fd().as_raw_fd()) == Some(self.inode)
    }
}

impl<T: AsFd> Deref for Ours<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.socket
    }
}

impl<T: AsFd> Drop for Ours<T> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept {
            kept.remove();
        }
        if self.is_ours() {
            // A fork of the process may have a copy: the other end is to see
            // the end all the same.
            shut_down(&*self.socket);
            // SAFETY: it is dropped once, and not used after that.
            unsafe { ManuallyDrop::drop(&mut self.socket) };
        }
    }
}

/// The inode of the socket with this number; `None` if that is none.
fn inode(fd: RawFd) -> Option<u64> {
    // SAFETY: the answer is plain memory, for which all zeros is a value, and
    // is valid for writes. A signal handler may make the call.
    unsafe {
        let mut found: libc::stat = core::mem::zeroed();
        let is_socket =
            libc::fstat(fd, &raw mut found) == 0 && found.st_mode & libc::S_IFMT == libc::S_IFSOCK;
        is_socket.then_some(found.st_ino)
    }
}

/// A socket that the child of a fork closes.
#[derive(Debug)]
struct Kept {
    /// The descriptor's number and one; 0: none.
    number: AtomicU32,
    inode: AtomicU64,
}

/// More than a server has. What finds no place here stays open in a child.
static KEPT: [Kept; 16] =
    [const { Kept { number: AtomicU32::new(0), inode: AtomicU64::new(0) } }; 16];

impl Kept {
    fn add(fd: RawFd, inode: u64) -> Option<&'static Self> {
        let number = u32::try_from(fd).ok()? + 1;
        let kept = KEPT.iter().find(|kept| {
            // Relaxed: the number decides who has the place; see below.
            let taken = Ordering::Relaxed;
            kept.number.compare_exchange(0, number, taken, Ordering::Relaxed).is_ok()
        })?;
        // Relaxed: whoever finds the number with another socket's inode finds
        // that it is not ours, and leaves the socket open in the child.
        kept.inode.store(inode, Ordering::Relaxed);
        Some(kept)
    }

    fn remove(&self) {
        // Relaxed: as above.
        self.number.store(0, Ordering::Relaxed);
    }
}

/// In the child of a fork: closes the copies of our sockets, so that nobody is
/// connected to a process that does not answer. Only does what a signal handler
/// may do.
pub(super) fn close_in_child() {
    for kept in &KEPT {
        // Relaxed: the child has one thread.
        let Some(fd) = kept.number.swap(0, Ordering::Relaxed).checked_sub(1) else { continue };
        let fd = fd.cast_signed();
        if inode(fd) == Some(kept.inode.load(Ordering::Relaxed)) {
            // SAFETY: it is a copy of our socket, and who used it was not
            // forked.
            unsafe { libc::close(fd) };
        }
    }
}

#[cfg(test)]
mod tests;
