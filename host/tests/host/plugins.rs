//! What is said of a plugin that cannot be used.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use lockscope_host::loader::Plugin;

use crate::support::{folder, lockscope, plugin, plugins, stderr, without};

/// What is said of the plugin at `path`, with its folder left out.
fn message(path: &Path) -> String {
    let error = Plugin::open(path).expect_err("it cannot be used");
    without(&error.to_string(), &[(path.parent().unwrap(), "DIR")])
}

fn written(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("liblockscope_broken.so");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The plugin made for tests, changed at one place of its header.
fn patched(folder: &Path, at: usize, value: u8) -> PathBuf {
    let mut bytes = std::fs::read(plugin("minimal")).unwrap();
    bytes[at] = value;
    written(folder, &bytes)
}

#[test]
fn a_plugin_that_fits_is_described() {
    let plugin = Plugin::open(&plugin("minimal")).unwrap();
    assert_eq!(plugin.description.name, "minimal");
    assert_eq!(plugin.abi_version, "1.0.0");
}

#[test]
fn missing() {
    let dir = folder();
    assert_eq!(
        message(&dir.path().join("liblockscope_none.so")),
        "the plugin DIR/liblockscope_none.so does not exist; check the path, or run `lockscope backends` to see what is there"
    );
}

#[test]
fn unreadable() {
    let dir = folder();
    let path = dir.path().join("liblockscope_broken.so");
    std::fs::create_dir(&path).unwrap();
    assert_eq!(
        message(&path),
        "the plugin DIR/liblockscope_broken.so cannot be read: Is a directory (os error 21); make it a file that the user who runs the program can read"
    );
}

#[test]
fn empty() {
    let dir = folder();
    assert_eq!(
        message(&written(dir.path(), b"")),
        "the plugin DIR/liblockscope_broken.so is an empty file; build or copy it again"
    );
}

#[test]
fn not_elf() {
    let dir = folder();
    assert_eq!(
        message(&written(dir.path(), b"#!/bin/sh\nexit 1\n")),
        "the plugin DIR/liblockscope_broken.so is not a shared library: expected an ELF file, found \"#!/bin/sh\\nexit 1\"; name a file that a crate of type cdylib was built into"
    );
}

#[test]
fn cut_off() {
    let dir = folder();
    assert_eq!(
        message(&written(dir.path(), b"\x7fELF\x02\x01\x01")),
        "the plugin DIR/liblockscope_broken.so is not a shared library: expected an ELF file, found only 7 bytes of one; name a file that a crate of type cdylib was built into"
    );
}

#[cfg(target_arch = "x86_64")]
#[test]
fn another_architecture() {
    let dir = folder();
    let (machine, aarch64) = (18, 183);
    assert_eq!(
        message(&patched(dir.path(), machine, aarch64)),
        "the plugin DIR/liblockscope_broken.so was built for aarch64, this program runs on x86_64; build it for x86_64"
    );
}

#[cfg(target_arch = "x86_64")]
#[test]
fn another_word_size() {
    let dir = folder();
    let (class, bits32) = (4, 1);
    assert_eq!(
        message(&patched(dir.path(), class, bits32)),
        "the plugin DIR/liblockscope_broken.so was built for x86_64 with 32-bit pointers, this program runs on x86_64; build it for x86_64"
    );
}

#[test]
fn an_executable() {
    let dir = folder();
    let (kind, executable) = (16, 2);
    assert_eq!(
        message(&patched(dir.path(), kind, executable)),
        "the plugin DIR/liblockscope_broken.so is an executable, expected a shared library; build it as a crate of type cdylib"
    );
}

#[test]
fn truncated() {
    let dir = folder();
    let bytes = std::fs::read(plugin("minimal")).unwrap();
    let said = message(&written(dir.path(), &bytes[..4096]));
    let expected = said.split(' ').find_map(|word| word.parse::<usize>().ok()).unwrap();
    assert!(4096 < expected && expected <= bytes.len(), "{said}");
    assert_eq!(
        said.replace(&expected.to_string(), "N"),
        "the plugin DIR/liblockscope_broken.so is cut off: its header speaks of N bytes, the file has 4096; build or copy it again"
    );
    let said = message(&written(dir.path(), &bytes[..64]));
    assert!(said.ends_with("the file has 64; build or copy it again"), "{said}");
}

#[test]
fn refused_by_the_linker() {
    // The command is position-independent, and no library for all that.
    let said = message(Path::new(env!("CARGO_BIN_EXE_lockscope")));
    // The middle is the system's.
    let start = "the plugin DIR/lockscope cannot be opened: ";
    let end = "; install what it needs, or build it again on this system";
    assert!(said.starts_with(start) && said.ends_with(end), "{said}");
    assert!(said.len() > start.len() + end.len(), "{said}");
}

#[test]
fn without_the_symbol() {
    // The host's own library is one that is no plugin.
    assert_eq!(
        message(&plugin("host")),
        "DIR/liblockscope_host.so is a shared library and not a lockscope plugin: it does not export the symbol 'lockscope_backend_v1'; write `lockscope_core::export_backend!` in it, or name another file"
    );
}

#[test]
fn another_abi_version() {
    assert_eq!(
        message(&plugin("version")),
        "the plugin DIR/liblockscope_version.so has ABI version 2.0.0, this host speaks 1.0.0; install the plugin's release for ABI version 1.0.0, or the host's for 2.0.0"
    );
}

#[test]
fn a_changed_layout() {
    assert_eq!(
        message(&plugin("layout")),
        "the plugin DIR/liblockscope_layout.so does not have the layout of ABI version 1.0.0 (too many fields: expected 7, found 8); build it with the lockscope-core of this host, unchanged"
    );
}

#[test]
fn another_data_plane() {
    assert_eq!(
        message(&plugin("plane")),
        "the plugin DIR/liblockscope_plane.so was built with another data plane: version: expected 1, found 2, bytes of Event: expected 128, found 144; build it with the lockscope-core of this host"
    );
}

#[test]
fn two_of_one_name_in_one_folder() {
    let dir = folder();
    std::fs::copy(plugin("minimal"), dir.path().join("liblockscope_minimal.so")).unwrap();
    std::fs::copy(plugin("minimal"), dir.path().join("liblockscope_other.so")).unwrap();
    let output = lockscope(dir.path())
        .args(["run", "--strict", "--backend", "minimal", "--plugin-path", ".", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(
        without(&stderr(&output), &[(&dir.path().canonicalize().unwrap(), "DIR")]),
        "lockscope: two plugins in one folder are named 'minimal': DIR/liblockscope_minimal.so and DIR/liblockscope_other.so; neither is used. Remove one of them, or name the file that you mean; the program was not started, because of --strict\n"
    );
}

#[test]
fn a_link_is_not_a_second_plugin() {
    let dir = folder();
    symlink(plugin("minimal"), dir.path().join("liblockscope_minimal.so")).unwrap();
    symlink(plugin("minimal"), dir.path().join("liblockscope_other.so")).unwrap();
    let output = lockscope(dir.path())
        .args(["run", "--strict", "--backend", "minimal", "--plugin-path", ".", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn no_backend_of_the_name() {
    let dir = folder();
    let output = lockscope(dir.path())
        .args(["run", "--strict", "--backend", "minimla", "--plugin-path"])
        .arg(plugins())
        .args(["--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let said = stderr(&output);
    let start = "lockscope: no backend named 'minimla' was found (the flag --backend); did you mean 'minimal'? Searched: ";
    let end = ". Run `lockscope backends` to see what is there, or name the plugin's file; the program was not started, because of --strict\n";
    assert!(said.starts_with(start) && said.ends_with(end), "{said}");
    assert!(said.contains(&format!("{} (the flag --plugin-path)", plugins().display())), "{said}");
}
