//! The plugin's entry: the only file with export attributes.

use crate::backend::Sidetable;

lockscope_core::export_backend!(Sidetable);
