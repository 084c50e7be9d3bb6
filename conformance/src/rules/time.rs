//! Time.

use crate::rule::Family;

pub(super) static FAMILY: Family =
    Family { id: "TIME", title: "Time", about: "Waits, holds and idle times.", rules: &[] };
