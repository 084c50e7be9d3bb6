//! Others who watch locks: each as a std mutex with a counter inside.
//!
//! What they are asked for is what they do by default, on a lock that nobody else
//! wants. Where one keeps its figures in a process of its own thread, that thread
//! runs.

use core::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::locks::{Aligned, Counter};

/// One who watches locks.
pub struct Peer {
    /// Its name and version.
    pub name: &'static str,
    /// Its lock.
    pub lock: Box<dyn Counter>,
    /// Bytes of a lock around nothing, what it points to not counted.
    pub bytes: usize,
}

/// All of them. hotpath's figures are kept while its guard lives, which is for
/// the rest of the process.
#[must_use]
pub fn all() -> Vec<Peer> {
    let running = hotpath::HotpathGuardBuilder::new("bench").format(hotpath::Format::None).build();
    core::mem::forget(running);
    vec![
        Peer {
            name: "times everything itself",
            lock: Box::new(Aligned(Naive::default())),
            bytes: size_of::<Naive>() - size_of::<u64>(),
        },
        Peer {
            name: "tracing-mutex 0.3",
            lock: Box::new(Aligned(tracing_mutex::stdsync::tracing::Mutex::new(0_u64))),
            bytes: size_of::<tracing_mutex::stdsync::tracing::Mutex<()>>(),
        },
        Peer {
            name: "hotpath 0.30",
            lock: Box::new(Aligned(hotpath::mutex!(std::sync::Mutex::new(0_u64)))),
            bytes: size_of::<hotpath::wrap::std::sync::Mutex<()>>(),
        },
        Peer {
            name: "locktick 0.6",
            lock: Box::new(Aligned(locktick::std::Mutex::new(0_u64))),
            bytes: size_of::<locktick::std::Mutex<()>>(),
        },
    ]
}

/// What one writes who needs it today: the clock before, between and after, and
/// sums beside the lock.
#[derive(Debug, Default)]
pub struct Naive {
    lock: std::sync::Mutex<u64>,
    acquisitions: AtomicU64,
    wait_ns: AtomicU64,
    hold_ns: AtomicU64,
}

impl Naive {
    fn with(&self, act: impl FnOnce(&mut u64)) {
        let asked = Instant::now();
        let mut guard = sound(self.lock.lock());
        let had = Instant::now();
        act(&mut guard);
        drop(guard);
        let add = |sum: &AtomicU64, ns: u128| sum.fetch_add(ns as u64, Ordering::Relaxed);
        add(&self.acquisitions, 1);
        add(&self.wait_ns, (had - asked).as_nanos());
        add(&self.hold_ns, had.elapsed().as_nanos());
    }
}

impl Counter for Naive {
    #[inline(never)]
    fn run(&self, n: u64) {
        (0..n).for_each(|_| black_box(self).with(|count| *count += 1));
    }

    fn run_held(&self, held: u32) {
        self.with(|count| {
            *count += 1;
            crate::locks::work(held);
        });
    }

    fn take(&self) -> u64 {
        core::mem::take(&mut *sound(self.lock.lock()))
    }
}

/// A poisoned lock cannot be in a bench: nothing in it panics.
fn sound<G>(guard: std::sync::LockResult<G>) -> G {
    guard.unwrap_or_else(std::sync::PoisonError::into_inner)
}

macro_rules! counter {
    ($lock:ty) => {
        impl Counter for $lock {
            #[inline(never)]
            fn run(&self, n: u64) {
                for _ in 0..n {
                    *black_box(self).lock().unwrap_or_else(|_| unreachable!("nothing panics")) += 1;
                }
            }

            fn run_held(&self, held: u32) {
                let mut guard =
                    black_box(self).lock().unwrap_or_else(|_| unreachable!("nothing panics"));
                *guard += 1;
                crate::locks::work(held);
            }

            fn take(&self) -> u64 {
                core::mem::take(
                    &mut *self.lock().unwrap_or_else(|_| unreachable!("nothing panics")),
                )
            }
        }
    };
}

counter!(tracing_mutex::stdsync::tracing::Mutex<u64>);
counter!(hotpath::wrap::std::sync::Mutex<u64>);
counter!(locktick::std::Mutex<u64>);
