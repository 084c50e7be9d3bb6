//! The module that a source file is, by where it stands.

/// Bytes that are kept: what does not fit is cut between two modules.
const LONGEST: usize = 512;
/// The folder of a package's modules.
const SOURCES: &str = "src";
/// Folders of a package with programs of their own.
const PROGRAMS: [&str; 3] = ["tests", "examples", "benches"];
/// Stands for a package whose folder is not in the path, as in `src/main.rs`.
const UNNAMED: &str = "crate";
/// Files that are the module of their folder.
const FOLDERS_OWN: [&str; 3] = ["mod", "lib", "main"];

/// A module's path, as in `rayon_core::registry`; on the stack, because it is
/// made inside the program's lock operations.
pub(super) struct ModulePath {
    text: [u8; LONGEST],
    len: usize,
}

impl ModulePath {
    /// The module that the source `file` is: the package's folder, without the
    /// version that a registry gives it, and the folders and file below `src`.
    /// `None` if it is in no package's folder of sources, or in one with a name
    /// that is too long.
    ///
    /// `tests`, `examples` and `benches` are folders of sources as well; their
    /// name is part of the path.
    pub(super) fn of(file: &str) -> Option<Self> {
        let (before, modules) = match split(file, SOURCES) {
            Some((before, from)) => (before, &file[from + SOURCES.len() + 1..]),
            None => {
                let found = PROGRAMS.iter().filter_map(|folder| split(file, folder));
                let (before, from) = found.max_by_key(|(_, from)| *from)?;
                (before, &file[from..])
            }
        };
        let mut path = Self { text: [0; LONGEST], len: 0 };
        let mut fits = path.push(package(before));
        if !fits {
            return None;
        }
        let mut modules = modules.split('/').peekable();
        while let Some(module) = modules.next().filter(|_| fits) {
            let is_file = modules.peek().is_none();
            let name = if is_file { module.strip_suffix(".rs").unwrap_or(module) } else { module };
            let is_folders_own = is_file && FOLDERS_OWN.contains(&name);
            fits = is_folders_own || name.is_empty() || path.push(name);
        }
        Some(path)
    }

    /// Whether there was room for the component.
    fn push(&mut self, component: &str) -> bool {
        let separator = if self.len == 0 { "" } else { "::" };
        let end = self.len + separator.len() + component.len();
        let Some(room) = self.text.get_mut(self.len..end) else { return false };
        let bytes = separator.bytes().chain(component.bytes());
        for (place, byte) in room.iter_mut().zip(bytes) {
            *place = if byte == b'-' { b'_' } else { byte };
        }
        self.len = end;
        true
    }

    fn as_str(&self) -> &str {
        // Whole components of a text make a text.
        core::str::from_utf8(&self.text[..self.len]).unwrap_or_default()
    }

    /// The module, and all that it is in.
    pub(super) fn ancestry(&self) -> impl Iterator<Item = &str> {
        let path = self.as_str();
        let parents = path.match_indices("::").map(|(end, _)| &path[..end]);
        parents.chain([path])
    }
}

/// Where the last folder of this name begins, and what stands before it.
fn split<'a>(file: &'a str, folder: &str) -> Option<(&'a str, usize)> {
    let is_one = |from: usize| {
        let (before, after) = (&file[..from], &file[from + folder.len()..]);
        (before.is_empty() || before.ends_with('/')) && after.starts_with('/')
    };
    let found = file.rmatch_indices(folder).find(|(from, _)| is_one(*from));
    found.map(|(from, _)| (&file[..from], from))
}

/// The package in whose folder, which ends in `/`, sources are.
fn package(folder: &str) -> &str {
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match without_version(name) {
        "" | "." | ".." => UNNAMED,
        name => name,
    }
}

/// `rayon-core` of `rayon-core-1.12.1`.
fn without_version(name: &str) -> &str {
    let mut dashes = name.match_indices('-');
    dashes.find(|(at, _)| is_version(&name[at + 1..])).map_or(name, |(at, _)| &name[..at])
}

/// Whether it begins with three numbers: <https://semver.org>.
fn is_version(text: &str) -> bool {
    let mut numbers = text.splitn(3, '.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(numbers.next())
        && is_number(numbers.next())
        && numbers.next().is_some_and(|last| last.starts_with(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> String {
        ModulePath::of(file).map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned())
    }

    #[test]
    fn a_module_is_where_its_file_stands() {
        for (file, module) in [
            ("demo/src/index.rs", "demo::index"),
            ("demo/src/main.rs", "demo"),
            ("demo/src/lib.rs", "demo"),
            ("demo/src/index/mod.rs", "demo::index"),
            ("demo/src/index/words.rs", "demo::index::words"),
            ("demo/src/bin/tool.rs", "demo::bin::tool"),
            ("crates/my-app/src/a.rs", "my_app::a"),
            ("/x/registry/src/index-0f/rayon-core-1.12.1/src/registry.rs", "rayon_core::registry"),
            ("/x/registry/src/index-0f/sha-1-0.10.0/src/lib.rs", "sha_1"),
            ("/x/wasi-0.11.0+wasi-snapshot-preview1/src/lib.rs", "wasi"),
            ("/x/odd-1.0.0-rc.1/src/lib.rs", "odd"),
            ("/x/odd-1.0/src/lib.rs", "odd_1.0"),
            ("/rustc/0123/library/std/src/sync/once.rs", "std::sync::once"),
            ("src/index.rs", "crate::index"),
            ("./src/index.rs", "crate::index"),
            ("/src/index.rs", "crate::index"),
            ("../src/main.rs", "crate"),
            ("host/tests/host/locks.rs", "host::tests::host::locks"),
            ("tests/all.rs", "crate::tests::all"),
            ("host/tests/plugins/layout/src/lib.rs", "layout"),
            ("host/src/config/tests/messages.rs", "host::config::tests::messages"),
            ("a/tests/b/examples/c.rs", "b::examples::c"),
            ("a/src//b.rs", "a::b"),
            ("a/src/mod/b.rs", "a::mod::b"),
            ("a/src/b", "a::b"),
            ("a/srcs/b.rs", "none"),
            ("a/src", "none"),
            ("src.rs", "none"),
            ("build.rs", "none"),
            ("", "none"),
        ] {
            assert_eq!(of(file), module, "{file}");
        }
    }

    #[test]
    fn a_path_without_end_is_cut_between_modules() {
        let deep = format!("demo/src/{}/index.rs", vec!["übung"; 200].join("/"));
        let module = of(&deep);
        assert!(module.len() <= LONGEST && module.len() > LONGEST - 10, "{}", module.len());
        assert!(module.starts_with("demo::übung::") && module.ends_with("::übung"), "{module}");
        assert_eq!(of(&format!("{}/src/a.rs", "x".repeat(LONGEST + 1))), "none");
    }

    #[test]
    fn a_module_is_in_all_that_it_is_below() {
        let path = ModulePath::of("demo/src/index/words.rs").unwrap();
        let ancestry: Vec<&str> = path.ancestry().collect();
        assert_eq!(ancestry, ["demo", "demo::index", "demo::index::words"]);
    }
}
