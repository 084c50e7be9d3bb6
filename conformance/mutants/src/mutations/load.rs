//! What breaks a rule of the family LOAD.

use lockscope_core::backend::DataPlane;
use lockscope_core::sync::{AtomicU32, Ordering};

use crate::{Alter, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "built-with-a-larger-event",
        breaks: "LOAD-01",
        alter: Alter {
            data_plane: |plane| DataPlane { event: plane.event + 16, ..plane },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "table-of-another-version",
        breaks: "LOAD-02",
        alter: Alter { table: |table| table.version += 1, ..Alter::NOTHING },
    },
    Mutation {
        name: "table-of-another-size",
        breaks: "LOAD-02",
        alter: Alter { table: |table| table.size -= 8, ..Alter::NOTHING },
    },
    Mutation {
        name: "described-otherwise-each-time",
        breaks: "LOAD-03",
        alter: Alter {
            describe: |mut description| {
                static TIMES: AtomicU32 = AtomicU32::new(0);
                let times = TIMES.fetch_add(1, Ordering::Relaxed);
                description.summary = format!("described {times} times before").into();
                description
            },
            ..Alter::NOTHING
        },
    },
];
