//! Passes the crate off as `lockscope-core`: abi_stable tells types apart by
//! the package that they come from, and this is to be an altered one, not
//! another.

fn main() {
    println!("cargo::rustc-env=CARGO_PKG_NAME=lockscope-core");
}
