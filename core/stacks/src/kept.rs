//! What is told of stacks.

use std::path::PathBuf;

use lockscope_core::CallSite;

/// Why a stack ends where it does. A part of what makes two stacks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The thread began there.
    Whole,
    /// So many frames were asked for, and there are more.
    Deeper,
    /// How it goes on is not known: code without tables, or that no object holds.
    Unknown,
}

/// Operations that were recorded without their stacks, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// There was no room for one more stack.
    pub refused: u64,
    /// The stack could not be read, or all caches were in use.
    pub unreadable: u64,
}

/// A stack that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where the operation stands, as its probe names places.
    pub site: CallSite,
    /// From the innermost to the outermost.
    pub frames: Vec<Where>,
    /// Why it ends there.
    pub end: End,
}

/// Where a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    /// The address that the frame's call returns to.
    pub address: u64,
    /// The file of its object, empty for the program itself, and what is to be
    /// subtracted from the address to find it there. Nothing if no object held it.
    pub object: Option<(PathBuf, usize)>,
}
