//! Sockets that the program closes, and who is at the other end.

use std::fs::File;

use super::*;

/// Whether the descriptor is open.
fn is_open(fd: RawFd) -> bool {
    // SAFETY: the call takes integers only.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

#[test]
fn a_descriptor_that_became_another_file_is_left_alone() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let fd = ours.as_raw_fd();
    let ours = Ours::new(ours).unwrap();
    assert!(ours.is_ours());
    let file = File::open("/dev/null").unwrap();
    // As if the program had closed the one and opened the other.
    // SAFETY: the call takes integers only; the number stays in use.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), fd) }, fd);
    assert!(!ours.is_ours());
    drop(ours);
    assert!(is_open(fd), "the program's file was closed");
    // A socket is not just any socket.
    let ours = Ours::new(theirs).unwrap();
    let fd = ours.as_raw_fd();
    let (other, _peer) = UnixStream::pair().unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), fd) }, fd);
    assert!(!ours.is_ours());
    drop(ours);
    assert!(is_open(fd), "the program's socket was closed");
}

#[test]
fn a_socket_that_is_ours_is_closed_with_its_copies() {
    use std::io::Read;
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    // As a fork has one.
    let _copy = ours.try_clone().unwrap();
    drop(Ours::new(ours).unwrap());
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_other_end_is_known() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let own = Credentials { pid: std::process::id(), uid: user() };
    assert_eq!(credentials(&ours).unwrap(), own);
}

#[test]
fn nobody_waits_for_a_process_that_takes_no_connections() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    // SAFETY: the call takes integers only.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 3) }, 0);
    // As many as the kernel keeps.
    let waiting: Vec<_> = (0..100).map_while(|_| connect(&path).ok()).collect();
    assert!((1..10).contains(&waiting.len()), "{}", waiting.len());
    assert_eq!(connect(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_path_that_is_too_long_is_an_error() {
    let path = "x".repeat(108);
    assert_eq!(connect(Path::new(&path)).unwrap_err().kind(), io::ErrorKind::InvalidFilename);
    let kind = |path: &str| connect(Path::new(path)).unwrap_err().kind();
    assert_eq!(kind("/none/at/all"), io::ErrorKind::NotFound);
}
