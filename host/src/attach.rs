//! The entry for programs under `lockscope run`: their probe opens this
//! library at its first lock operation and hands itself over.

use core::ffi::c_int;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lockscope_core::{ABI_VERSION, Probe};

use crate::config::{Config, Overrides, Placed, Sources, is_privileged};
use crate::control;
use crate::engine::{ENGINE, Plan};
use crate::error::HostError;
use crate::keeper::Keeper;
use crate::output::{self, is_descendant};
use crate::tell::tell;

/// Exit status of a program that was to be profiled strictly and cannot be.
pub(crate) const STRICT_STATUS: c_int = 125;

/// What the first probe has brought about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attached {
    /// A session runs until the process ends.
    Running,
    /// The process is not profiled.
    Unprofiled,
}

static ATTACHED: Mutex<Option<Attached>> = Mutex::new(None);
static KEEPER: OnceLock<Arc<Keeper>> = OnceLock::new();

/// Takes a probe into the process's session, which the first one starts.
///
/// Returns 0 if the probe was taken, or if nothing is to be profiled; anything
/// else once stderr says what is wrong.
///
/// # Safety
///
/// - `probe` is null, or points to a probe that lives as long as the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lockscope_attach_v1(probe: *const Probe) -> c_int {
    let attached = catch_unwind(|| {
        // SAFETY: as the caller promises.
        let Some(probe) = (unsafe { probe.as_ref() }) else { return 1 };
        if is_privileged() {
            return 0;
        }
        match attach(probe) {
            Ok(()) => 0,
            Err(error) => give_up(&error),
        }
    });
    // A panic has said so on stderr; the program is not to pay for it.
    attached.unwrap_or(1)
}

fn attach(probe: &'static Probe) -> Result<(), HostError> {
    check(probe)?;
    let mut attached = ATTACHED.lock().unwrap_or_else(PoisonError::into_inner);
    if attached.is_none() {
        // Until it has succeeded it has failed, so that a second probe does
        // not tell the same again.
        *attached = Some(Attached::Unprofiled);
        let config = Config::resolve(&Sources::of_process(), &Overrides::default())?;
        if !config.enabled.value {
            return Ok(());
        }
        start(&config, probe)?;
        *attached = Some(Attached::Running);
        return Ok(());
    }
    if *attached == Some(Attached::Running) { ENGINE.adopt(probe) } else { Ok(()) }
}

/// Whether this host knows the probe's layout. Its first fields are those of
/// every version.
fn check(probe: &Probe) -> Result<(), HostError> {
    let size = size_of::<Probe>() as u32;
    if probe.version == ABI_VERSION && probe.size == size {
        return Ok(());
    }
    Err(HostError::ProbeVersion {
        found_version: probe.version,
        found_size: probe.size,
        version: ABI_VERSION,
        size,
    })
}

/// Where this process's report goes.
fn output(config: &Config) -> Placed<PathBuf> {
    let Placed { value: mut pattern, place } = config.output_pattern();
    if is_descendant(&Sources::of_process()) {
        pattern = pattern.of_descendants();
    }
    output::absolute(Placed { value: pattern.of(std::process::id()), place })
}

fn start(config: &Config, probe: &'static Probe) -> Result<(), HostError> {
    let output = output(config);
    output::check(&output)?;
    let plan = Plan::new(config)?;
    // First of all the probe, which another host may have.
    ENGINE.adopt(probe)?;
    let keeper = Arc::new(Keeper::begin(&plan, config, output, true)?);
    let _ = KEEPER.set(Arc::clone(&keeper));
    // SAFETY: the handler is a function of this library, which is never
    // unloaded.
    if unsafe { libc::atexit(at_exit) } != 0 {
        tell(
            "the system takes no more handlers for the program's end; the last report is the one that is written while it runs",
        );
    }
    if config.control.value {
        // After that handler, and so ended before it: what is asked for is
        // answered before the last report is written.
        control::serve(keeper);
    }
    Ok(())
}

extern "C" fn at_exit() {
    // A panic would end in the runtime's abort: the program has its own end.
    let _ = catch_unwind(|| {
        let Some(keeper) = KEEPER.get() else { return };
        match keeper.finish() {
            // A fork that ends by `exit` is not the process that attached.
            Ok(_) | Err(HostError::Forked { .. }) => {}
            Err(error) => tell(&error),
        }
    });
}

/// Says what is wrong, once and clearly. The program goes on unprofiled,
/// unless it was to be profiled or not to run at all.
fn give_up(error: &HostError) -> c_int {
    if Config::is_strict(&Sources::of_process(), &Overrides::default()) {
        tell(format_args!("{error}; the program does not run, because of LOCKSCOPE_STRICT"));
        // SAFETY: ends the process at once: nothing of it is to run any more,
        // its handlers for the end included.
        unsafe { libc::_exit(STRICT_STATUS) };
    }
    tell(format_args!("{error}; the program runs unprofiled"));
    1
}
