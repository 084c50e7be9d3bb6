//! glibc's own functions, behind ours.
//!
//! Each has a word that leads to it, through which the entries jump. At first all of
//! them lead to a function that looks for all of glibc's: whoever calls before this
//! library is initialised, as the initialisation of another does, is served as well.

use core::ffi::{CStr, c_int, c_uint, c_void};

use libc::{
    clockid_t, pthread_barrier_t, pthread_cond_t, pthread_mutex_t, pthread_rwlock_t,
    pthread_spinlock_t, sem_t, timespec,
};
use lockscope_core::sync::{AtomicPtr, Ordering};

/// A mutex of C11: glibc's is its mutex of pthreads.
pub(crate) type Mtx = pthread_mutex_t;
/// A condition variable of C11.
pub(crate) type Cnd = pthread_cond_t;

/// Of a condition variable there are two generations; the first is not this one.
const CONDVAR_VERSION: &CStr = c"GLIBC_2.3.2";

macro_rules! real_functions {
    ($($name:ident($($argument:ident: $type:ty),*) $(in $version:expr)?;)*) => {
        /// The words that lead to the functions.
        #[allow(non_upper_case_globals, reason = "they have the names of what they lead to")]
        pub(crate) mod place {
            use super::{AtomicPtr, bootstrap};

            $(pub(crate) static $name: AtomicPtr<()> =
                AtomicPtr::new(bootstrap::$name as *mut ());)*
        }

        mod bootstrap {
            use super::*;

            $(pub(super) unsafe extern "C-unwind" fn $name($($argument: $type),*) -> c_int {
                resolve();
                // SAFETY: the caller's own arguments.
                unsafe { super::$name($($argument),*) }
            })*
        }

        $(
            /// glibc's own.
            ///
            /// # Safety
            ///
            /// - That of the function of this name.
            #[inline]
            pub(crate) unsafe fn $name($($argument: $type),*) -> c_int {
                type Function = unsafe extern "C-unwind" fn($($type),*) -> c_int;
                // Relaxed: code, which was there before its address was.
                let place = place::$name.load(Ordering::Relaxed);
                // SAFETY: the word leads to a function of this type: glibc's by its
                // name, or what stands for it until that is known.
                unsafe {
                    core::mem::transmute::<*mut (), Function>(place)($($argument),*)
                }
            }
        )*

        /// Finds all of them.
        ///
        /// Those first that an allocator calls, since what is missing further down
        /// makes the dynamic linker allocate.
        pub(crate) fn resolve() {
            $(find(&place::$name, concat!(stringify!($name), "\0"), version!($($version)?));)*
        }
    };
}

macro_rules! version {
    () => {
        None
    };
    ($version:expr) => {
        Some($version)
    };
}

