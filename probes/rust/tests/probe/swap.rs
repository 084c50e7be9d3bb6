//! One program text, compiled twice: with the original imports, and with ours
//! in their place. What both say must be the same, whatever the gate does.
//!
//! Each text takes its locks from `family`, and has a function `run` that fills
//! in what it found. That it compiles twice is half of the test.

use lockscope_core::gate::state;

use crate::backend::Backend;

/// What a text found, line by line.
type Found = Vec<String>;

/// Notes an expression and its value.
macro_rules! find {
    ($found:ident: $($value:expr),+ $(,)?) => {{
        $($found.push(format!("{} = {:?}", stringify!($value), $value));)+
    }};
}

/// The text of the panic of `operation`, or that there was none.
fn panic_of<R>(operation: impl FnOnce() -> R) -> String {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(operation())));
    let Err(panic) = result else { return "no panic".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn compare(original: fn(&mut Found), ours: fn(&mut Found)) {
    let backend = Backend::closed();
    let run = |program: fn(&mut Found)| {
        let mut found = Found::new();
        program(&mut found);
        assert!(!found.is_empty());
        found
    };
    let expected = run(original);
    for (state, period) in
        [(state::CLOSED, 1), (state::WATCH, 1), (state::OPEN, 1), (state::OPEN, 3)]
    {
        if state != state::CLOSED {
            backend.start(state, period);
        }
        assert_eq!(run(ours), expected, "gate in state {state}, period {period}");
        backend.stop();
    }
}

macro_rules! texts {
    ($($name:ident: $text:literal, $original:path, $ours:path;)*) => {$(
        mod $name {
            mod original {
                use $original as family;
                include!($text);
            }

            mod ours {
                use $ours as family;
                include!($text);
            }

            #[test]
            fn both_imports_do_the_same() {
                crate::swap::compare(original::run, ours::run);
            }
        }
    )*};
}

texts! {
    locks: "swap/sync/locks.rs", ::std::sync, ::lockscope::sync;
    waits: "swap/sync/waits.rs", ::std::sync, ::lockscope::sync;
    cells: "swap/sync/cells.rs", ::std::sync, ::lockscope::sync;
    types: "swap/sync/types.rs", ::std::sync, ::lockscope::sync;
}

#[cfg(feature = "parking_lot")]
texts! {
    mutexes: "swap/parking_lot/mutexes.rs", ::parking_lot, ::lockscope::parking_lot;
    rwlocks: "swap/parking_lot/rwlocks.rs", ::parking_lot, ::lockscope::parking_lot;
    others: "swap/parking_lot/others.rs", ::parking_lot, ::lockscope::parking_lot;
}
