//! From a call of the kernel to the line of the program that has led there.

use lockscope_core::CallSite;
use lockscope_core::event::LockKind;

use crate::map::Map;
use crate::meaning::{Meaning, Purpose};

/// So far the program is looked for: our own frames, those of a lock, and what std has
/// put around it.
const MOST: usize = 40;

/// What has led to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// What is waited for, if it is a wait.
    pub(crate) purpose: Purpose,
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
    let (mut purpose, mut site) = (None, CallSite(caller));
    let callers = frames.get(1..).unwrap_or_default().iter().map(|frame| *frame as usize);
    for frame in core::iter::once(caller).chain(callers) {
        site = CallSite(frame);
        match map.meaning(frame) {
            None => break,
            Some(Meaning::Passes) => {}
            Some(Meaning::Waits(its)) => purpose = purpose.or(Some(its)),
        }
    }
    // Nobody says that it is a lock.
    Way { purpose: purpose.unwrap_or(Purpose::Work(LockKind::FUTEX)), site }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_that_waits_says_for_what_and_the_program_where() {
        let [condvar, once] = [LockKind::CONDVAR, LockKind::ONCE].map(Purpose::Work);
        let map = Map::of(vec![
            (100..200, Meaning::Passes),
            (200..300, Meaning::Waits(condvar)),
            (300..400, Meaning::Waits(once)),
        ]);
        for (frames, purpose, site) in [
            (&[150, 250, 350, 950, 960][..], condvar, 950),
            (&[350, 250, 150], once, 150),
            (&[150, 160, 950], Purpose::Work(LockKind::FUTEX), 950),
            (&[950, 250], Purpose::Work(LockKind::FUTEX), 950),
        ] {
            let way = along(&map, frames[0] as usize, frames);
            assert_eq!((way.purpose, way.site), (purpose, CallSite(site)), "{frames:?}");
        }
        let unread = along(&map, 250, &[]);
        assert_eq!((unread.purpose, unread.site), (condvar, CallSite(250)));
    }
}
