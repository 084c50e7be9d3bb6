//! What call sites and locks are called.

use std::collections::HashMap;

use lockscope_core::CallSite;
use lockscope_core::site::SiteInfo;
use lockscope_core::sync::{Mutex, PoisonError};
use lockscope_symbols::place_of;

/// What is known already. Asked by the host, in sessions with a filter also from
/// within hooks, so that nothing is looked up twice and no text is left twice.
static KNOWN: Mutex<Option<HashMap<usize, SiteText>>> = Mutex::new(None);

/// Where an address is, in text that stays.
#[derive(Clone, Copy)]
struct SiteText {
    file: Option<&'static str>,
    line: u32,
    column: u32,
}

/// Names a place in the program for [`Probe::resolve`](lockscope_core::Probe::resolve):
/// return addresses, and addresses of locks.
///
/// # Safety
///
/// - `info` is valid for writes.
pub unsafe extern "C" fn resolve(site: CallSite, info: *mut SiteInfo) -> bool {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = *known.get_or_insert_default().entry(site.0).or_insert_with(|| look_up(site.0));
    let Some(file) = found.file else { return false };
    let (line, column) = (found.line, found.column);
    // SAFETY: the caller gave a place for the answer.
    unsafe { info.write(SiteInfo { file: file.as_ptr(), file_len: file.len(), line, column }) };
    true
}

fn look_up(address: usize) -> SiteText {
    let (file, line, column) = place_of(address).map_or((None, 0, 0), |place| {
        (Some(&*Box::leak(place.file.into_boxed_str())), place.line, place.column)
    });
    SiteText { file, line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_at(address: usize) -> Option<(String, u32)> {
        let mut info = SiteInfo::UNKNOWN;
        // SAFETY: there is a place for the answer, whose text stays.
        unsafe {
            resolve(CallSite(address), &raw mut info)
                .then(|| (info.file().unwrap().to_owned(), info.line))
        }
    }

    #[test]
    fn code_has_a_line_whenever_it_is_asked_for() {
        let here = code_has_a_line_whenever_it_is_asked_for as *const () as usize + 8;
        let (file, line) = named_at(here).unwrap();
        assert!(file.ends_with("places.rs") && line > 0, "{file}:{line}");
        assert_eq!(named_at(here), Some((file, line)));
    }

    #[test]
    fn what_is_allocated_has_no_name() {
        assert_eq!(named_at((&raw const *Box::new(5)).addr()), None);
    }
}
