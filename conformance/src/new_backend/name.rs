//! What the new backend is called, everywhere it is.

use core::fmt;

use super::NewBackendError;

/// Longer words do not fit into the table of backends.
const LONGEST: usize = 32;

/// Names that a user of lockscope could not tell from something else.
const TAKEN: [(&[&str], &str); 3] = [
    (
        &["wrapper", "sidetable", "adaptive", "lazy"],
        "lockscope has a backend of this name, and the first that is found would hide the other",
    ),
    (
        &[
            "core",
            "backends",
            "host",
            "stacks",
            "symbols",
            "conformance",
            "mutants",
            "demo",
            "benches",
        ],
        "a library of lockscope is called so",
    ),
    (
        &[
            "backend",
            "period",
            "output",
            "flush_interval",
            "plugin_path",
            "strict",
            "include",
            "exclude",
            "control",
            "wake_signal",
            "max_stacks",
            "enabled",
        ],
        "lockscope.toml has a key of this name, where the backend's table would stand",
    ),
];

/// A name that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// Reads a name.
    pub(super) fn parse(name: &str) -> Result<Self, NewBackendError> {
        if let Some(why) = wrong_with(name) {
            let instead = repaired(name);
            return Err(NewBackendError::Name { name: name.to_owned(), why, instead });
        }
        match taken_by(name) {
            Some(what) => Err(NewBackendError::NameTaken { name: name.to_owned(), what }),
            None => Ok(Self(name.to_owned())),
        }
    }

    /// The package's name.
    pub(super) fn package(&self) -> String {
        format!("lockscope-backend-{self}")
    }

    /// What the plugin's file is called.
    pub(super) fn file(&self) -> String {
        format!("liblockscope_{self}.so")
    }

    /// The name as a type's.
    fn camel(&self) -> String {
        let words = self.0.split('_').filter(|word| !word.is_empty());
        words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
    }

    /// A template with the name in it.
    pub(super) fn fill(&self, template: &str) -> String {
        template.replace("__name__", &self.0).replace("__Name__", &self.camel())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

fn wrong_with(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("there is {wrong:?} in it"));
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some("it does not begin with a letter".to_owned());
    }
    (name.len() > LONGEST).then(|| format!("it is longer than {LONGEST} characters"))
}

fn taken_by(name: &str) -> Option<&'static str> {
    TAKEN.iter().find(|(names, _)| names.contains(&name)).map(|(_, what)| *what)
}

/// A name that is as near to this one as can be.
fn repaired(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let allowed: String =
        lower.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(LONGEST).collect();
    let word = allowed.trim_matches(|c: char| c == '_' || c.is_ascii_digit());
    let is_good = wrong_with(word).is_none() && taken_by(word).is_none();
    if is_good { word.to_owned() } else { "hot_locks".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        Name::parse(name).expect_err("it cannot be used").to_string()
    }

    #[test]
    fn a_name_is_filled_in_everywhere() {
        let name = Name::parse("hot_locks2").expect("it can be used");
        assert_eq!(name.package(), "lockscope-backend-hot_locks2");
        assert_eq!(name.file(), "liblockscope_hot_locks2.so");
        assert_eq!(
            name.fill("use lockscope___name__::__Name__Backend;"),
            "use lockscope_hot_locks2::HotLocks2Backend;"
        );
    }

    #[test]
    fn what_cannot_be_a_name_is_told_with_what_can() {
        let end = "choose a word of small letters, digits and '_' that begins with a letter, \
                   such as";
        for (name, why, instead) in [
            ("", "it is empty", "hot_locks"),
            ("Hot-Locks", "there is 'H' in it", "hot_locks"),
            ("hot locks", "there is ' ' in it", "hot_locks"),
            ("../up", "there is '.' in it", "up"),
            ("größe", "there is 'ö' in it", "gr__e"),
            ("2nd", "it does not begin with a letter", "nd"),
            ("Wrapper", "there is 'W' in it", "hot_locks"),
        ] {
            let expected =
                format!("'{name}' cannot be the name of a backend: {why}; {end} '{instead}'");
            assert_eq!(refused(name), expected);
        }
        let long = refused(&"a".repeat(33));
        assert!(long.contains("it is longer than 32 characters"), "{long}");
    }

    #[test]
    fn a_name_that_means_something_else_is_refused() {
        assert_eq!(
            refused("lazy"),
            "'lazy' cannot be the name of a backend: lockscope has a backend of this name, and \
             the first that is found would hide the other; choose another"
        );
        assert_eq!(
            refused("host"),
            "'host' cannot be the name of a backend: a library of lockscope is called so; choose \
             another"
        );
        assert_eq!(
            refused("control"),
            "'control' cannot be the name of a backend: lockscope.toml has a key of this name, \
             where the backend's table would stand; choose another"
        );
    }
}
