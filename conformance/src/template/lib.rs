//! The backend *__name__*: say here in a sentence what it is for.
//!
//! | file | what | change it for |
//! |---|---|---|
//! | `policy.rs` | which operations are sampled | another way to choose |
//! | `state.rs` | what is kept of a lock, and where | other numbers |
//! | `settings.rs` | the configuration keys | more of them |
//! | `backend.rs` | the contract: who calls what, and when | rarely |
//! | `plugin.rs` | what the host looks for | never |

mod backend;
mod plugin;
mod policy;
mod settings;
mod state;

pub use backend::__Name__Backend;
