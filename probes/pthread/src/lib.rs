//! A library that is preloaded into programs which nobody rebuilds, and tells
//! lockscope what their pthread locks do, when it asks.
//!
//! `lockscope run` names it in `LD_PRELOAD`. It defines functions of glibc
//! by their own names; the program's calls come here, and glibc does the work. What
//! every function returns, and what it leaves in `errno`, is glibc's.
//!
//! | file | what it is |
//! |---|---|
//! | `entry` | the functions that the program calls: a look at the gate, then glibc's |
//! | `real` | where glibc's functions are |
//! | `operation` | what an operation is on an open gate, whatever the lock |
//! | `mutex`, `rwlock`, `spin`, `semaphore`, `condvar`, `barrier` | what is special to each |
//! | `held` | the locks that a thread holds and that have a record: there are no guards |
//! | `own` | what a thread keeps, and finds without a call |
//! | `watch` | the probe, and how its locks describe themselves |
//! | `origin` | where locks were made that have no symbol |
//! | `sites` | a table of call sites by the addresses of locks |
//! | `attach` | the way to the host, before the program's `main` |
//!
//! # What it costs while nothing is recorded
//!
//! A load of a word that nobody writes, a branch that is always predicted alike, and
//! a jump: no register is touched, and nothing is read that belongs to the thread.
//!
//! # Where it works
//!
//! On x86-64 Linux with glibc, whose locks it knows the layout of. Elsewhere the
//! library is empty.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

mod attach;
mod barrier;
mod condvar;
mod entry;
mod held;
mod mutex;
mod operation;
mod origin;
mod own;
mod real;
mod rwlock;
mod semaphore;
mod sites;
mod spin;
mod watch;
