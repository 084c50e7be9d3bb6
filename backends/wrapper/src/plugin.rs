//! The plugin's entry: the only file with export attributes.

use crate::backend::Wrapper;

lockscope_core::export_backend!(Wrapper);
