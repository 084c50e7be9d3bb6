//! Everything that can be wrong with a plugin, by the family of the rule that it
//! breaks.

mod endings;
mod events;
mod exclusion;
mod failure;
mod identity;
mod load;
mod sampling;
mod sessions;
mod time;

use crate::Mutation;

/// One list for each family of rules.
pub const FAMILIES: [&[Mutation]; 8] = [
    load::MUTATIONS,
    identity::MUTATIONS,
    exclusion::MUTATIONS,
    events::MUTATIONS,
    sampling::MUTATIONS,
    time::MUTATIONS,
    sessions::MUTATIONS,
    failure::MUTATIONS,
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
    static ALL: [&[Mutation]; 8] = FAMILIES;
    ALL.iter().copied().flatten()
}

/// What ends a process: see `endings`.
pub static ENDINGS: &[Mutation] = endings::MUTATIONS;
