//! The manifest of the new crate.

use super::name::Name;
use super::place::Place;

/// What it says, by whose and where the crate is.
pub(super) struct Manifest<'a> {
    pub(super) name: &'a Name,
    pub(super) place: &'a Place,
}

/// The same for all crates.
const LIB: &str = r#"
[lib]
name = "lockscope___name__"
# The plugin, and what its own tests take.
crate-type = ["cdylib", "rlib"]
"#;

/// The profiled program must survive a backend that panics.
const PROFILE: &str = r#"
[profile.release]
# A panic is caught at the plugin's boundary, and ends its session: not "abort".
panic = "unwind"
# A profile of a profiled program names the backend's functions.
debug = "line-tables-only"
"#;

const OWN_WORKSPACE: &str = r#"
# Apart from the workspace around it. To join that one, take this line away and add
# the folder to its members.
[workspace]
"#;

impl Manifest<'_> {
    pub(super) fn text(&self) -> String {
        let lib = self.name.fill(LIB);
        match (&self.place.checkout_around, &self.place.lockscope) {
            (Some(_), _) => format!("{}{lib}{}", self.member(), self.member_needs()),
            (None, Some(root)) => {
                let path = |folder: &str| format!("path = \"{}\"", root.join(folder).display());
                self.alone(
                    &lib,
                    &needs(&path("core"), &path("backends/shared"), &path("conformance")),
                )
            }
            (None, None) => {
                let version = concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"");
                self.alone(&lib, &needs(version, version, version))
            }
        }
    }

    /// A crate by itself.
    fn alone(&self, lib: &str, needs: &str) -> String {
        let package = self.name.package();
        let workspace = if self.place.is_in_workspace { OWN_WORKSPACE } else { "" };
        format!(
            "[package]\n\
             name = \"{package}\"\n\
             description = \"A lockscope backend\"\n\
             version = \"0.1.0\"\n\
             edition = \"2024\"\n\
             rust-version = \"{}\"\n\
             publish = false\n{lib}{needs}{PROFILE}{workspace}",
            env!("CARGO_PKG_RUST_VERSION")
        )
    }

    /// A member of lockscope's own workspace.
    fn member(&self) -> String {
        let inherited = ["version", "edition", "rust-version", "license", "authors"];
        let inherited: String =
            inherited.iter().map(|key| format!("{key}.workspace = true\n")).collect();
        format!(
            "[package]\nname = \"{}\"\ndescription = \"A lockscope backend\"\n{inherited}",
            self.name.package()
        )
    }

    fn member_needs(&self) -> String {
        let up = "../".repeat(self.place.path_in_checkout().components().count());
        format!(
            "\n[dependencies]\n\
             lockscope-core = {{ workspace = true, features = [\"control\"] }}\n\
             lockscope-backends.workspace = true\n\
             \n[dev-dependencies]\n\
             lockscope-conformance = {{ path = \"{up}conformance\", default-features = false }}\n\
             \n[lints]\n\
             workspace = true\n"
        )
    }
}

/// Dependencies, each by what says where it is.
fn needs(core: &str, backends: &str, conformance: &str) -> String {
    format!(
        "\n[dependencies]\n\
         # The contract.\n\
         lockscope-core = {{ {core}, features = [\"control\"] }}\n\
         # What backends are made of. One that keeps its state otherwise does without.\n\
         lockscope-backends = {{ {backends} }}\n\
         \n[dev-dependencies]\n\
         # The inside door of the conformance kit.\n\
         lockscope-conformance = {{ {conformance}, default-features = false }}\n"
    )
}
