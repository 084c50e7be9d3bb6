//! Stacks, as people read them.
//!
//! What was recorded are the addresses to which calls return, from the lock's own code
//! outwards. What a reader wants to see begins with the function that locks.

use std::borrow::Cow;

use super::model::{Frame, Place, ReportFile};

/// Stands at the outer end of a stack of which more was not kept.
pub(crate) const DEEPER: &str = "(deeper)";
/// Stands at the outer end of a stack of which more could not be found out.
pub(crate) const UNKNOWN: &str = "(not known)";

/// Crates that stand between a program and its locks: their functions are no part of
/// the way to an operation, if they are at its end.
const OF_LOCKS: [&str; 11] = [
    "lockscope",
    "lockscope_core",
    "lockscope_host",
    "lockscope_futex",
    "lockscope_pthread",
    "lock_api",
    "parking_lot",
    "parking_lot_core",
    "core",
    "std",
    "alloc",
];
/// So deep is the operation itself looked for.
const NEAR: usize = 16;

/// The functions that have led to an operation at `place`, of what is known of the
/// stack: first, for each call, those that were inlined into one another, the
/// innermost first; then, if it is not whole, why. Up to `most` calls.
pub(crate) fn of_operation(
    place: &Place,
    calls: Vec<Vec<Frame>>,
    most: usize,
    ending: Option<&str>,
) -> Vec<Frame> {
    let mut frames: Vec<Frame> = calls.into_iter().flatten().collect();
    for frame in &mut frames {
        frame.function = without_brackets(&frame.function).into_owned();
    }
    // Where nothing has a name, nothing is known to be the lock's.
    let own = frames.iter().take_while(|frame| is_of_locks(&frame.function)).count();
    if own < frames.len() {
        frames.drain(..own);
    }
    begin_at(place, &mut frames);
    let len = length(&frames, most);
    let ending = if len < frames.len() { Some(DEEPER) } else { ending };
    frames.truncate(len);
    frames.extend(ending.map(|function| Frame {
        function: function.to_owned(),
        file: String::new(),
        line: 0,
        object: String::new(),
        address: 0,
        inlined: false,
    }));
    frames
}

/// A method by its type, without the brackets that Rust's symbols have around that, and
/// without the trait that it may be of: viewers take brackets for those of C++'s
/// templates, and leave out what is in them.
fn without_brackets(function: &str) -> Cow<'_, str> {
    let bare = || {
        let inner = function.strip_prefix('<')?;
        let (mut depth, mut of_trait) = (1_u32, None);
        let close = inner.char_indices().find_map(|(at, character)| {
            match character {
                '<' => depth += 1,
                // Not that of an arrow.
                '>' if !inner[..at].ends_with('-') => depth -= 1,
                ' ' if depth == 1 && inner[at..].starts_with(" as ") => of_trait = Some(at),
                _ => {}
            }
            (depth == 0).then_some(at)
        })?;
        let rest = &inner[close + 1..];
        let type_name = &inner[..of_trait.unwrap_or(close)];
        rest.starts_with("::").then(|| format!("{type_name}{rest}"))
    };
    bare().map_or(Cow::Borrowed(function), Cow::Owned)
}

