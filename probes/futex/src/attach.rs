//! The way to the host: before the program's `main`, and before it has threads.

use lockscope_preloaded as preloaded;

use crate::watch::PROBE;
use crate::{map, real};

#[used]
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = initialise;

/// Called by the dynamic linker when the library is initialised.
extern "C" fn initialise() {
    real::resolve();
    // Whatever comes, nobody has to look again.
    PROBE.gate.first_pass();
    // A panic must not end a program that has not begun.
    let _ = std::panic::catch_unwind(attach);
}

fn attach() {
    let Some(host) = preloaded::host() else { return };
    // SAFETY: the program has not begun.
    unsafe { preloaded::leave_children_alone(initialise) };
    let own: extern "C" fn() = initialise;
    let told = if map::make(own as usize).has_our_locks {
        Err("the program takes locks from the crate `lockscope`, and they would be recorded twice"
            .to_owned())
    } else {
        // No stack is kept here: that is the host's part.
        lockscope_stacks::prepare(0)
            .map_err(|error| format!("there is no memory to follow stacks: {error}"))
            .and_then(|()| preloaded::open(&host, &PROBE))
    };
    if let Err(reason) = told {
        preloaded::tell_unprofiled("the program's waits at futexes", &reason);
    }
}
