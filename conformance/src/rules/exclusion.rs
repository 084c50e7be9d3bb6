//! Exclusion and thread safety.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};

use crate::keys::Recording;
use crate::rule::{Family, Level, Rule, Verified};
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) static FAMILY: Family = Family {
    id: "EXCL",
    title: "Exclusion",
    about: "A lock that is profiled does what it did before: whoever has it has it alone, and whoever waits gets it.",
    rules: &[Rule {
        id: "EXCL-01",
        level: Level::Must,
        sentence: "While a thread has a lock for itself, no other thread has it.",
        intent: "It is what a lock is for; a hook that touches more of a lock than the state word of its slot breaks it.",
        verified: &[Verified::Sampled],
        look: &[
            "Does a hook write to the lock, or beyond the `state` word of its slot?",
            "Is a pointer to a slot kept after the call that it was shown in?",
        ],
        check: Some(owners_are_alone),
    }],
};

/// A lock, by what is done while it is had.
trait Guarding: Send + Sync + 'static {
    fn during(&self, act: &dyn Fn());
}

impl Guarding for lockscope::sync::Mutex<()> {
    fn during(&self, act: &dyn Fn()) {
        let _guard = self.lock();
        act();
    }
}

impl Guarding for lockscope::sync::RwLock<()> {
    fn during(&self, act: &dyn Fn()) {
        let _guard = self.write();
        act();
    }
}

impl Guarding for lockscope::parking_lot::Mutex<()> {
    fn during(&self, act: &dyn Fn()) {
        let _guard = self.lock();
        act();
    }
}

impl Guarding for lockscope::parking_lot::RwLock<()> {
    fn during(&self, act: &dyn Fn()) {
        let _guard = self.write();
        act();
    }
}

/// A lock, and what shows whether it excludes.
struct Scene {
    name: &'static str,
    lock: Box<dyn Guarding>,
    inside: AtomicBool,
    met: AtomicU64,
}

const THREADS: usize = 3;
/// How often each of them takes it: by number, so that a busy machine takes its time
/// and sees as much.
const TIMES: usize = 60;
/// How often is looked whether two have met.
const LOOK: Duration = Duration::from_millis(5);
/// How long an owner keeps it.
const INSIDE: Duration = Duration::from_micros(20);
/// A lock that does not come by then never will.
const PATIENCE: Duration = Duration::from_secs(5);

fn owners_are_alone(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    let locks: [(&str, Box<dyn Guarding>); 4] = [
        ("sync::Mutex", Box::new(lockscope::sync::Mutex::new(()))),
        ("sync::RwLock", Box::new(lockscope::sync::RwLock::new(()))),
        ("parking_lot::Mutex", Box::new(lockscope::parking_lot::Mutex::new(()))),
        ("parking_lot::RwLock", Box::new(lockscope::parking_lot::RwLock::new(()))),
    ];
    for (name, lock) in locks {
        let (inside, met) = (AtomicBool::new(false), AtomicU64::new(0));
        alone_in(&Arc::new(Scene { name, lock, inside, met }))?;
    }
    profiler.stop()?;
    Ok(())
}

/// Has threads take the lock. They are left alone: a lock that does not exclude
/// may keep one for ever.
fn alone_in(scene: &Arc<Scene>) -> Result<(), Failure> {
    let (began, (done, is_done)) = (Instant::now(), channel());
    for _ in 0..THREADS {
        let (scene, done) = (Arc::clone(scene), done.clone());
        std::thread::spawn(move || {
            for _ in 0..TIMES {
                if scene.met() == 0 {
                    scene.lock.during(&|| scene.be_inside());
                }
            }
            // Nobody waits any more if two have met.
            let _ = done.send(());
        });
    }
    let expected = format!("one owner of a `{}` at a time", scene.name);
    for _ in 0..THREADS {
        while is_done.recv_timeout(LOOK).is_err() && scene.met() == 0 {
            if began.elapsed() > PATIENCE {
                return Err(Failure::new(expected, "threads wait for it for ever"));
            }
        }
    }
    if scene.met() == 0 {
        return Ok(());
    }
    Err(Failure::new(expected, "two threads had it at the same time"))
}

impl Scene {
    // Relaxed, here and below: what a thread sees of another that it must not meet
    // is no matter of order.
    fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }

    fn be_inside(&self) {
        if self.inside.swap(true, Ordering::Relaxed) {
            self.met.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(INSIDE);
        self.inside.store(false, Ordering::Relaxed);
    }
}
