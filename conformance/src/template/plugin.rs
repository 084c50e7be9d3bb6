//! The plugin's entry: the only file with export attributes.

use crate::backend::__Name__Backend;

lockscope_core::export_backend!(__Name__Backend);
