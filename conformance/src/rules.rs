//! The rules: one file for each family.

mod events;
mod exclusion;
mod failure;
mod identity;
mod load;
mod sampling;
mod sessions;
mod time;

use crate::rule::{Family, Rule};

/// The families, in the order of SPEC.md.
pub static FAMILIES: [&Family; 8] = [
    &load::FAMILY,
    &identity::FAMILY,
    &exclusion::FAMILY,
    &events::FAMILY,
    &sampling::FAMILY,
    &time::FAMILY,
    &sessions::FAMILY,
    &failure::FAMILY,
];

/// All rules, in the order of SPEC.md.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules)
}

/// The rule with this id, however it is spelt.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

/// The family with this id, or of this title.
#[must_use]
pub fn family(name: &str) -> Option<&'static Family> {
    let fits = |family: &&&Family| {
        family.id.eq_ignore_ascii_case(name) || family.title.eq_ignore_ascii_case(name)
    };
    FAMILIES.iter().find(fits).copied()
}
