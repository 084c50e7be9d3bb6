//! What a rule is.

use crate::trial::Trial;
use crate::verdict::Failure;

/// One promise that every backend makes.
#[derive(Debug)]
pub struct Rule {
    /// The family and a number, as in `EVENT-01`: never used again for another.
    pub id: &'static str,
    /// Whether a backend may break it.
    pub level: Level,
    /// What is promised, in one sentence.
    pub sentence: &'static str,
    /// Why, in one or two.
    pub intent: &'static str,
    /// How it is known whether a backend keeps it.
    pub verified: &'static [Verified],
    /// Two or three things to look at when it does not.
    pub look: &'static [&'static str],
    /// What finds it out, from outside: called in a process of its own. `None` if
    /// only the source can show it.
    pub check: Option<Check>,
}

/// Finds out whether a plugin keeps a rule.
pub type Check = fn(&mut Trial) -> Result<(), Failure>;

/// Whether a backend may break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It may not.
    Must,
    /// It may, with a reason.
    Should,
}

/// How it is known whether a backend keeps a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Real threads do it, some of the many ways in which they can.
    Sampled,
    /// It holds in whatever a simulated program does, as far as that was tried.
    Property,
    /// It is proved for every interleaving of a model: `package::model`.
    Model(&'static str),
    /// A test of another package holds it, with a broken twin that fails:
    /// `package::test`.
    Test(&'static str),
    /// It is not.
    Untested,
}

/// Rules that belong together.
#[derive(Debug)]
pub struct Family {
    /// What their ids begin with.
    pub id: &'static str,
    /// What they are about, as a heading.
    pub title: &'static str,
    /// The same in a sentence or two.
    pub about: &'static str,
    /// The rules, by number.
    pub rules: &'static [Rule],
}

impl Rule {
    /// The id of its family.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.id.split_once('-').map_or(self.id, |(family, _)| family)
    }

    /// The name of its heading in SPEC.md, for links.
    #[must_use]
    pub fn anchor(&self) -> String {
        self.id.to_ascii_lowercase()
    }

    /// What shows that the rule's check finds those who break it: the mutants
    /// that do, or the tests that have a broken twin.
    #[must_use]
    pub fn proofs(&self) -> Vec<&'static str> {
        let mutants = lockscope_mutants::mutations::all()
            .filter(|mutation| mutation.breaks == self.id)
            .map(|mutation| mutation.name);
        let elsewhere = self.verified.iter().filter_map(|verified| match verified {
            Verified::Model(name) | Verified::Test(name) => Some(*name),
            Verified::Sampled | Verified::Property | Verified::Untested => None,
        });
        mutants.chain(elsewhere).collect()
    }
}

impl core::fmt::Display for Level {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        })
    }
}

impl core::fmt::Display for Verified {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Sampled => f.write_str("sampled"),
            Self::Property => f.write_str("property"),
            Self::Model(name) => write!(f, "proved in the model `{name}`"),
            Self::Test(name) => write!(f, "by the test `{name}`"),
            Self::Untested => f.write_str("untested"),
        }
    }
}
