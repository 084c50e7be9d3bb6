//! What libraries have in common that are preloaded into programs which nobody
//! rebuilds: the way to the host, and the names of places in the program.
#![cfg(target_os = "linux")]

mod attach;
mod places;

pub use attach::{host, leave_children_alone, open, tell_unprofiled};
pub use places::resolve;
