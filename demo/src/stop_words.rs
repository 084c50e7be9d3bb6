//! Words that are not worth an entry: a table that is mostly read.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use lockscope::sync::RwLock;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Rust,
    English,
}

impl Language {
    /// The language of a file, by its name.
    pub(crate) fn of(file: &Path) -> Self {
        if file.extension().is_some_and(|e| e == "rs") { Self::Rust } else { Self::English }
    }

    fn stop_words(self) -> HashSet<&'static str> {
        let words = match self {
            Self::Rust => {
                "as const crate else enum fn for if impl in let loop match mod mut pub ref \
                 return self Self static struct super trait type unsafe use where while"
            }
            Self::English => {
                "an and are as at be but by for from has have if in is it not of on or that the \
                 their then this to was were which will with you"
            }
        };
        words.split_whitespace().collect()
    }
}

/// The lists of all languages that have been met.
pub(crate) struct StopWords {
    lists: RwLock<HashMap<Language, HashSet<&'static str>>>,
}

impl StopWords {
    /// No list yet.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self { lists: RwLock::named("stop words", HashMap::new()) }
    }

    /// Whether `word` is not worth an entry; reads the language's list in if
    /// this is the first word of that language.
    pub(crate) fn contain(&self, language: Language, word: &str) -> bool {
        let lists = self.lists.read().expect("no reader panics");
        if let Some(list) = lists.get(&language) {
            return list.contains(word);
        }
        drop(lists);
        let mut lists = self.lists.write().expect("no writer panics");
        // Another thread may have been here between the two locks.
        lists.entry(language).or_insert_with(|| language.stop_words()).contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_list() {
        let (rust, english) =
            (Language::of(Path::new("a/b.rs")), Language::of(Path::new("README.md")));
        let stop_words = StopWords::new();
        // Twice: first the list is read in, then it is there.
        for _ in 0..2 {
            assert!(stop_words.contain(rust, "impl") && !stop_words.contain(english, "impl"));
            assert!(stop_words.contain(english, "the") && !stop_words.contain(rust, "the"));
        }
    }
}