real_functions! {
    pthread_mutex_lock(mutex: *mut pthread_mutex_t);
    pthread_mutex_unlock(mutex: *mut pthread_mutex_t);
    pthread_mutex_trylock(mutex: *mut pthread_mutex_t);
    pthread_mutex_destroy(mutex: *mut pthread_mutex_t);
    pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, deadline: *const timespec);
    pthread_spin_lock(lock: *mut pthread_spinlock_t);
    pthread_spin_trylock(lock: *mut pthread_spinlock_t);
    pthread_spin_unlock(lock: *mut pthread_spinlock_t);
    pthread_spin_destroy(lock: *mut pthread_spinlock_t);
    pthread_cond_wait(condvar: *mut pthread_cond_t, mutex: *mut pthread_mutex_t)
        in CONDVAR_VERSION;
    pthread_cond_timedwait(
        condvar: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, deadline: *const timespec
    ) in CONDVAR_VERSION;
    pthread_cond_destroy(condvar: *mut pthread_cond_t) in CONDVAR_VERSION;
    pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t);
    pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t);
    pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, deadline: *const timespec);
    pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t);
    pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t);
    pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, deadline: *const timespec);
    pthread_rwlock_unlock(lock: *mut pthread_rwlock_t);
    pthread_rwlock_destroy(lock: *mut pthread_rwlock_t);
    pthread_barrier_wait(barrier: *mut pthread_barrier_t);
    pthread_barrier_destroy(barrier: *mut pthread_barrier_t);
    sem_wait(semaphore: *mut sem_t);
    sem_trywait(semaphore: *mut sem_t);
    sem_timedwait(semaphore: *mut sem_t, deadline: *const timespec);
    sem_destroy(semaphore: *mut sem_t);
    pthread_mutex_init(mutex: *mut pthread_mutex_t, attributes: *const c_void);
    pthread_rwlock_init(lock: *mut pthread_rwlock_t, attributes: *const c_void);
    pthread_spin_init(lock: *mut pthread_spinlock_t, is_shared: c_int);
    pthread_cond_init(condvar: *mut pthread_cond_t, attributes: *const c_void)
        in CONDVAR_VERSION;
    pthread_barrier_init(
        barrier: *mut pthread_barrier_t, attributes: *const c_void, count: c_uint
    );
    sem_init(semaphore: *mut sem_t, is_shared: c_int, value: c_uint);
    // Those that an older glibc does not have.
    mtx_init(mutex: *mut Mtx, kind: c_int);
    cnd_init(condvar: *mut Cnd);
    // These return nothing, and whoever calls them looks at nothing.
    mtx_destroy(mutex: *mut Mtx);
    cnd_destroy(condvar: *mut Cnd);
    mtx_lock(mutex: *mut Mtx);
    mtx_trylock(mutex: *mut Mtx);
    mtx_timedlock(mutex: *mut Mtx, deadline: *const timespec);
    mtx_unlock(mutex: *mut Mtx);
    cnd_wait(condvar: *mut Cnd, mutex: *mut Mtx);
    cnd_timedwait(condvar: *mut Cnd, mutex: *mut Mtx, deadline: *const timespec);
    pthread_mutex_clocklock(
        mutex: *mut pthread_mutex_t, clock: clockid_t, deadline: *const timespec
    );
    pthread_cond_clockwait(
        condvar: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t,
        deadline: *const timespec
    );
    pthread_rwlock_clockrdlock(
        lock: *mut pthread_rwlock_t, clock: clockid_t, deadline: *const timespec
    );
    pthread_rwlock_clockwrlock(
        lock: *mut pthread_rwlock_t, clock: clockid_t, deadline: *const timespec
    );
    sem_clockwait(semaphore: *mut sem_t, clock: clockid_t, deadline: *const timespec);
}

/// For a function that this glibc does not have: the program, which was linked
/// without us, does not call it.
unsafe extern "C-unwind" fn missing() -> c_int {
    libc::ENOSYS
}

fn find(place: &AtomicPtr<()>, name: &'static str, version: Option<&CStr>) {
    let found = after_us(name, version);
    let function = if found.is_null() { missing as *mut () } else { found.cast() };
    // Relaxed: as where it is read.
    place.store(function, Ordering::Relaxed);
}

/// The function of this name in what was loaded after this library; null if there
/// is none. `name` ends with a 0.
fn after_us(name: &'static str, version: Option<&CStr>) -> *mut c_void {
    let name = name.as_ptr().cast();
    // SAFETY: a string that ends with a 0.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name) };
    let Some(version) = version else { return found };
    // SAFETY: both are strings that end with a 0.
    let versioned = unsafe { libc::dlvsym(libc::RTLD_NEXT, name, version.as_ptr()) };
    // Another library that stands between the program and glibc, as this one does, has
    // no versions, and is to be asked all the same.
    if versioned.is_null() || base_of(found) != base_of(versioned) { found } else { versioned }
}

/// Where the object begins that `function` is in. Allocates nothing.
fn base_of(function: *const c_void) -> Option<usize> {
    let mut info = core::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: there is room for the answer, which is there if it says so.
    unsafe {
        let is_known = libc::dladdr(function, info.as_mut_ptr()) != 0;
        is_known.then(|| info.assume_init().dli_fbase.addr())
    }
}
