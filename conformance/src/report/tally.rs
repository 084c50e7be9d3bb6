//! The table: how many rules of each family there are, were checked, and are kept.

use crate::rules;
use crate::runner::{Judged, Run, Standing};

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The family, or `all`.
    pub family: &'static str,
    /// How many rules are kept.
    pub passed: usize,
    /// How many were checked.
    pub run: usize,
    /// How many there are, of those that were asked for.
    pub total: usize,
}

/// One line for each family of which a rule was asked for, and one for all.
#[must_use]
pub fn tallies(run: &Run) -> Vec<Tally> {
    let of_family = |family: &'static str| {
        let judged = run.judged.iter().filter(move |judged| judged.rule.family() == family);
        tally(family, judged)
    };
    let families = rules::FAMILIES.iter().map(|family| of_family(family.id));
    let all = core::iter::once(tally("all", run.judged.iter()));
    families.filter(|tally| tally.total > 0).chain(all).collect()
}

fn tally<'a>(family: &'static str, judged: impl Iterator<Item = &'a Judged>) -> Tally {
    let mut tally = Tally { family, passed: 0, run: 0, total: 0 };
    for judged in judged {
        let standing = judged.standing();
        tally.total += 1;
        tally.run += usize::from(!matches!(standing, Standing::NotRun | Standing::NotDecided));
        tally.passed += usize::from(matches!(standing, Standing::Kept | Standing::Unexpected));
    }
    tally
}
