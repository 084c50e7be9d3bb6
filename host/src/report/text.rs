//! Text in columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const CUT: char = '…';

/// How many columns a terminal gives to `text`.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` without what would move the cursor or change colours: names of locks
/// are the program's, and may hold anything.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
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
    let mut start = text.len();
    let mut used = 1;
    for (position, character) in text.char_indices().rev() {
        used += character.width().unwrap_or(0);
        if used > room {
            break;
        }
        start = position;
    }
    format!("{CUT}{}", &text[start..])
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
    let mut used = 0;
    for (position, character) in word.char_indices() {
        used += character.width().unwrap_or(0);
        if used > room && position > 0 {
            return position;
        }
    }
    word.len()
}
