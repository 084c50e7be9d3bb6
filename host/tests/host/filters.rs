//! Locks that are watched, and locks that are not.

use lockscope_core::event::LockKind;
use lockscope_host::config::{Config, Overrides, Sources};
use lockscope_host::filter::{Filter, KnownLock, Origin};

use crate::allocations;

fn filter(include: &str, exclude: &str) -> Filter {
    let variables = [("LOCKSCOPE_INCLUDE", include), ("LOCKSCOPE_EXCLUDE", exclude)];
    let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
    let sources = Sources { variables, folder: None };
    let config = Config::resolve(&sources, &Overrides::default()).unwrap();
    Filter::new(&config.include, &config.exclude).unwrap()
}

#[test]
fn a_filter_never_allocates() {
    let filter = filter(
        "name:*a*b*c*,site:**/src/[a-z]*/*.rs:4?:*,module:*::[!x]*::end,kind:m*",
        "name:[é-ü]?*,site:/*/x/*,site:src/*,module:none,kind:semaphore",
    );
    let deep = "/registry/src/index-0f/rayon-core-1.12.1/src/".to_owned() + &"a/".repeat(2_000);
    let files = ["demo/src/index.rs", "src/main.rs", "build.rs", "", &deep];
    for kind in [LockKind::MUTEX, LockKind::CONDVAR, LockKind(77)] {
        for name in [None, Some("aabbcc"), Some("übung"), Some("")] {
            for file in files {
                for origin in [None, Some(Origin { file, line: 42, column: 7 })] {
                    let lock = KnownLock { kind, name, origin };
                    let asked = allocations::in_which(|| {
                        std::hint::black_box(filter.admits(&lock));
                    });
                    assert_eq!(asked, 0, "{lock:?}");
                }
            }
        }
    }
}
