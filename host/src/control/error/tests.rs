//! The sentences that no other test provokes.

use std::io;

use super::*;

fn denied() -> io::Error {
    io::Error::from_raw_os_error(13)
}

#[test]
fn of_a_process() {
    let path = PathBuf::from("/run/user/7/lockscope/4711.sock");
    let pid = 4711;
    assert_eq!(
        ControlError::Stale { pid, path: path.clone() }.to_string(),
        "process 4711 does not listen at /run/user/7/lockscope/4711.sock any more: it has closed files that it had not opened, or has become another program by exec; start it anew with `lockscope run`"
    );
    assert_eq!(
        ControlError::Connect { pid, path, source: denied() }.to_string(),
        "process 4711 cannot be reached at /run/user/7/lockscope/4711.sock: Permission denied (os error 13); run lockscope as the user who runs the process, or as root"
    );
    assert_eq!(
        ControlError::Terminal { pid, source: denied() }.to_string(),
        "the terminal cannot be used: Permission denied (os error 13); print the table once with `lockscope ctl 4711 snapshot`"
    );
}

#[test]
fn of_a_socket() {
    let path = PathBuf::from("/tmp/lockscope-7/4711.sock");
    assert_eq!(
        ControlError::Open { path: path.clone(), source: denied() }.to_string(),
        "the socket /tmp/lockscope-7/4711.sock cannot be opened: Permission denied (os error 13); see that its folder can be written, or set XDG_RUNTIME_DIR to a folder of yours with a short path"
    );
    assert_eq!(
        ControlError::Taken { path }.to_string(),
        "the socket /tmp/lockscope-7/4711.sock is taken: another lockscope host in this process listens there, or a process with this number in another container; use one host, or give each container an XDG_RUNTIME_DIR of its own"
    );
}
