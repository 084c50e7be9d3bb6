//! Globs that are matched inside the program's lock operations.

use std::fmt::Write;

/// A text is compared with one `*` after the other, each a call deeper than the
/// one before.
const MOST_STARS: usize = 16;
const MOST_BYTES: usize = 1024;
/// What is expected of a glob that no variable can hold.
const WITHOUT_NUL: &str = "a glob without a character of number 0, which stands in no text";

/// What is expected of a glob that is too long.
const SHORT: &str = "a glob of at most 1024 bytes, with at most 16 stars";
/// What is expected of a glob with an open bracket.
const CLOSED: &str =
    "a glob in which every '[' has its ']', as in queue[0-9] ('[[]' stands for the bracket itself)";

/// `*` is any run of characters, `?` any one, `[a-z]` and `[!a-z]` one of a set
/// or one that is not; all else stands for itself. `**/` at the beginning of a
/// folder's name is any number of folders, elsewhere `**` is as good as `*`.
///
/// Matching neither allocates nor panics. The crate that does it compares
/// characters where they stand; it goes one call deeper per star, and gives up as
/// soon as the last star has tried everything, so that the effort grows with the
/// product of both lengths and not with a power of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(glob::Pattern);

impl Glob {
    /// The glob that is written so; what was expected, if it is none.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let text = with_single_stars(text);
        let stars = atoms(&text).filter(|atom| *atom == "*").count();
        if text.len() > MOST_BYTES || stars > MOST_STARS {
            return Err(SHORT);
        }
        if text.contains('\0') {
            return Err(WITHOUT_NUL);
        }
        glob::Pattern::new(&text).map(Self).map_err(|_| CLOSED)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.matches(text)
    }

    /// Whether the glob is that of a whole path, and not of its end as well: it
    /// begins at the root, or with a star, which is the path's beginning then.
    pub(super) fn is_whole(&self) -> bool {
        self.0.as_str().starts_with(['/', '*'])
    }
}

/// The pieces of a glob: a set with its brackets, or a single character.
pub(super) fn atoms(glob: &str) -> impl Iterator<Item = &str> {
    let mut rest = glob;
    core::iter::from_fn(move || {
        let (atom, after) = rest.split_at(atom_len(rest)?);
        rest = after;
        Some(atom)
    })
}

fn atom_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?.len_utf8();
    let Some(set) = text.strip_prefix('[') else { return Some(first) };
    let members = set.strip_prefix('!').unwrap_or(set);
    // The first member may be a bracket.
    let Some(member) = members.chars().next() else { return Some(first) };
    let searched = text.len() - members.len() + member.len_utf8();
    Some(text[searched..].find(']').map_or(first, |end| searched + end + 1))
}

/// The glob with one star for several, but where they stand for folders.
fn with_single_stars(glob: &str) -> String {
    let mut text = String::new();
    let mut atoms = atoms(glob).peekable();
    while let Some(atom) = atoms.next() {
        let mut stars = usize::from(atom == "*");
        while stars > 0 && atoms.next_if_eq(&"*").is_some() {
            stars += 1;
        }
        let begins = text.is_empty() || text.ends_with('/');
        match stars {
            2.. if begins && atoms.peek() == Some(&"/") => text.push_str("**"),
            _ => text.push_str(atom),
        }
    }
    text
}

/// The patterns of a list as variables have it: between commas. A comma that
/// belongs to a pattern stands in brackets, `[,]`.
pub(crate) fn split_list(list: &str) -> Vec<String> {
    let mut patterns = vec![String::new()];
    for atom in atoms(list) {
        match patterns.last_mut() {
            Some(pattern) if atom != "," => pattern.push_str(atom),
            _ => patterns.push(String::new()),
        }
    }
    let patterns = patterns.iter().map(|pattern| pattern.trim().to_owned());
    patterns.filter(|pattern| !pattern.is_empty()).collect()
}

/// A list from which [`split_list`] makes patterns that match the same.
pub(crate) fn joined<'a>(patterns: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for (position, pattern) in patterns.enumerate() {
        list.push_str(if position == 0 { "" } else { "," });
        for atom in atoms(pattern) {
            let written = if atom == "," { "[,]" } else { atom };
            // Writing to a text cannot fail.
            let _ = list.write_str(written);
        }
    }
    list
}

#[cfg(test)]
mod tests;
