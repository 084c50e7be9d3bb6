//! What ends a process, or never lets it end: no rule's own matter, but what the
//! kit has to bear.
//!
//! All of it happens when the plugin is initialised, so that LOAD-05 is broken.

use lockscope_core::backend::{Backend, BackendError, Setting};

use crate::{Alter, Good, Mutation};

type Init = fn(&Good, &[Setting]) -> Result<(), BackendError>;

const fn in_init(name: &'static str, init: Init) -> Mutation {
    Mutation { name, breaks: "LOAD-05", alter: Alter { init, ..Alter::NOTHING } }
}

/// By how the process ends.
pub(super) const MUTATIONS: &[Mutation] = &[
    in_init("reads-what-is-not-there", |good, settings| {
        // SAFETY: none: it is to crash.
        unsafe { core::ptr::without_provenance::<u8>(8).read_volatile() };
        good.init(settings)
    }),
    in_init("aborts", |_, _| std::process::abort()),
    in_init("exits", |_, _| std::process::exit(0)),
    in_init("exits-with-an-error", |_, _| std::process::exit(3)),
    in_init("waits-for-ever", |_, _| {
        loop {
            std::thread::park();
        }
    }),
    in_init("leaves-a-process-that-waits-for-ever", |_, _| {
        // SAFETY: the child does nothing but wait.
        if unsafe { libc::fork() } != 0 {
            std::process::exit(0);
        }
        loop {
            std::thread::park();
        }
    }),
    in_init("takes-all-memory", |_, _| {
        let mut taken = Vec::new();
        loop {
            taken.push(core::hint::black_box(vec![1_u8; 1 << 20]));
        }
    }),
    in_init("takes-more-memory-than-there-is-at-once", |good, settings| {
        let size = 1 << 40;
        let taken = core::hint::black_box(Vec::<u8>::with_capacity(size));
        drop(taken);
        good.init(settings)
    }),
    in_init("prints-and-fails", |_, settings| {
        println!("initialised with {} values", settings.len());
        eprintln!("something is missing");
        let message = "the counter cannot be opened: it is missing; install it";
        Err(BackendError::new(lockscope_core::backend::ErrorKind::Resource, message))
    }),
    in_init("prints-without-end", |_, _| {
        loop {
            println!("still here");
        }
    }),
];
