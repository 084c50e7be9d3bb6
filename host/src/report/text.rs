//! Text in columns of a terminal.

use unicode_width::UnicodeWidthStr;

const CUT: char = '…';

/// How many columns a terminal gives to `text`.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` without what would move the cursor or change colours: names of locks
/// are the program's, and may hold anything.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a terminal does more than to show it: control characters, line and
/// paragraph separators, and those that change the direction of writing.
fn is_unsafe(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` in at most `room` columns, cut from the left: the end of a path says
/// more than its beginning.
pub(crate) fn cut_left(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    if room == 0 {
        return String::new();
    }
    // Asked of whole pieces, because characters side by side may join; one
    // column is the cut's.
    let fits = |start: &usize| width(&text[*start..]) < room;
    let starts = text.char_indices().rev().map(|(position, _)| position);
    let start = starts.take_while(fits).last().unwrap_or(text.len());
    format!("{CUT}{}", &text[start..])
}

/// `text` in at most `room` columns, cut from the right.
pub(crate) fn cut_right(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    if room == 0 {
        return String::new();
    }
    // As in `cut_left`.
    let fits = |end: &usize| width(&text[..*end]) < room;
    let ends = text.char_indices().map(|(position, _)| position);
    let end = ends.take_while(fits).last().unwrap_or(0);
    format!("{}{CUT}", &text[..end])
}

/// `text` in lines of at most `room` columns; every line but the first begins
/// with `indent` blanks.
pub(crate) fn wrap(text: &str, room: Option<usize>, indent: usize) -> String {
    let Some(room) = room else { return text.to_owned() };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let line = lines.last_mut().expect("there is always a line");
            let is_fresh = line.chars().all(|c| c == ' ');
            let gap = usize::from(!is_fresh);
            if width(line) + gap + width(word) <= room {
                line.push_str(&" ".repeat(gap));
                line.push_str(word);
                break;
            }
            if is_fresh {
                // A word that is longer than a line is broken where it must.
                let fitting = fitting(word, room.saturating_sub(width(line)).max(1));
                line.push_str(&word[..fitting]);
                word = &word[fitting..];
                if word.is_empty() {
                    break;
                }
            }
            lines.push(" ".repeat(indent.min(room / 2)));
        }
    }
    lines.join("\n")
}

/// Bytes of `word` that fit into `room` columns: one character at least.
fn fitting(word: &str, room: usize) -> usize {
    let ends = word.char_indices().map(|(position, character)| position + character.len_utf8());
    let fits = |end: &usize| width(&word[..*end]) <= room;
    let one = word.chars().next().map_or(0, char::len_utf8);
    ends.take_while(fits).last().unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_loses_its_beginning() {
        assert_eq!(cut_left("src/report/table.rs:41", 12), "…table.rs:41");
        assert_eq!(cut_left("src/a.rs:1", 10), "src/a.rs:1");
        assert_eq!(cut_left("src/a.rs:1", 1), "…");
        assert_eq!(cut_left("src/a.rs:1", 0), "");
        // Each of these takes two columns.
        assert_eq!(cut_left("鎖鎖鎖", 4), "…鎖");
    }

    #[test]
    fn a_line_loses_its_end() {
        assert_eq!(cut_right("./indexer --threads 8", 12), "./indexer -…");
        assert_eq!(cut_right("./indexer", 9), "./indexer");
        assert_eq!(cut_right("./indexer", 1), "…");
        assert_eq!(cut_right("./indexer", 0), "");
        assert_eq!(cut_right("鎖鎖鎖", 4), "鎖…");
    }

    #[test]
    fn what_could_move_the_cursor_is_replaced() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn sentences_are_wrapped_and_indented() {
        assert_eq!(wrap("one two three four", Some(9), 2), "one two\n  three\n  four");
        assert_eq!(wrap("one two", None, 2), "one two");
        assert_eq!(wrap("a 1234567890", Some(6), 2), "a\n  1234\n  5678\n  90");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_room(text in "\\PC{0,40}", room in 0..30_usize) {
            let cut = cut_left(&text, room);
            prop_assert!(width(&cut) <= room);
            prop_assert!(text.ends_with(cut.trim_start_matches(CUT)));
            let cut = cut_right(&text, room);
            prop_assert!(width(&cut) <= room);
            prop_assert!(text.starts_with(cut.trim_end_matches(CUT)));
        }

        #[test]
        fn wrapping_loses_nothing_but_blanks(text in "[a-z鎖 ]{0,60}", room in 4..30_usize) {
            let wrapped = wrap(&text, Some(room), 2);
            prop_assert!(wrapped.lines().all(|line| width(line) <= room));
            let dense = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(dense(&wrapped), dense(&text));
        }
    }
}
