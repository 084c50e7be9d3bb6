//! Links the plugin so that it stays in the process once it is loaded.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A Rust library that threads have touched cannot be unloaded: their
    // thread-local destructors would run code that is gone.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
