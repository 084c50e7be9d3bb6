//! Holds backends to what they promise, whatever their strategy.
//!
//! What that is, SPEC.md says, rule by rule; here the same list stands in code, in
//! [`rules`], each with what finds out whether a plugin keeps it. A test holds the
//! two against each other.
//!
//! ```text
//! lockscope conformance PLUGIN ──► cli ──► Kit ── a process for each rule ──► be_child
//!                                           │                                   │
//!   report: text, tap, json, junit ◄── Run ─┘ ◄────────── Verdict ◄── check(&mut Trial)
//! ```
//!
//! A check gets a [`Trial`]: the plugin, in a process that is its own. What it does
//! with it is one of two things. It may run a *real program*: threads that use
//! `lockscope`'s locks while the plugin profiles them. But such a program never does
//! the same thing twice, so what a report says of it cannot be held against the
//! truth. So there is a *simulated program*, too: a [`Script`] says which thread does
//! what with which lock, a [`Simulation`] plays it to a [`Subject`], and the [`Truth`]
//! of it is written down beside. Time is made up as well, so that a run follows from
//! its seed.
//!
//! ```text
//! Script ──► Simulation ──► Probe ──── meet, event, dropped ───► Subject
//!                 │           └─────► Truth                         │
//!                 └── init, start, configure, stop, snapshot ───► Report
//!                                                                   │
//!            compare, statistics: is the one what the other says? ◄─┘
//! ```
//!
//! The simulated [`Probe`] does what `lockscope_core::recorder` does, with the
//! same slots; a test plays one script to both and compares what they tell.
//!
//! ```
//! use lockscope_conformance::{Hold, Make, Script, Simulation, Step, Use};
//! # use lockscope_core::backend::{Backend, BackendError, Description, Setting};
//! # use lockscope_core::report::Report;
//! # use lockscope_core::{Countdown, Event, LockRef, Session};
//! # #[derive(Default)]
//! # struct MyBackend;
//! # impl Backend for MyBackend {
//! #     fn describe() -> Description { Description::new("my", "0.1.0", "records nothing") }
//! #     fn init(&self, _: &[Setting]) -> Result<(), BackendError> { Ok(()) }
//! #     fn start(&self, _: &Session) -> Result<(), BackendError> { Ok(()) }
//! #     fn stop(&self) -> Result<(), BackendError> { Ok(()) }
//! #     fn snapshot(&self) -> Result<Report, BackendError> { Ok(Report::default()) }
//! #     fn meet(&self, _: Option<&LockRef>) -> Countdown { Countdown::NEVER }
//! #     fn event(&self, _: &Event) -> Countdown { Countdown::UNCHANGED }
//! # }
//! let mut script = Script::default();
//! let lock = script.lock(Make::MUTEX);
//! let at_line_7 = Use { site: 7, hold: Hold::About(300), ..Use::of(lock) };
//! script.push(Step::Repeat(1_000, vec![Step::Take(at_line_7)]));
//!
//! let backend = lockscope_conformance::initialised::<MyBackend>(&[])?;
//! let seed = 1;
//! let played = Simulation::play(&backend, seed, &script)?;
//! assert_eq!(played.truth.sum().acquisitions, 1_000);
//! println!("{:?}", played.report);
//! # Ok::<(), BackendError>(())
//! ```

#[cfg(feature = "outside")]
pub mod cli;
#[cfg(feature = "outside")]
pub mod compare;
#[cfg(feature = "simulation")]
pub mod coverage;
#[cfg(feature = "outside")]
pub mod error;
pub mod inside;
#[cfg(feature = "outside")]
pub mod keys;
#[cfg(feature = "simulation")]
mod lock;
#[cfg(feature = "outside")]
pub mod new_backend;
#[cfg(feature = "simulation")]
mod probe;
#[cfg(feature = "simulation")]
mod random;
#[cfg(feature = "outside")]
pub mod report;
#[cfg(feature = "outside")]
pub mod rule;
#[cfg(feature = "outside")]
pub mod rules;
#[cfg(feature = "outside")]
pub mod runner;
#[cfg(feature = "simulation")]
mod script;
#[cfg(feature = "simulation")]
mod simulation;
#[cfg(feature = "outside")]
pub mod spec;
#[cfg(feature = "simulation")]
pub mod statistics;
#[cfg(feature = "simulation")]
mod subject;
#[cfg(feature = "simulation")]
mod thread;
#[cfg(feature = "outside")]
mod trial;
#[cfg(feature = "simulation")]
mod truth;
#[cfg(feature = "outside")]
mod verdict;

#[cfg(feature = "outside")]
pub use error::KitError;
#[cfg(feature = "outside")]
pub use keys::Recording;
#[cfg(feature = "simulation")]
pub use lock::Make;
#[cfg(feature = "simulation")]
pub use probe::{Acquisition, Operation, Probe};
#[cfg(feature = "simulation")]
pub use random::Random;
#[cfg(feature = "simulation")]
pub use script::{Hold, LockId, Script, Step, Use};
#[cfg(feature = "simulation")]
pub use simulation::{Played, Simulation, abandoned, next_generation, session};
#[cfg(feature = "simulation")]
pub use subject::{Pacing, Subject, initialised};
#[cfg(feature = "outside")]
pub use trial::{Profile, Trial};
#[cfg(feature = "simulation")]
pub use truth::{Line, Totals, Truth, stated};
#[cfg(feature = "outside")]
pub use verdict::{Failure, Verdict};

/// So that the guide's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/write-a-backend.md")]
struct Guide;
