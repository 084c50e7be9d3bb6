//! Splitting a text into words.

use lockscope::sync::OnceLock;

/// Which bytes make words, and how long a word may be.
pub(crate) struct Rules {
    in_word: [bool; 256],
    shortest: usize,
    longest: usize,
}

/// Made by the first thread that needs it.
static RULES: OnceLock<Rules> = OnceLock::named("word rules");

/// The rules that all threads go by.
pub(crate) fn rules() -> &'static Rules {
    RULES.get_or_init(|| {
        let mut in_word = [false; 256];
        for byte in 0..=255_u8 {
            // All bytes of a character beyond ASCII belong to a word, so that
            // a word never begins or ends within one.
            in_word[usize::from(byte)] =
                byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        }
        Rules { in_word, shortest: 2, longest: 40 }
    })
}

impl Rules {
    /// The words of `line`, in order.
    pub(crate) fn words<'t>(&self, line: &'t str) -> impl Iterator<Item = &'t str> {
        let is_break = |c: char| c.is_ascii() && !self.in_word[c as usize];
        let lengths = self.shortest..=self.longest;
        line.split(is_break).filter(move |word| lengths.contains(&word.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces that texts are put together from, so that words, breaks and
    /// characters of several bytes meet in all orders.
    const PIECES: [&str; 12] =
        ["a", "Zz", "_", "9", "ß", "日本", " ", "\t", "-", "::", "word", "aaaaaaaaaaaaaaaaaaaa"];

    /// The words of a text, character by character.
    fn naive(text: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for c in text.chars() {
            if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() {
                words.last_mut().expect("never empty").push(c);
            } else {
                words.push(String::new());
            }
        }
        words.retain(|word| (2..=40).contains(&word.len()));
        words
    }

    #[test]
    fn agrees_with_the_naive_splitter_on_any_text() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..random % 24 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(PIECES[(random >> 33) as usize % PIECES.len()]);
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            assert_eq!(rules().words(&text).collect::<Vec<_>>(), naive(&text), "{text:?}");
        }
    }
}
