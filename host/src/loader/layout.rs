//! What abi_stable says, in a sentence.

use std::path::Path;

use abi_stable::library::{AbiHeader, LibraryError, RootModule};
use lockscope_core::backend::{BackendError, BackendModuleRef, ErrorKind};

use crate::error::HostError;

/// The plugin has an abi_stable whose header is another.
pub(super) fn other_stable(path: &Path, found: &AbiHeader) -> HostError {
    let ours = AbiHeader::VALUE;
    let name = |header: &AbiHeader| {
        if header.magic_string == ours.magic_string {
            format!("abi_stable {}.{}", header.abi_major, header.abi_minor)
        } else {
            "something that is not abi_stable".to_owned()
        }
    };
    HostError::PluginStable { path: path.to_owned(), found: name(found), expected: name(&ours) }
}

/// What is wrong with a plugin whose header could be read.
pub(super) fn explain(path: &Path, error: &LibraryError) -> HostError {
    let path = path.to_owned();
    match error {
        LibraryError::IncompatibleVersionNumber { expected_version, actual_version, .. } => {
            HostError::PluginVersion {
                path,
                found: actual_version.to_string(),
                expected: expected_version.to_string(),
            }
        }
        LibraryError::AbiInstability(text) => {
            let (what, expected, found) = last_difference(&text.to_string());
            let version = BackendModuleRef::VERSION_STRINGS.version.as_str();
            HostError::PluginLayout { path, version, what, expected, found }
        }
        other => HostError::PluginFails {
            path,
            what: "export its module",
            source: BackendError::new(ErrorKind::Panic, one_line(&other.to_string())),
        },
    }
}

/// A mismatch is reported with the whole layout of everything; the last block
/// says what differs.
fn last_difference(text: &str) -> (String, String, String) {
    let block = text.rsplit_once("\nError:").map_or(text, |(_, block)| block);
    let (what, rest) = block.split_once("\nExpected:").unwrap_or((block, ""));
    let (expected, found) = rest.split_once("\nFound:").unwrap_or((rest, ""));
    (shortened(what), shortened(expected), shortened(found))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text on one line; if it is long, its beginning.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    let line = one_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_difference_is_kept() {
        let text = "Compared <this>:\n a thousand lines\nError:first\nExpected:\n 1\nFound:\n 2\n\
                    more\nError:too many fields\nExpected:\n    6\nFound:\n    7\n\n";
        let expected = ("too many fields".to_owned(), "6".to_owned(), "7".to_owned());
        assert_eq!(last_difference(text), expected);
    }

    #[test]
    fn a_text_without_blocks_is_shortened() {
        let (what, expected, found) = last_difference(&"word ".repeat(100));
        assert_eq!(what.chars().count(), 121);
        assert_eq!((expected.as_str(), found.as_str()), ("", ""));
    }
}
