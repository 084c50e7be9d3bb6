//! What breaks a rule of the family TIME.

use crate::Mutation;

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[];
