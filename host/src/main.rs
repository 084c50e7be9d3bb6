//! The `lockscope` command.

fn main() {
    lockscope_host::cli::main();
}
