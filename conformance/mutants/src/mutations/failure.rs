//! What breaks a rule of the family FAIL.

use crate::Mutation;

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[];
