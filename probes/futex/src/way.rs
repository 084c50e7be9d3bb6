//! From a call of the kernel to the line of the program that has led there.

use lockscope_core::CallSite;
use lockscope_core::event::LockKind;

use crate::map::Map;
use crate::meaning::Meaning;

/// So far the program is looked for: our own frames, those of a lock, and what std has
/// put around it.
const MOST: usize = 40;

/// What has led to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// What is waited for, if it is a wait.
    pub(crate) meaning: Meaning,
    /// Where the program has called the library: or, if nothing else is known, where the
    /// kernel was called.
    pub(crate) site: CallSite,
}

/// The way of the calling thread, whose number is `thread`, to the call that returns to
/// `caller`. A part of whatever calls it.
#[inline(always)]
pub(crate) fn to(map: &Map, caller: usize, thread: u32) -> Way {
    let mut frames = [0; MOST];
    let len = lockscope_stacks::frames(CallSite(caller), thread, &mut frames);
    let frames = &frames[..len];
    let is_found = frames.first() == Some(&(caller as u64));
    along(map, caller, if is_found { frames } else { &[] })
}

/// The way along `frames`, which begin at `caller`; or are none, if the stack could not
/// be read.
fn along(map: &Map, caller: usize, frames: &[u64]) -> Way {
    let mut way = Way { meaning: Meaning::Passes, site: CallSite(caller) };
    let callers = frames.get(1..).unwrap_or_default().iter().map(|frame| *frame as usize);
    for frame in core::iter::once(caller).chain(callers) {
        way.site = CallSite(frame);
        match map.meaning(frame) {
            None => break,
            Some(meaning) if way.meaning == Meaning::Passes => way.meaning = meaning,
            Some(_) => {}
        }
    }
    // Nobody says that it is a lock.
    if way.meaning == Meaning::Passes {
        way.meaning = Meaning::Idle(LockKind::FUTEX);
    }
    way
}
