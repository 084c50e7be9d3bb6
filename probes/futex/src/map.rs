//! Which function is where, as far as it matters: found out before the program begins,
//! because a thread that waits for a lock must not be kept by reading files.

use core::ops::Range;
use std::sync::OnceLock;

use lockscope_symbols::{Module, all_modules, each_function};

use crate::meaning::{self, Meaning};

/// The program and its libraries, and the functions of Rust's own libraries in them.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// By their addresses; those that follow one another and mean the same are one.
    functions: Vec<(Range<usize>, Meaning)>,
    /// Where the program and the libraries are that it was started with.
    objects: Vec<Range<usize>>,
    /// Whether there are functions of our own lock types in them.
    pub(crate) has_our_locks: bool,
}

static MAP: OnceLock<Map> = OnceLock::new();

/// The map, once there is one.
pub(crate) fn get() -> Option<&'static Map> {
    MAP.get()
}

/// Makes the map of all that is loaded, but for our own libraries, one of which `own` is
/// in. What is opened later, as the host is, is not on it.
pub(crate) fn make(own: usize) -> &'static Map {
    let is_ours = |module: &Module| {
        let name = module.path.file_name().unwrap_or_default().as_encoded_bytes();
        module.all.contains(&own) || name.starts_with(b"liblockscope_")
    };
    let mut map = Map::default();
    for module in all_modules().iter().filter(|module| !is_ours(module)) {
        map.add(module);
    }
    map.complete();
    MAP.get_or_init(|| map)
}

impl Map {
    /// A map of these functions.
    #[cfg(test)]
    pub(crate) fn of(functions: Vec<(Range<usize>, Meaning)>) -> Self {
        let mut map = Self { functions, ..Self::default() };
        map.complete();
        map
    }

    fn add(&mut self, module: &Module) {
        self.objects.push(module.all.clone());
        each_function(&module.path, |function| {
            self.has_our_locks |= meaning::is_of_our_locks(&function);
            if let Some(meaning) = meaning::of(&function) {
                let place = |at: u64| module.base.wrapping_add(at as usize);
                self.functions.push((place(function.start)..place(function.end), meaning));
            }
        });
    }

    fn complete(&mut self) {
        self.objects.sort_unstable_by_key(|object| object.start);
        self.functions.sort_unstable_by_key(|(place, _)| place.start);
        /// What linkers leave between functions, so that each begins at a good place.
        const GAP: usize = 64;
        self.functions.dedup_by(|next, last| {
            let is_one = next.1 == last.1 && next.0.start <= last.0.end.saturating_add(GAP);
            // Two names of one function.
            let is_same = next.0.start == last.0.start;
            if is_one || is_same {
                last.0.end = last.0.end.max(next.0.end);
            }
            is_one || is_same
        });
        self.functions.shrink_to_fit();
    }

    /// Whether `address`, of code or of data, is in the program or one of the libraries
    /// that it was started with.
    pub(crate) fn is_of_the_program(&self, address: usize) -> bool {
        let after = self.objects.partition_point(|object| object.start <= address);
        after.checked_sub(1).is_some_and(|at| self.objects[at].contains(&address))
    }

    /// What is done in the function whose call returns to `address`; `None` if it is one
    /// of the program's own, or not known.
    pub(crate) fn meaning(&self, address: usize) -> Option<Meaning> {
        // The call stands before the address that it returns to.
        let at = address.wrapping_sub(1);
        let after = self.functions.partition_point(|(place, _)| place.start <= at);
        let (place, meaning) = &self.functions[after.checked_sub(1)?];
        place.contains(&at).then_some(*meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meaning::Purpose;

    #[test]
    fn functions_are_found_by_where_their_calls_return_to() {
        let idle = Meaning::Waits(Purpose::Work(lockscope_core::LockKind::CONDVAR));
        let passes = Meaning::Passes;
        let mut map = Map::of(vec![(300..310, idle), (100..110, passes), (112..150, passes)]);
        map.objects = vec![0..500, 1000..2000];
        assert_eq!(map.functions.len(), 2);
        assert_eq!(map.meaning(100), None, "what returns there stands before");
        for inside in [101, 111, 150] {
            assert_eq!(map.meaning(inside), Some(Meaning::Passes), "{inside}");
        }
        assert_eq!(map.meaning(151), None);
        assert_eq!(map.meaning(310), Some(idle));
        assert!(map.is_of_the_program(499) && map.is_of_the_program(1000));
        assert!(!map.is_of_the_program(500) && !map.is_of_the_program(2000));
    }

    #[test]
    fn a_program_has_the_functions_of_its_libraries() {
        let mut map = Map::default();
        let own = a_program_has_the_functions_of_its_libraries as *const () as usize;
        map.add(&lockscope_symbols::module_of(own).unwrap());
        map.complete();
        assert!(map.is_of_the_program(own) && !map.has_our_locks);
        assert_eq!(map.meaning(own + 8), None);
        let locks = map
            .functions
            .iter()
            .filter(|(_, meaning)| matches!(meaning, Meaning::Waits(Purpose::Lock(_))));
        assert!(locks.count() > 0, "std's mutex, at least");
    }
}