/// Whether a function stands between a program and its locks.
fn is_of_locks(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&', '*', '(', '[']);
    path.split_once("::").is_some_and(|(name, _)| OF_LOCKS.contains(&name))
}

/// Has the first frame say where the operation stands.
///
/// The probe knows that exactly. A stack may say it less so: the program may have no
/// lines, or name another one of a call that has several.
fn begin_at(place: &Place, frames: &mut Vec<Frame>) {
    if place.line == 0 {
        // A symbol, which the first frame is of: the site is where its call returns to.
        return;
    }
    let is_it = |frame: &Frame| frame.line == place.line && is_same_file(&frame.file, &place.file);
    if let Some(at) = frames.iter().take(NEAR).position(is_it) {
        // What is within it belongs to a library: a guard's constructor, or a function
        // that says of itself who has called it.
        frames.drain(..at);
        return;
    }
    match frames.first_mut() {
        Some(first) if first.file.is_empty() || is_same_file(&first.file, &place.file) => {
            if first.file.is_empty() {
                first.file.clone_from(&place.file);
            }
            first.line = place.line;
        }
        _ => frames.insert(
            0,
            Frame {
                function: place.label(),
                file: place.file.clone(),
                line: place.line,
                object: String::new(),
                address: 0,
                inlined: false,
            },
        ),
    }
}

/// Whether two paths are of one file, of which one may be seen from a folder.
fn is_same_file(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() < other.len() { (other, one) } else { (one, other) };
    let before = long.strip_suffix(short.trim_start_matches("./"));
    !short.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// How many frames `most` calls have: those that were inlined into one another are of
/// one call.
fn length(frames: &[Frame], most: usize) -> usize {
    let mut calls = 0;
    frames
        .iter()
        .take_while(|frame| {
            let is_wanted = calls < most;
            calls += usize::from(!frame.inlined);
            is_wanted
        })
        .count()
}

/// Gives `file` those of `all` frames that its places name, numbered in the order in
/// which they do.
pub(crate) fn complete(file: &mut ReportFile, all: &[Frame]) {
    let mut numbers: Vec<Option<u32>> = vec![None; all.len()];
    let mut frames = Vec::new();
    let mut renumber = |place: &mut Option<Place>| {
        let stack = place.iter_mut().flat_map(|place| &mut place.stack);
        for number in stack {
            let known = &mut numbers[*number as usize];
            *number = *known.get_or_insert_with(|| {
                frames.push(all[*number as usize].clone());
                frames.len() as u32 - 1
            });
        }
    };
    for lock in &mut file.locks {
        lock.sites.iter_mut().for_each(|site| renumber(&mut site.place));
        for blame in &mut lock.blame {
            renumber(&mut blame.holder);
            renumber(&mut blame.waiter);
        }
    }
    file.pending.iter_mut().for_each(|pending| renumber(&mut pending.place));
    file.frames = frames;
}

impl ReportFile {
    /// The functions that have led to a place, from the one that it is in to the one
    /// that its thread began with; none if that was not recorded. A number that the
    /// file does not have is passed by.
    pub fn stack<'a>(&'a self, place: &'a Place) -> impl DoubleEndedIterator<Item = &'a Frame> {
        place.stack.iter().filter_map(|number| self.frames.get(*number as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{blame, empty, lock, place, site};
    use super::*;

    fn frame(function: &str, file: &str, line: u32, address: u64) -> Frame {
        let (function, file) = (function.to_owned(), file.to_owned());
        Frame { function, file, line, object: "/bin/app".to_owned(), address, inlined: false }
    }

    fn inlined(function: &str, file: &str, line: u32, address: u64) -> Frame {
        Frame { inlined: true, ..frame(function, file, line, address) }
    }

    fn shown(frames: &[Frame]) -> Vec<String> {
        let text = |frame: &Frame| format!("{} {}:{}", frame.function, frame.file, frame.line);
        frames.iter().map(text).collect()
    }

    fn calls() -> Vec<Vec<Frame>> {
        vec![
            vec![frame("lockscope_core::recorder::stack", "/src/recorder.rs", 9, 1)],
            vec![
                inlined("<lockscope::sync::Mutex<T>>::lock", "/src/mutex.rs", 7, 2),
                frame("index::add", "/usr/src/app/src/index.rs", 85, 2),
            ],
            vec![frame("worker", "/usr/src/app/src/worker.rs", 20, 3)],
            vec![frame("std::thread::start", "/rust/thread.rs", 1, 4)],
        ]
    }

    #[test]
    fn a_stack_begins_where_the_operation_stands() {
        let frames = of_operation(&place("src/index.rs", 85), calls(), 64, None);
        assert_eq!(
            shown(&frames),
            [
                "index::add /usr/src/app/src/index.rs:85",
                "worker /usr/src/app/src/worker.rs:20",
                "std::thread::start /rust/thread.rs:1"
            ]
        );
    }

    #[test]
    fn the_probe_knows_the_line_better() {
        let first = |at: Place, calls| shown(&of_operation(&at, calls, 64, None)).swap_remove(0);
        assert_eq!(
            first(place("src/index.rs", 83), calls()),
            "index::add /usr/src/app/src/index.rs:83",
            "a call of several lines"
        );
        // A function that says of itself who has called it.
        assert_eq!(
            first(place("src/worker.rs", 20), calls()),
            "worker /usr/src/app/src/worker.rs:20"
        );
        assert_eq!(
            first(place("src/other.rs", 5), calls()),
            "src/other.rs:5 src/other.rs:5",
            "of which the stack knows nothing"
        );
        let without_lines = vec![vec![frame("index::add", "", 0, 1)]];
        assert_eq!(first(place("src/index.rs", 83), without_lines), "index::add src/index.rs:83");
        let symbol = place("add+0x12 (app)", 0);
        let frames = of_operation(&symbol, vec![vec![frame("add", "", 0, 1)]], 64, None);
        assert_eq!(shown(&frames), ["add :0"]);
    }

    #[test]
    fn a_stack_says_why_it_ends() {
        let at = place("src/index.rs", 85);
        let last =
            |most, ending| shown(&of_operation(&at, calls(), most, ending)).pop().expect("a frame");
        assert_eq!(last(3, None), "std::thread::start /rust/thread.rs:1");
        assert_eq!(last(2, None), "(deeper) :0");
        assert_eq!(last(2, Some(UNKNOWN)), "(deeper) :0");
        assert_eq!(last(3, Some(UNKNOWN)), "(not known) :0");
    }

    #[test]
    fn a_function_that_calls_itself_is_so_many_calls() {
        let again = || vec![inlined("index::step", "", 0, 7), frame("index::add", "", 0, 7)];
        let calls = (0..5).map(|_| again()).collect();
        let frames = of_operation(&place("app+0x12", 0), calls, 3, None);
        assert_eq!(frames.len(), 3 * 2 + 1, "{frames:?}");
    }

    #[test]
    fn what_has_no_names_is_kept_whole() {
        let calls = vec![vec![frame("std::sync::lock", "", 0, 1)]];
        let frames = of_operation(&place("app+0x12", 0), calls, 64, None);
        assert_eq!(shown(&frames), ["std::sync::lock :0"]);
        assert_eq!(of_operation(&place("app+0x12", 0), Vec::new(), 64, None), []);
    }

    #[test]
    fn functions_of_locks() {
        for own in [
            "lock_api::mutex::Mutex<R,T>::lock",
            "<lockscope::a::B as lock_api::C>::d",
            "<&std::x>::y",
        ] {
            assert!(is_of_locks(own), "{own}");
        }
        for other in ["lockscope_demo::run", "main", "stdlike::x", "<app::std::A>::b"] {
            assert!(!is_of_locks(other), "{other}");
        }
    }

    #[test]
    fn methods_without_brackets() {
        for (symbol, shown) in [
            ("<app::Store>::add", "app::Store::add"),
            ("<app::Map<u8, fn() -> u8>>::get::<u8>", "app::Map<u8, fn() -> u8>::get::<u8>"),
            ("<app::Store as app::Kept>::keep", "app::Store::keep"),
            (
                "<app::Box<<u8 as app::A>::B> as app::Kept>::keep",
                "app::Box<<u8 as app::A>::B>::keep",
            ),
            ("store<int>(int)", "store<int>(int)"),
            ("<app", "<app"),
            ("main", "main"),
        ] {
            assert_eq!(without_brackets(symbol), shown);
        }
    }

    #[test]
    fn one_file_by_two_names() {
        assert!(is_same_file("/usr/src/app/src/index.rs", "src/index.rs"));
        assert!(is_same_file("./src/index.rs", "/usr/src/app/src/index.rs"));
        assert!(!is_same_file("/usr/src/app/other_src/index.rs", "src/index.rs"));
        assert!(!is_same_file("", "src/index.rs"));
    }

    #[test]
    fn a_file_has_the_frames_that_it_names() {
        let all = [0, 1, 2, 3].map(|at| frame(&format!("f{at}"), "", 0, at));
        let with = |stack: &[u32]| Place { stack: stack.to_vec(), ..place("a.rs", 1) };
        let mut file = empty();
        file.locks = vec![lock(1, "mutex")];
        file.locks[0].sites = vec![site(with(&[3, 1]), "write")];
        file.locks[0].blame = vec![blame(Some(place("b.rs", 2)), Some(with(&[3, 1])), 5.0)];
        complete(&mut file, &all);
        assert_eq!(file.frames, [all[3].clone(), all[1].clone()]);
        let at = file.locks[0].sites[0].place.as_ref().expect("a place");
        assert_eq!(at.stack, [0, 1]);
        assert_eq!(file.locks[0].blame[0].waiter.as_ref(), Some(at));
        let functions: Vec<_> = file.stack(at).map(|frame| &*frame.function).collect();
        assert_eq!(functions, ["f3", "f1"]);
    }
}
