//! The plugin's entry: the only file with export attributes.

use crate::backend::Adaptive;

lockscope_core::export_backend!(Adaptive);
