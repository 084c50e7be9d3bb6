//! The socket of this process: opened once, taken away at its end, and left
//! behind by its forks.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lockscope_core::sync::{AtomicPtr, Ordering};

use super::error::ControlError;
use super::folder::Folder;
use super::server::{Limits, Listening, Server};
use super::system;
use super::target::Target;
use crate::tell::tell;
use crate::threads;

/// How long the process's end waits for a command that is being carried out:
/// it may be writing a report.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service of this process, or of the one that it was forked from. Never
/// freed: the child of a fork may see it at any time.
static SERVICE: AtomicPtr<Service> = AtomicPtr::new(core::ptr::null_mut());

struct Service {
    pid: u32,
    path: PathBuf,
    listening: Arc<Listening>,
    thread: JoinHandle<()>,
}

/// Lets `target`, which is this process, be controlled from outside, until it
/// ends, or another takes its place here.
///
/// If that cannot be, it is told in a sentence, and the program goes on.
pub(crate) fn serve(target: Arc<dyn Target>) {
    if let Some(service) = service() {
        return service.listening.hand_over(target);
    }
    match Service::open(target) {
        Ok(service) => {
            // Release: pairs with the acquire in `service`.
            SERVICE.store(Box::into_raw(Box::new(service)), Ordering::Release);
            part_in_time();
        }
        Err(error) => tell(format_args!(
            "{error}. Until then the program cannot be controlled from outside; otherwise nothing is different"
        )),
    }
}

/// This process's own service.
fn service() -> Option<&'static Service> {
    // Acquire: pairs with the release in `serve`.
    let service = SERVICE.load(Ordering::Acquire);
    // SAFETY: what is stored there is never freed.
    unsafe { service.as_ref() }.filter(|service| service.pid == std::process::id())
}

/// Sees to the end of this process, and to the beginning of its forks.
fn part_in_time() {
    static REGISTERED: Once = Once::new();
    extern "C" fn child() {
        system::close_in_child();
    }
    REGISTERED.call_once(|| {
        // SAFETY: both are functions of this library, which is never unloaded.
        // If the system has no memory to register them, a socket is left
        // behind, or open in a child; whoever meets it copes with that.
        unsafe {
            libc::pthread_atfork(None, None, Some(child));
            libc::atexit(at_exit);
        }
    });
}

extern "C" fn at_exit() {
    // A panic would end in the runtime's abort: the program has its own end.
    // A fork that ends by `exit` has no service.
    let _ = catch_unwind(|| service().map(Service::close));
}

impl Service {
    fn open(target: Arc<dyn Target>) -> Result<Self, ControlError> {
        let pid = std::process::id();
        let path = Folder::create()?.socket(pid);
        let listener = bind(&path)?;
        let opened = Self::listen(listener, target);
        let (listening, thread) = opened.map_err(|source| {
            // Nobody listens there.
            let _ = std::fs::remove_file(&path);
            ControlError::Open { path: path.clone(), source }
        })?;
        Ok(Self { pid, path, listening, thread })
    }

    fn listen(
        listener: UnixListener,
        target: Arc<dyn Target>,
    ) -> std::io::Result<(Arc<Listening>, JoinHandle<()>)> {
        let listening = Arc::new(Listening::new(listener, target)?);
        let server = Server::new(Arc::clone(&listening), Limits::DEFAULT);
        let thread = threads::spawn("lockscope-ctl", move || server.run())?;
        Ok((listening, thread))
    }

    fn close(&self) {
        let _ = std::fs::remove_file(&self.path);
        self.listening.close();
        let deadline = Instant::now() + PATIENCE;
        // Not joined: that would have no limit.
        while !self.thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

/// Listens at `path`, which has the number of this process: what is there is
/// of one that has ended, or of this one before it became another by exec.
fn bind(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |source| ControlError::Open { path: path.to_owned(), source };
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            match system::connect(path) {
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionRefused | ErrorKind::NotFound
                    ) => {}
                _ => return Err(ControlError::Taken { path: path.to_owned() }),
            }
            std::fs::remove_file(path).map_err(failed)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
    .map_err(failed)?;
    // The folder keeps others out already; this says so of the file as well.
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
