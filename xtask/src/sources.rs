//! The workspace's files, and which lines of them are code that ships.
//!
//! No parser: comments and literals are blanked, which takes a few rules of
//! the language; and rustfmt puts an item's closing brace where its first line
//! begins, and every file here is formatted by it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// A text file of the repository.
#[derive(Debug)]
pub struct Source {
    /// Its path from the workspace's root.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A line of code that ships.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Without comments, and without what stands in its literals.
    pub code: String,
}

/// Every text file that git tracks or would track, as it is in the work tree.
///
/// # Errors
///
/// Git cannot be asked, or a file cannot be read.
pub fn tracked() -> Result<Vec<Source>, Error> {
    let list = Call::new("git").args(["ls-files", "-z", "-co", "--exclude-standard"]).output()?;
    let mut sources = Vec::new();
    for path in String::from_utf8_lossy(&list).split_terminator('\0') {
        match fs::read(metadata::root().join(path)) {
            Ok(bytes) => {
                if let Ok(text) = String::from_utf8(bytes) {
                    sources.push(Source { path: path.to_owned(), text });
                }
            }
            // Deleted, and the deletion not committed yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::File { path: path.into(), source }),
        }
    }
    Ok(sources)
}

/// The Rust files in which something ships: none of folders `tests`, `benches`
/// and `examples`, and no module that is only there for tests or models.
#[must_use]
pub fn shipping(sources: &[Source]) -> Vec<&Source> {
    let rust: Vec<&Source> = sources.iter().filter(|file| file.path.ends_with(".rs")).collect();
    let for_tests: Vec<PathBuf> = rust.iter().flat_map(|file| test_modules(file)).collect();
    let is_for_tests = |path: &Path| {
        path.iter().any(|part| ["tests", "benches", "examples"].iter().any(|name| part == *name))
            || for_tests.iter().any(|module| path.with_extension("").starts_with(module))
    };
    rust.into_iter().filter(|file| !is_for_tests(Path::new(&file.path))).collect()
}

impl Source {
    /// The lines of code outside comments, and outside items for tests or
    /// models.
    #[must_use]
    pub fn shipping_lines(&self) -> Vec<Line> {
        let code = code_of(&self.text);
        let mut lines = Vec::new();
        let mut rest = code.lines().zip(1..);
        while let Some((line, number)) = rest.next() {
            if is_test_mark(line) {
                skip_item(&mut rest, indentation(line));
            } else if !line.trim().is_empty() {
                lines.push(Line { number, code: line.to_owned() });
            }
        }
        lines
    }
}

/// The text without its comments, with all literals of text empty; on as many
/// lines as before.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let Some((len, stands_for)) = comment(rest).or_else(|| literal(rest)) else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        let (blanked, after) = rest.split_at(len);
        code.push_str(stands_for);
        code.extend(blanked.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    code
}

/// The length of the comment that `rest` begins with, and that it is nothing.
fn comment(rest: &str) -> Option<(usize, &'static str)> {
    if rest.starts_with("//") {
        return Some((rest.find('\n').unwrap_or(rest.len()), ""));
    }
    // Nobody nests them.
    let inner = rest.strip_prefix("/*")?;
    Some((inner.find("*/").map_or(rest.len(), |at| at + 4), ""))
}

/// The length of the literal of text that `rest` begins with, and an empty one.
fn literal(rest: &str) -> Option<(usize, &'static str)> {
    if let Some(inner) = rest.strip_prefix('"') {
        return Some((1 + quoted(inner, '"'), "\"\""));
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        // One character and a quote, or an escape; all else is a lifetime.
        let is_char = inner.starts_with('\\') || inner.chars().nth(1) == Some('\'');
        return is_char.then(|| (1 + quoted(inner, '\''), "' '"));
    }
    // An identifier that ends in r is never followed by a quote.
    let fence = rest.strip_prefix('r')?.split('"').next()?;
    if !fence.bytes().all(|byte| byte == b'#') || !rest[1 + fence.len()..].starts_with('"') {
        return None;
    }
    let begin = fence.len() + 2;
    let end = format!("\"{fence}");
    let len = rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len());
    Some((len, "\"\""))
}

