//! Failure.

use crate::rule::Family;

pub(super) static FAMILY: Family = Family {
    id: "FAIL",
    title: "Failure",
    about: "What happens when a limit is reached, memory is short, or somebody is wrong.",
    rules: &[],
};
