//! What addresses in a running program are called: file and line, where the program
//! says so, or else the symbol that they stand in.
//!
//! ```
//! let (file, line) = {
//!     let here = lockscope_symbols::place_of(main as *const () as usize + 4);
//!     here.map(|place| (place.file, place.line)).unwrap_or_default()
//! };
//! println!("{file}:{line}");
//! ```

mod functions;
mod module;
mod names;

pub use functions::{Function, each_function};
pub use module::{Module, all_modules, module_of};
pub use names::{Frame, Place, frames_at, place_of};
