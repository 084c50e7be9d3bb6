//! A probe as the host sees it, and the register in which probes and a host
//! that is linked into the program find each other.

use core::ffi::c_void;
use std::sync::Mutex;

use crate::event::PendingVisitor;
use crate::gate::Gate;
use crate::hooks::ABI_VERSION;
use crate::site::{CallSite, SiteInfo};
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::thread;

/// What a probe gives to a host: its gate, and what only it can do.
///
/// One static per probe. The host may live in another dynamic library, built
/// by another compiler, so it reaches the probe's copy of this crate through
/// these entries alone.
#[repr(C)]
#[derive(Debug)]
pub struct Probe {
    /// Read by every lock operation.
    pub gate: Gate,
    /// `size_of::<Probe>()` of whoever built the probe.
    pub size: u32,
    /// [`ABI_VERSION`] of whoever built the probe.
    pub version: u32,
    /// UTF-8 name.
    pub name: *const u8,
    /// Bytes at `name`.
    pub name_len: usize,
    /// Returns when no thread is inside a hook; the caller closed the gate.
    pub quiesce: extern "C" fn(probe: *const Probe),
    /// Calls `visit` for every acquisition that is waiting or held now.
    pub pending: extern "C" fn(visit: PendingVisitor, context: *mut c_void),
    /// Says what a call site is; false if this probe does not know it.
    ///
    /// Only sites that came from this probe may be asked for, and no stacks.
    pub resolve: unsafe extern "C" fn(site: CallSite, info: *mut SiteInfo) -> bool,
    /// Samples lost since the process began, for want of a place to keep them.
    pub lost: extern "C" fn() -> u64,
    /// How many operations of the session with this generation, which is over,
    /// had not ended when it did, and are never told: weighted. To be asked
    /// once, after `quiesce`.
    pub unfinished: extern "C" fn(generation: u32) -> u64,
    /// To be called in the child of a fork, for every probe: closes the gate,
    /// gives the probe back, and forgets the threads that were not forked.
    /// Stores only.
    pub forked: extern "C" fn(probe: *const Probe),
    /// The host that holds the gate: 0 for none. See [`Probe::occupy`].
    host: AtomicUsize,
    /// The number that the host gave this probe.
    index: AtomicU32,
    reserved: u32,
    next_lock: AtomicU64,
}

// SAFETY: `name` points to a `&'static str`; all else is atomic or immutable.
unsafe impl Send for Probe {}
// SAFETY: as above.
unsafe impl Sync for Probe {}

const _: () = assert!(size_of::<Probe>() == 192);

impl Probe {
    /// A probe whose call sites are Rust source locations.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    #[must_use]
    pub const fn rust(name: &'static str) -> Self {
        Self::new(name, resolve_location)
    }

    /// A probe whose call sites are return addresses, or what else `resolve` knows:
    /// see [`Probe::resolve`], which is told of sites of this probe alone.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    #[must_use]
    pub const fn new(
        name: &'static str,
        resolve: unsafe extern "C" fn(site: CallSite, info: *mut SiteInfo) -> bool,
    ) -> Self {
        Self {
            gate: Gate::new(),
            size: size_of::<Self>() as u32,
            version: ABI_VERSION,
            name: name.as_ptr(),
            name_len: name.len(),
            quiesce,
            pending,
            resolve,
            lost: thread_lost,
            unfinished: thread_unfinished,
            forked,
            host: AtomicUsize::new(0),
            index: AtomicU32::new(0),
            reserved: 0,
            next_lock: AtomicU64::new(1),
        }
    }

    /// Takes the probe for the host that `token` stands for (not 0), which
    /// gives it `index`; false if another host has it.
    pub fn occupy(&self, token: usize, index: u32) -> bool {
        // AcqRel: what the last host did to the gate happens before.
        let taken = self.host.compare_exchange(0, token, Ordering::AcqRel, Ordering::Acquire);
        if taken.is_ok() {
            self.index.store(index, Ordering::Relaxed);
        }
        taken.is_ok() || taken == Err(token)
    }

    /// The number that the host gave.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index.load(Ordering::Relaxed)
    }

    /// An id for a lock of this probe: never given twice in the process.
    ///
    /// The upper 16 bits are the probe's number plus one, so that probes with
    /// counters of their own cannot meet.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn next_lock_id(&self) -> u64 {
        let number = self.next_lock.fetch_add(1, Ordering::Relaxed);
        u64::from(self.index() + 1) << 48 | number
    }

    /// The probe's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        // SAFETY: both are the parts of a `&'static str`; see the constructors.
        unsafe {
            core::str::from_utf8_unchecked(core::slice::from_raw_parts(self.name, self.name_len))
        }
    }
}

extern "C" fn quiesce(probe: *const Probe) {
    // SAFETY: probes are statics.
    thread::quiesce(unsafe { &(*probe).gate });
}

extern "C" fn forked(probe: *const Probe) {
    // SAFETY: probes are statics.
    let probe = unsafe { &*probe };
    probe.gate.close();
    probe.host.store(0, Ordering::Relaxed);
    thread::forked();
}

extern "C" fn pending(visit: PendingVisitor, context: *mut c_void) {
    thread::for_each_pending(|pending| visit(context, pending));
}

extern "C" fn thread_lost() -> u64 {
    thread::lost()
}

extern "C" fn thread_unfinished(generation: u32) -> u64 {
    thread::unfinished(generation)
}

/// Resolves a site that is the address of a `Location` of this compiler.
unsafe extern "C" fn resolve_location(site: CallSite, info: *mut SiteInfo) -> bool {
    if !site.is_known() {
        return false;
    }
    // SAFETY: the caller got the site from this probe, which only makes sites
    // of `&'static Location`; the layout is this compiler's own.
    let location = unsafe { &*(site.0 as *const core::panic::Location<'static>) };
    let file = location.file();
    let found = SiteInfo {
        file: file.as_ptr(),
        file_len: file.len(),
        line: location.line(),
        column: location.column(),
    };
    // SAFETY: the caller gave a place for the answer.
    unsafe { info.write(found) };
    true
}

/// Called for each probe, once: those that are there, and those that come.
pub type Arrival = fn(&'static Probe);

struct Register {
    probes: Vec<&'static Probe>,
    arrival: Option<Arrival>,
}

static REGISTER: Mutex<Register> = Mutex::new(Register { probes: Vec::new(), arrival: None });

fn register() -> std::sync::MutexGuard<'static, Register> {
    REGISTER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Enters a probe in the register, at its first lock operation.
pub fn arrive(probe: &'static Probe) {
    let arrival = {
        let mut register = register();
        register.probes.push(probe);
        register.arrival
    };
    if let Some(arrival) = arrival {
        arrival(probe);
    }
}

/// Tells a host that is linked into the program of every probe, now and later.
pub fn on_arrival(arrival: Arrival) {
    let probes = {
        let mut register = register();
        register.arrival = Some(arrival);
        register.probes.clone()
    };
    probes.into_iter().for_each(arrival);
}
