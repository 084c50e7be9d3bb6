//! Start and stop.

use crate::rule::Family;

pub(super) static FAMILY: Family = Family {
    id: "SESSION",
    title: "Start and stop",
    about: "What belongs to a session, and what starting and stopping may cost.",
    rules: &[],
};
