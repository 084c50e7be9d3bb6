//! Who has a lock, and together with whom.

use core::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};

use super::patience::{PATIENCE, patiently};
use super::states;
use crate::keys::Recording;
use crate::trial::Trial;
use crate::verdict::Failure;

/// A lock, by what is done while it is had.
trait Guarding: Send + Sync + 'static {
    fn during(&self, act: &dyn Fn());
    fn is_free(&self) -> bool;
}

macro_rules! guarding {
    ($($lock:ty: $take:ident, $try:ident, $has:ident;)*) => {
        $(impl Guarding for $lock {
            fn during(&self, act: &dyn Fn()) {
                let _guard = self.$take();
                act();
            }

            fn is_free(&self) -> bool {
                self.$try().$has()
            }
        })*
    };
}

guarding! {
    lockscope::sync::Mutex<()>: lock, try_lock, is_ok;
    lockscope::sync::RwLock<()>: write, try_write, is_ok;
    lockscope::parking_lot::Mutex<()>: lock, try_lock, is_some;
    lockscope::parking_lot::RwLock<()>: write, try_write, is_some;
    lockscope::parking_lot::slotless::Mutex<()>: lock, try_lock, is_some;
}

/// A lock, and what shows whether it excludes.
struct Scene {
    name: &'static str,
    lock: Box<dyn Guarding>,
    inside: AtomicBool,
    met: AtomicU64,
    ends: Instant,
}

const THREADS: usize = 3;
/// How long each has the lock, and goes without it.
const INSIDE: Duration = Duration::from_micros(10);
const OUTSIDE: Duration = Duration::from_micros(20);
/// How long each lock is fought for while everything is recorded, and else.
const LONG: Duration = Duration::from_millis(30);
const SHORT: Duration = Duration::from_millis(4);

pub(super) fn owners_are_alone(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    states::unless_failed(profiler, each_alone(LONG))?;
    states::in_each(trial, || each_alone(SHORT))
}

fn each_alone(each: Duration) -> Result<(), Failure> {
    const NAME: &str = "had alone";
    let locks: [(&str, Box<dyn Guarding>); 5] = [
        ("sync::Mutex", Box::new(lockscope::sync::Mutex::named(NAME, ()))),
        ("sync::RwLock", Box::new(lockscope::sync::RwLock::named(NAME, ()))),
        ("parking_lot::Mutex", Box::new(lockscope::parking_lot::Mutex::named(NAME, ()))),
        ("parking_lot::RwLock", Box::new(lockscope::parking_lot::RwLock::named(NAME, ()))),
        (
            "parking_lot::slotless::Mutex",
            Box::new(lockscope::parking_lot::slotless::Mutex::new(())),
        ),
    ];
    for (name, lock) in locks {
        let (inside, met) = (AtomicBool::new(false), AtomicU64::new(0));
        let ends = Instant::now() + each;
        let scene = Arc::new(Scene { name, lock, inside, met, ends });
        // Once with the first that the backend sees of the lock.
        refused(&scene)?;
        alone_in(&scene)?;
    }
    Ok(())
}

/// Has it, while another thread tries it.
fn refused(scene: &Arc<Scene>) -> Result<(), Failure> {
    let what = format!("a try of a `{}` that a thread has ends", scene.name);
    let found = RefCell::new(Ok(false));
    scene.lock.during(&|| {
        let theirs = Arc::clone(scene);
        *found.borrow_mut() = patiently(&what, move || theirs.lock.is_free());
    });
    let what = format!("whether a `{}` that a thread has is free for another", scene.name);
    Failure::unless_equal(&what, &false, &found.into_inner()?)
}

/// Has threads take the lock. They are left alone: a lock that does not exclude
/// may keep one for ever.
fn alone_in(scene: &Arc<Scene>) -> Result<(), Failure> {
    let (done, is_done) = channel();
    for _ in 0..THREADS {
        let (scene, done) = (Arc::clone(scene), done.clone());
        std::thread::spawn(move || {
            while Instant::now() < scene.ends && scene.met() == 0 {
                scene.lock.during(&|| scene.be_inside());
                // So that some find it free, and some do not.
                pause(OUTSIDE);
            }
            // Nobody waits any more if two have met.
            let _ = done.send(());
        });
    }
    let deadline = Instant::now() + PATIENCE;
    let mut still_there = THREADS;
    while still_there > 0 && scene.met() == 0 && Instant::now() < deadline {
        still_there -= usize::from(is_done.recv_timeout(LONG).is_ok());
    }
    let expected = format!("one owner of a `{}` at a time", scene.name);
    if scene.met() > 0 {
        return Err(Failure::new(expected, "two threads had it at the same time"));
    }
    if still_there > 0 {
        let observed = format!("{still_there} threads never got it again");
        return Err(Failure::new(expected, observed));
    }
    Ok(())
}

/// Lets others go first, for so long.
fn pause(duration: Duration) {
    let began = Instant::now();
    while began.elapsed() < duration {
        std::thread::yield_now();
    }
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
        pause(INSIDE);
        self.inside.store(false, Ordering::Relaxed);
    }
}

/// A lock of readers, by what is done while it is read, and whether it can be
/// written.
trait Reading: Send + Sync + 'static {
    fn while_read(&self, act: &mut dyn FnMut());
    fn can_be_written(&self) -> bool;
    fn write(&self);
}

impl Reading for lockscope::sync::RwLock<()> {
    fn while_read(&self, act: &mut dyn FnMut()) {
        let _guard = self.read();
        act();
    }

    fn can_be_written(&self) -> bool {
        self.try_write().is_ok()
    }

    fn write(&self) {
        drop(self.write());
    }
}

macro_rules! reading {
    ($($lock:ty;)*) => {
        $(impl Reading for $lock {
            fn while_read(&self, act: &mut dyn FnMut()) {
                let _guard = self.read();
                act();
            }

            fn can_be_written(&self) -> bool {
                self.try_write().is_some()
            }

            fn write(&self) {
                drop(self.write());
            }
        })*
    };
}

reading! {
    lockscope::parking_lot::RwLock<()>;
    lockscope::parking_lot::slotless::RwLock<()>;
}

pub(super) fn readers_share(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        let locks: [(&str, Arc<dyn Reading>); 3] = [
            ("sync::RwLock", Arc::new(lockscope::sync::RwLock::new(()))),
            ("parking_lot::RwLock", Arc::new(lockscope::parking_lot::RwLock::new(()))),
            (
                "parking_lot::slotless::RwLock",
                Arc::new(lockscope::parking_lot::slotless::RwLock::new(())),
            ),
        ];
        locks.iter().try_for_each(|(name, lock)| shared(name, lock))
    })
}

/// Two readers have it, a third comes and goes, then a fourth.
fn shared(name: &str, lock: &Arc<dyn Reading>) -> Result<(), Failure> {
    let another = |which: &str| {
        let lock = Arc::clone(lock);
        let what = format!("{which} reader gets a `{name}` that others read");
        patiently(&what, move || lock.while_read(&mut || ()))
    };
    let mut result = Ok(());
    lock.while_read(&mut || {
        lock.while_read(&mut || {
            result = another("a third").and_then(|()| another("a fourth"));
        });
        let can_be_written = lock.can_be_written();
        if result.is_ok() {
            let what = format!("whether a `{name}` that is read can be written");
            result = Failure::unless_equal(&what, &false, &can_be_written);
        }
    });
    result?;
    let lock = Arc::clone(lock);
    patiently(&format!("a writer gets a `{name}` whose readers have gone"), move || lock.write())
}
