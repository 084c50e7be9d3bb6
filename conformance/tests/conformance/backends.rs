//! The backends, and what each is held to: to add one is to add a line.

use lockscope_conformance::Subject;
use lockscope_core::backend::Backend;

use crate::plain::{Mistake, Plain};
use crate::sampling::{anything, bias, coverage, in_turn};
use crate::windows;

/// A backend as it is configured for these tests.
pub(crate) struct Tested {
    pub(crate) name: &'static str,
    settings: Vec<Setting>,
    /// More of them where intervals are held against the truth.
    for_intervals: Vec<Setting>,
    /// The longest period there, if it is not the one that is configured.
    longest_period: Option<u32>,
    /// More of them where everything is to be recorded.
    to_be_exact: Vec<Setting>,
}

type Setting = (&'static str, String);

impl Tested {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            settings: Vec::new(),
            for_intervals: Vec::new(),
            longest_period: None,
            to_be_exact: Vec::new(),
        }
    }

    /// The plain backend that makes this mistake.
    pub(crate) fn mistaken(mistake: Mistake) -> Self {
        Self::new("plain").set("mistake", &mistake.name())
    }

    fn set(mut self, key: &'static str, value: &str) -> Self {
        self.settings.push((key, value.to_owned()));
        self
    }

    /// Where there must be many samples, no period is longer than this.
    fn bound_for_intervals(mut self, key: &'static str, longest_period: u32) -> Self {
        self.for_intervals.push((key, longest_period.to_string()));
        self.longest_period = Some(longest_period);
        self
    }

    fn set_to_be_exact(mut self, key: &'static str, value: &str) -> Self {
        self.to_be_exact.push((key, value.to_owned()));
        self
    }

    /// The longest period where intervals are held against the truth, if it is
    /// not the one that is configured.
    pub(crate) fn longest_period(&self) -> Option<u32> {
        self.longest_period
    }

    /// One that samples one operation in `period` at first.
    pub(crate) fn sampling<B: Backend>(&self, period: u32) -> Subject {
        self.with::<B>(period, &[])
    }

    /// The same, for intervals that are to be held against the truth.
    pub(crate) fn for_intervals<B: Backend>(&self, period: u32) -> Subject {
        self.with::<B>(period, &self.for_intervals)
    }

    /// One that records every operation.
    pub(crate) fn exact<B: Backend>(&self) -> Subject {
        self.with::<B>(1, &self.to_be_exact)
    }

    fn with<B: Backend>(&self, period: u32, more: &[Setting]) -> Subject {
        let period = [("period", period.to_string())];
        let all = period.iter().chain(&self.settings).chain(more);
        let all: Vec<(&str, &str)> = all.map(|(key, value)| (*key, &**value)).collect();
        lockscope_conformance::initialised::<B>(&all).expect("the settings can be used")
    }
}

macro_rules! backends {
    ($($name:ident: $backend:ty $(, $(.$set:ident($($value:expr),*))*)?;)*) => {$(
        mod $name {
            use super::*;

            fn tested() -> Tested {
                Tested::new(stringify!($name))$($(.$set($($value),*))*)?
            }

            #[test]
            fn what_takes_turns_gets_its_share() {
                in_turn::check::<$backend>(&tested()).unwrap();
            }

            #[test]
            fn ninety_five_in_a_hundred_intervals_contain_the_truth_at_a_fixed_period() {
                coverage::check::<$backend>(&tested(), &coverage::FIXED).unwrap();
            }

            #[test]
            fn ninety_five_in_a_hundred_intervals_contain_the_truth_while_the_period_moves() {
                coverage::check::<$backend>(&tested(), &coverage::MOVING).unwrap();
            }

            #[test]
            fn ninety_five_in_a_hundred_intervals_contain_the_truth_where_waits_are_drawn() {
                coverage::check::<$backend>(&tested(), &coverage::THINNED).unwrap();
            }

            #[test]
            fn the_mean_of_many_runs_is_the_truth() {
                bias::check::<$backend>(&tested()).unwrap();
            }

            #[test]
            fn whatever_happens_is_estimated_without_bias() {
                anything::check::<$backend>(&tested()).unwrap();
            }

            #[test]
            fn what_happens_while_the_gate_is_open_is_all_there_and_nothing_else_is() {
                windows::check::<$backend>(&tested()).unwrap();
            }
        }
    )*};
}

backends! {
    plain: Plain;
    wrapper: lockscope_wrapper::Wrapper;
    sidetable: lockscope_sidetable::Sidetable;
    // Without a limit that the machine's clock could find exceeded. The longer a
    // lock is quiet the longer its period, so that there never are many samples;
    // where there must be, it does not become that long.
    adaptive: lockscope_adaptive::Adaptive, .set("budget_percent", "0")
        .bound_for_intervals("max_period", 4).set_to_be_exact("max_period", "1");
    // Awake all the time.
    lazy: lockscope_lazy::Lazy, .set("wake_at_start", "1").set("window_ms", "86400000");
}
