//! Sampling.

use crate::rule::Family;

pub(super) static FAMILY: Family = Family {
    id: "SAMPLE",
    title: "Sampling",
    about: "What a report says of operations that nobody recorded is an estimate, and says truly how good it is.",
    rules: &[],
};
