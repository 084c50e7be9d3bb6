//! What call sites are called: by the probe that has named them, and, if a stack
//! leads there, by the functions on it.

use std::collections::HashMap;
use std::path::PathBuf;

use lockscope_core::CallSite;
use lockscope_core::site::SiteInfo;
use lockscope_stacks::{End, Kept, Where};

use super::reporting::number_of;
use crate::report::model::{Frame, Place};
use crate::report::stacks;

/// What was asked for is remembered: a report is made of the same places as the one
/// before.
#[derive(Default)]
pub(super) struct Names {
    /// By the number of the probe, the site, and how many frames are wanted.
    places: HashMap<(u32, usize, u32), Place>,
    /// What was found on stacks, in the order in which it was.
    frames: Vec<Frame>,
    numbers: HashMap<Frame, u32>,
    /// The functions that return to an address in an object.
    functions: HashMap<(PathBuf, u64), Vec<Frame>>,
}

impl Names {
    /// The place of a site, with up to `most` frames of its stack, which are numbered
    /// as in [`Names::frames`].
    pub(super) fn place(&mut self, probe: u32, site: usize, most: u32) -> Option<Place> {
        let key = (probe, site, most);
        if let Some(known) = self.places.get(&key) {
            return Some(known.clone());
        }
        let place = match lockscope_stacks::stack_of(CallSite(site)) {
            Some(kept) => self.on_a_stack(probe, &kept, most as usize)?,
            None => plain(probe, site)?,
        };
        self.places.insert(key, place.clone());
        Some(place)
    }

    /// All frames that stacks have named so far.
    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    fn on_a_stack(&mut self, probe: u32, kept: &Kept, most: usize) -> Option<Place> {
        let place = plain(probe, kept.site.0)?;
        let calls: Vec<Vec<Frame>> = kept.frames.iter().map(|at| self.functions(at)).collect();
        let frames = stacks::of_operation(&place, calls, most, ending(kept.end));
        let stack = frames.into_iter().map(|frame| self.number(frame)).collect();
        Some(Place { stack, ..place })
    }

    /// The functions that return to `at`: those that were inlined, and the one that
    /// they were inlined into.
    fn functions(&mut self, at: &Where) -> Vec<Frame> {
        let Where { address, object } = at;
        let (path, base) = object.clone().unwrap_or_default();
        let place = address.wrapping_sub(base as u64);
        let name = || {
            let found = lockscope_symbols::frames_at(&path, place);
            let object = object_name(&path);
            let outermost = found.len() - 1;
            let frame = |(at, found): (usize, lockscope_symbols::Frame)| {
                let lockscope_symbols::Frame { function, file, line } = found;
                let (object, inlined) = (object.clone(), at < outermost);
                Frame { function, file, line, object, address: *address, inlined }
            };
            found.into_iter().enumerate().map(frame).collect()
        };
        self.functions.entry((path.clone(), *address)).or_insert_with(name).clone()
    }

    fn number(&mut self, frame: Frame) -> u32 {
        if let Some(number) = self.numbers.get(&frame) {
            return *number;
        }
        let number = self.frames.len() as u32;
        self.frames.push(frame.clone());
        self.numbers.insert(frame, number);
        number
    }
}

/// What stands at the outer end of a stack that does not lead to the beginning of its
/// thread.
fn ending(end: End) -> Option<&'static str> {
    match end {
        End::Whole => None,
        End::Deeper => Some(stacks::DEEPER),
        End::Unknown => Some(stacks::UNKNOWN),
    }
}

fn object_name(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() {
        std::env::current_exe().unwrap_or_default().display().to_string()
    } else {
        path.display().to_string()
    }
}

/// What the probe says of the site; its bare address if it knows no more.
fn plain(probe: u32, site: usize) -> Option<Place> {
    if !CallSite(site).is_known() {
        return None;
    }
    let mut info = SiteInfo::UNKNOWN;
    // SAFETY:
    // - the site came from this probe, through a backend or its own records;
    // - `info` is valid for writes.
    let known = number_of(probe)
        .is_some_and(|probe| unsafe { (probe.resolve)(CallSite(site), &raw mut info) });
    // SAFETY: as the probe filled it in.
    let file = known.then(|| unsafe { info.file() }).flatten().unwrap_or_default();
    Some(Place {
        file: file.to_owned(),
        line: info.line,
        column: info.column,
        address: site as u64,
        stack: Vec::new(),
    })
}
