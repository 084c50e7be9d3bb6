//! The threads, and what they have done at the end.

use std::fs;
use std::path::PathBuf;
use std::thread;

use lockscope::sync::Mutex;

use crate::index::{self, Index, Layout};
use crate::queue::{Job, Queue};
use crate::stop_words::{Language, StopWords};

/// What has been done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) files: usize,
    pub(crate) words: usize,
    pub(crate) unreadable: usize,
}

/// What came out; the same for any number of threads and either layout.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) totals: Totals,
    pub(crate) distinct: usize,
    /// Over all words and postings, in whatever order they were entered.
    pub(crate) checksum: u64,
}

/// What the threads share.
struct Shared {
    queue: Queue,
    stop_words: StopWords,
    index: Index,
    totals: Mutex<Totals>,
}

/// Indexes `files` by `threads` threads.
pub(crate) fn index(files: &[PathBuf], threads: usize, layout: Layout) -> Outcome {
    let shared = Shared {
        queue: Queue::new(),
        stop_words: StopWords::new(),
        index: Index::new(layout),
        totals: Mutex::new(Totals::default()),
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope
                .spawn(|| while shared.queue.pop().map(|job| shared.index_file(&job)).is_some() {});
        }
        for (number, file) in (0..).zip(files) {
            shared.queue.push(Job { number, file: file.clone() });
        }
        shared.queue.complete();
    });
    shared.outcome()
}

impl Shared {
    fn index_file(&self, job: &Job) {
        let Ok(bytes) = fs::read(&job.file) else {
            self.totals.lock().expect("nobody panics with the totals").unreadable += 1;
            return;
        };
        let (text, language) = (String::from_utf8_lossy(&bytes), Language::of(&job.file));
        let worth = |word: &str| !self.stop_words.contain(language, word);
        let entered = self.index.enter(job.number, &text, worth);
        let mut totals = self.totals.lock().expect("nobody panics with the totals");
        totals.files += 1;
        totals.words += entered;
    }

    fn outcome(self) -> Outcome {
        let (mut distinct, mut checksum) = (0, 0_u64);
        self.index.for_each(|word, postings| {
            distinct += 1;
            let word = index::hash(word);
            for posting in postings {
                let place = (u64::from(posting.file) << 32) | u64::from(posting.line);
                // Added up, since threads enter in any order; multiplied, so
                // that a place that moves from one word to another shows.
                checksum = checksum.wrapping_add((word ^ place).wrapping_mul(word | 1));
            }
        });
        let totals = self.totals.into_inner().expect("no thread panicked");
        Outcome { totals, distinct, checksum }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::corpus::{self, Limits};

    fn own_sources() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let limits = Limits { files: usize::MAX, bytes: u64::MAX, at_least: 0 };
        corpus::collect(&[folder], &limits).expect("own sources")
    }

    #[test]
    fn layout_and_number_of_threads_change_nothing() {
        let files = own_sources();
        let expected = index(&files, 1, Layout::OneMap);
        assert_eq!(expected.totals.files, files.len());
        assert!(expected.totals.words > expected.distinct && expected.distinct > 100);
        for threads in 1..=4 {
            for layout in [Layout::OneMap, Layout::Sharded] {
                assert_eq!(index(&files, threads, layout), expected, "{threads} {layout:?}");
            }
        }
    }

    #[test]
    fn the_checksum_tells_texts_apart() {
        let mut files = own_sources();
        let forth = index(&files, 2, Layout::Sharded);
        files.reverse();
        let back = index(&files, 2, Layout::Sharded);
        assert_eq!(forth.distinct, back.distinct);
        assert_ne!(forth.checksum, back.checksum, "the files' numbers belong to it");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_counted() {
        let missing = Path::new("no/such/file.rs").to_owned();
        let outcome = index(&[missing], 2, Layout::OneMap);
        let totals = Totals { unreadable: 1, ..Totals::default() };
        assert_eq!(outcome, Outcome { totals, distinct: 0, checksum: 0 });
    }
}
