//! What breaks a rule of the family IDENT.

use crate::Mutation;

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[];
