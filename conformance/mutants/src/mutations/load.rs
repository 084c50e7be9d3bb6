//! What breaks a rule of the family LOAD.

use lockscope_core::backend::{
    Backend, BackendError, DataPlane, Description, ErrorKind, Key, Setting,
};
use lockscope_core::sync::{AtomicBool, AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, Session};

use crate::memory::OwnMutex;
use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "built-with-a-larger-event",
        breaks: "LOAD-01",
        alter: Alter {
            data_plane: |plane| DataPlane { event: plane.event + 16, ..plane },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "table-of-another-version",
        breaks: "LOAD-02",
        alter: Alter { table: |table| table.version += 1, ..Alter::NOTHING },
    },
    Mutation {
        name: "table-of-another-size",
        breaks: "LOAD-02",
        alter: Alter { table: |table| table.size -= 8, ..Alter::NOTHING },
    },
    Mutation {
        name: "described-otherwise-each-time",
        breaks: "LOAD-03",
        alter: Alter { describe: described_otherwise, ..Alter::NOTHING },
    },
    Mutation {
        name: "a-name-of-two-words",
        breaks: "LOAD-04",
        alter: Alter {
            describe: |all| Description { name: "My Backend".into(), ..all },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "a-key-described-twice",
        breaks: "LOAD-04",
        alter: Alter { describe: described_twice, ..Alter::NOTHING },
    },
    Mutation {
        name: "a-key-without-help",
        breaks: "LOAD-04",
        alter: Alter { describe: without_help, ..Alter::NOTHING },
    },
    Mutation {
        name: "refuses-its-own-default",
        breaks: "LOAD-05",
        alter: Alter { init: refuses_its_default, ..Alter::NOTHING },
    },
    Mutation {
        name: "dies-when-initialised-twice",
        breaks: "LOAD-06",
        alter: Alter { init: dies_the_second_time, ..Alter::NOTHING },
    },
    Mutation {
        name: "does-as-if-it-were-initialised-twice",
        breaks: "LOAD-06",
        alter: Alter { init: ignores_the_second_time, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-anything-for-a-number",
        breaks: "LOAD-07",
        alter: Alter { init: takes_anything, ..Alter::NOTHING },
    },
    Mutation {
        name: "does-not-say-which-key",
        breaks: "LOAD-07",
        alter: Alter {
            init: |good, settings| good.init(settings).map_err(without_key),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "has-every-key",
        breaks: "LOAD-07",
        alter: Alter {
            configure: |good, key, value| match key {
                "period" => good.configure(key, value),
                _ => Ok(()),
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "writes-down-what-another-instance-is-told",
        breaks: "LOAD-08",
        alter: Alter {
            start: |good, session| started(good, session),
            stop: |good| stopped(good),
            event: |good, event| tells_the_first(good, event),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "prints-what-it-does",
        breaks: "LOAD-09",
        alter: Alter {
            stop: |good| {
                println!("stopping");
                good.stop()
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "complains-aloud",
        breaks: "LOAD-09",
        alter: Alter {
            init: |good, settings| {
                good.init(settings).inspect_err(|error| eprintln!("mutant: {error}"))
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "ignores-a-signal",
        breaks: "LOAD-10",
        alter: Alter {
            start: |good, session| {
                // SAFETY: the call takes integers.
                unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
                good.start(session)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "blocks-a-signal",
        breaks: "LOAD-10",
        alter: Alter { init: blocks_a_signal, ..Alter::NOTHING },
    },
    Mutation {
        name: "leaves-a-thread",
        breaks: "LOAD-11",
        alter: Alter { start: leaves_a_thread, ..Alter::NOTHING },
    },
    Mutation {
        name: "leaves-a-file-open",
        breaks: "LOAD-12",
        alter: Alter { stop: leaves_a_file, ..Alter::NOTHING },
    },
    Mutation {
        name: "says-no",
        breaks: "LOAD-13",
        alter: Alter {
            stop: |good| good.stop().map_err(|error| BackendError::new(error.kind, "no")),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "answers-any-query",
        breaks: "LOAD-14",
        alter: Alter { query: |_| (&raw const SOMETHING).cast(), ..Alter::NOTHING },
    },
];

static SOMETHING: u64 = 1;

fn described_otherwise(mut description: Description) -> Description {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let times = TIMES.fetch_add(1, Ordering::Relaxed);
    description.summary = format!("described {times} times before").into();
    description
}

fn described_twice(mut description: Description) -> Description {
    let first = description.keys[0].clone();
    description.keys.push(first);
    description
}

fn without_help(mut description: Description) -> Description {
    description.keys[0] = Key { help: "".into(), ..description.keys[0].clone() };
    description
}

fn value<'a>(settings: &'a [Setting], name: &str) -> &'a str {
    settings.iter().find(|setting| setting.key == name).map_or("", |setting| &setting.value)
}

fn refuses_its_default(good: &Good, settings: &[Setting]) -> Result<(), BackendError> {
    if value(settings, "period") == "100" {
        let message = "the key 'period' must be less than 100, and is 100; correct it";
        return Err(BackendError::new(ErrorKind::Setting, message));
    }
    good.init(settings)
}

/// Whether this instance was here before.
fn is_known(good: &Good) -> bool {
    static KNOWN: OwnMutex<Vec<usize>> = OwnMutex::new();
    let mut known = KNOWN.lock();
    let address = core::ptr::from_ref(good).addr();
    let is_known = known.contains(&address);
    known.push(address);
    is_known
}

fn dies_the_second_time(good: &Good, settings: &[Setting]) -> Result<(), BackendError> {
    assert!(!is_known(good), "it is initialised");
    good.init(settings)
}

fn ignores_the_second_time(good: &Good, settings: &[Setting]) -> Result<(), BackendError> {
    if is_known(good) { Ok(()) } else { good.init(settings) }
}

fn takes_anything(good: &Good, settings: &[Setting]) -> Result<(), BackendError> {
    let number = |setting: &Setting| match setting.value.parse::<u32>() {
        Ok(_) => setting.clone(),
        Err(_) => Setting { value: "1".into(), ..setting.clone() },
    };
    good.init(&settings.iter().map(number).collect::<Vec<_>>())
}

fn without_key(error: BackendError) -> BackendError {
    BackendError::new(error.kind, "a value is not a number that can be used; correct it")
}

/// The instances whose sessions run, in the order in which they were started.
static RUNNING: OwnMutex<Vec<&Good>> = OwnMutex::new();

fn started(good: &Good, session: &Session) -> Result<(), BackendError> {
    good.start(session)?;
    // SAFETY: instances live for ever.
    RUNNING.lock().push(unsafe { &*core::ptr::from_ref(good) });
    Ok(())
}

fn stopped(good: &Good) -> Result<(), BackendError> {
    RUNNING.lock().retain(|running| !core::ptr::eq(*running, good));
    good.stop()
}

fn tells_the_first(good: &Good, event: &Event) -> Countdown {
    let first = RUNNING.lock().first().copied().unwrap_or(good);
    if core::ptr::eq(first, good) {
        return good.event(event);
    }
    // The record that the lock's slot leads to is another instance's.
    let mut event = *event;
    event.lock.state = 0;
    event.lock.slot = core::ptr::null();
    first.event(&event)
}

fn blocks_a_signal(good: &Good, settings: &[Setting]) -> Result<(), BackendError> {
    // SAFETY: the set is plain memory, for which all zeros is a value, and valid for
    // the calls.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut());
    }
    good.init(settings)
}

/// One is enough.
fn is_first_time(done: &AtomicBool) -> bool {
    !done.swap(true, Ordering::Relaxed)
}

fn leaves_a_thread(good: &Good, session: &Session) -> Result<(), BackendError> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if is_first_time(&DONE) {
        let thread = std::thread::Builder::new().name("mutant".to_owned());
        let sleeping = thread.spawn(|| {
            loop {
                std::thread::park();
            }
        });
        drop(sleeping);
    }
    good.start(session)
}

fn leaves_a_file(good: &Good) -> Result<(), BackendError> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if is_first_time(&DONE) {
        // It stays open, and nobody knows it any more.
        core::mem::forget(std::fs::File::open("/dev/null"));
    }
    good.stop()
}
