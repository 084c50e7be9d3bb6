//! The plugin's entry: the only file with export attributes.

use crate::backend::Lazy;

lockscope_core::export_backend!(Lazy);