/// How far it is to the end of what stands between quotes, the last included.
fn quoted(inner: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = inner.find(|c| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or(inner.len(), |at| at + 1)
}

/// The files, without extension, of modules that a file declares for tests.
fn test_modules(file: &Source) -> Vec<PathBuf> {
    let path = Path::new(&file.path);
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") => path.parent().map(Path::to_owned).unwrap_or_default(),
        _ => path.with_extension(""),
    };
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let marked = lines.windows(2).filter(|pair| is_test_mark(pair[0]));
    let names = marked.filter_map(|pair| pair[1].strip_suffix(';')?.split("mod ").nth(1));
    names.map(|name| folder.join(name)).collect()
}

/// Whether the item that follows is for tests or models.
fn is_test_mark(code: &str) -> bool {
    let code = code.trim();
    let marks = [
        "#[cfg(test)]",
        "#[cfg(all(test,",
        "#[cfg(lockscope_loom)]",
        "#[cfg(lockscope_shuttle)]",
        "#[cfg(any(lockscope_loom, lockscope_shuttle))]",
    ];
    marks.iter().any(|mark| code.starts_with(mark))
}

/// Passes over an item and its attributes; its first line has been read.
fn skip_item<'s>(rest: &mut impl Iterator<Item = (&'s str, usize)>, depth: usize) {
    for (line, _) in rest {
        let end = line.trim_end();
        let is_own = indentation(line) == depth && !end.trim_start().starts_with("#[");
        if is_own && (end.ends_with('}') || end.ends_with(';') || end.ends_with("},")) {
            return;
        }
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether `word` stands in `code` as a word of its own.
#[must_use]
pub fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn what_is_for_tests_does_not_ship() {
        let text = "use a; // b\n\n#[cfg(test)]\nuse c;\nfn d() {}\n#[cfg(all(test, x))]\n\
                    #[allow(y)]\nmod tests {\n    fn e() {\n    }\n}\nfn f() {}\n";
        let file = source("a/src/b.rs", text);
        let line = |number, code: &str| Line { number, code: code.to_owned() };
        let expected = [line(1, "use a; "), line(5, "fn d() {}"), line(12, "fn f() {}")];
        assert_eq!(file.shipping_lines(), expected);
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        for (text, code) in [
            ("a /* b\nc */ d // e\nf", "a \n d \nf"),
            (r#"a("b // \" c", 'd')"#, r#"a("", ' ')"#),
            ("\"a \\\n  b\" c", "\"\"\n c"),
            (r###"r"a\" b br##"c "# d"## e"###, r#""" b b"" e"#),
            (r"'\'' '\\' '\u{a}' '\n' 'ß' a", "' ' ' ' ' ' ' ' ' ' a"),
            ("&'a str + for<'b> 'c: loop", "&'a str + for<'b> 'c: loop"),
            ("r#type or r", "r#type or r"),
            ("\"never closed", "\"\""),
        ] {
            assert_eq!(code_of(text), code, "{text}");
        }
    }

    #[test]
    fn a_module_for_tests_is_known_by_who_declares_it() {
        let files = [
            source(
                "a/src/lib.rs",
                "#[cfg(test)]\nmod models;\nmod b;\n#[cfg(lockscope_loom)]\npub mod c;\n",
            ),
            source("a/src/c.rs", ""),
            source("a/src/models.rs", ""),
            source("a/src/models/one.rs", ""),
            source("a/src/b.rs", "#[cfg(all(test, x))]\npub(crate) mod checks;\n"),
            source("a/src/b/checks.rs", ""),
            source("a/tests/c.rs", ""),
            source("a/README.md", ""),
        ];
        let paths: Vec<_> = shipping(&files).iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a/src/lib.rs", "a/src/b.rs"]);
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(has_word("unsafe { x }", "unsafe") && has_word("(unsafe)", "unsafe"));
        assert!(!has_word("#![forbid(unsafe_code)]", "unsafe") && !has_word("nunsafe", "unsafe"));
    }
}
