//! A library that is preloaded into Rust programs which nobody rebuilds, and tells
//! lockscope how their threads wait for locks, when it asks.
//!
//! The locks of Rust's std and of parking_lot are words of the program's own, and a
//! thread that finds one free asks nobody. One that has to wait calls the kernel's
//! futex, by libc's function `syscall`, and so does one that wakes it. `lockscope run`
//! names this library in `LD_PRELOAD`, and it defines that function: so it sees every
//! wait, and costs a lock that nobody waits for nothing. What `syscall` returns, and
//! what it leaves in `errno`, is the kernel's.
//!
//! What a wait is for, the kernel is not told: the stack tells it, on which the
//! functions of std or of parking_lot stand that were called by the program.
//!
//! | file | what it is |
//! |---|---|
//! | `entry` | `syscall` itself: a look at its number and at the gate, then glibc's |
//! | `real` | glibc's `syscall`, and what was asked of it |
//! | `wait` | a thread that waits, in an open session |
//! | `wake` | a thread that wakes others |
//! | `meaning` | what a function of a library waits for, by its name |
//! | `map` | which function is where, found out before the program begins |
//! | `way` | from a call to the line of the program that has led there |
//! | `waiting` | who waits where, and who has woken them |
//! | `held` | what a thread has recorded and not ended |
//! | `watch` | the probe, and how its locks describe themselves |
//! | `attach` | the way to the host, before the program's `main` |
//!
//! # Where it works
//!
//! On x86-64 Linux with glibc. Elsewhere the library is empty.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

mod attach;
mod entry;
mod held;
mod map;
mod meaning;
mod real;
mod wait;
mod waiting;
mod wake;
mod watch;
mod way;
