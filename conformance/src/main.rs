//! The command `lockscope-conformance`, which `lockscope conformance` calls.

fn main() {
    lockscope_conformance::cli::main();
}
