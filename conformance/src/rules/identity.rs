//! Identity.

use crate::rule::Family;

pub(super) static FAMILY: Family = Family {
    id: "IDENT",
    title: "Identity",
    about: "Which lock is which, for as long as the process lives; and that a lock does not change by being watched.",
    rules: &[],
};
