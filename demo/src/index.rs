//! The index: where each word stands. In one map, or in parts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use lockscope::sync::Mutex;

use crate::words;

/// How many parts a sharded index has: a power of two, several times the
/// threads that anyone runs this with.
const SHARDS: usize = 16;

/// How the index is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    OneMap,
    Sharded,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneMap => write!(f, "one map"),
            Self::Sharded => write!(f, "{SHARDS} shards"),
        }
    }
}

/// A place where a word stands.
#[derive(Clone, Copy)]
pub(crate) struct Posting {
    pub(crate) file: u32,
    pub(crate) line: u32,
}

type Words = HashMap<String, Vec<Posting>>;

/// Word → postings, filled by several threads.
pub(crate) enum Index {
    OneMap(Mutex<Words>),
    Sharded(Box<[Mutex<Words>; SHARDS]>),
}

impl Index {
    /// An empty index.
    pub(crate) fn new(layout: Layout) -> Self {
        match layout {
            Layout::OneMap => Self::OneMap(Mutex::named("word index", Words::new())),
            Layout::Sharded => {
                let shards = [(); SHARDS].map(|()| Mutex::named("index shard", Words::new()));
                Self::Sharded(Box::new(shards))
            }
        }
    }

    /// Enters those words of a file that are `worth` it, and counts them.
    pub(crate) fn enter(&self, file: u32, text: &str, worth: impl Fn(&str) -> bool) -> usize {
        let lines = (1..).zip(text.lines()).map(|(line, text)| (Posting { file, line }, text));
        match self {
            Self::OneMap(map) => lines.map(|(at, text)| enter_line(map, at, text, &worth)).sum(),
            Self::Sharded(shards) => enter_batch(shards, file as usize, lines, worth),
        }
    }

    /// Every word with its postings, once nobody enters any more.
    pub(crate) fn for_each(self, mut each: impl FnMut(&str, &[Posting])) {
        let maps = match self {
            Self::OneMap(map) => vec![map],
            Self::Sharded(shards) => Vec::from(*shards),
        };
        for map in maps {
            for (word, postings) in map.into_inner().expect("no thread panicked") {
                each(&word, &postings);
            }
        }
    }
}

/// The slow way, and the reason why this program is worth a profile: the lock
/// is taken for each line, and held while the line is split, and its words are
/// looked up, folded and copied. None of that needs the map.
fn enter_line(map: &Mutex<Words>, at: Posting, text: &str, worth: &impl Fn(&str) -> bool) -> usize {
    let mut map = map.lock().expect("no thread panics with the index");
    let words = words::rules().words(text).filter(|word| worth(word));
    words.map(|word| map.entry(word.to_lowercase()).or_default().push(at)).count()
}

/// The quick way: a thread gathers a file's words before it takes any lock, then
/// takes each shard's lock once, and copies only words that are new there.
fn enter_batch<'t>(
    shards: &[Mutex<Words>; SHARDS],
    first_shard: usize,
    lines: impl Iterator<Item = (Posting, &'t str)>,
    worth: impl Fn(&str) -> bool,
) -> usize {
    let mut batches: [Vec<(Cow<'t, str>, Posting)>; SHARDS] = Default::default();
    for (at, text) in lines {
        for word in words::rules().words(text).filter(|word| worth(word)) {
            let word = fold(word);
            batches[hash(&word) as usize % SHARDS].push((word, at));
        }
    }
    // Each file begins at another shard: threads that walk in one order follow
    // each other from lock to lock.
    let walk = (0..SHARDS).map(|step| (first_shard + step) % SHARDS);
    for (shard, batch) in walk.map(|at| (&shards[at], &batches[at])) {
        if batch.is_empty() {
            continue;
        }
        let mut shard = shard.lock().expect("no thread panics with a shard");
        for (word, at) in batch {
            match shard.get_mut(&**word) {
                Some(postings) => postings.push(*at),
                None => drop(shard.insert(word.to_string(), vec![*at])),
            }
        }
    }
    batches.iter().map(Vec::len).sum()
}

/// The word in lower case; most words are already.
fn fold(word: &str) -> Cow<'_, str> {
    let is_folded = word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_folded { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

/// FNV-1a: the same in every run, unlike the standard library's.
pub(crate) fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
