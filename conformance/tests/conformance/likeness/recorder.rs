//! The real probe, and threads of its own.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use lockscope_conformance::{Make, Operation, next_generation};
use lockscope_core::backend::{Contained, LockProfilerBackend, Pace, SessionRef, TableRef};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::{Opening, state};
use lockscope_core::recorder::{self, Watched};
use lockscope_core::{CallSite, HookTable, LockRef, Probe, Session, Slot, Token};

use super::listener::Listener;
use super::{LOCKS, Player, THREADS, notes};

/// A lock of the real probe's program.
struct Real {
    slot: Option<Slot>,
    make: Make,
    created: usize,
}

impl Real {
    fn new(make: Make, created: usize) -> Arc<Self> {
        Arc::new(Self { slot: make.has_slot.then(|| Slot::new(None)), make, created })
    }
}

impl Watched for Real {
    fn slot(&self) -> Option<&Slot> {
        self.slot.as_ref()
    }

    fn describe(&self) -> LockRef {
        LockRef {
            slot: self.slot.as_ref().map_or(core::ptr::null(), core::ptr::from_ref),
            address: self.created * 64,
            id: 0,
            created: CallSite(self.created),
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: self.make.kind,
            probe: 0,
            reserved: 0,
        }
    }
}

type Task = Box<dyn FnOnce(&'static Probe) -> Token + Send>;

/// The recorder, with threads of its own that take turns.
pub(super) struct Recorder {
    probe: &'static Probe,
    backend: Contained<Listener>,
    hooks: &'static HookTable,
    locks: Vec<Arc<Real>>,
    threads: Vec<Sender<(Task, Sender<Token>)>>,
}

impl Recorder {
    pub(super) fn start(seed: u64) -> Self {
        let probe: &'static Probe = Box::leak(Box::new(Probe::rust("real")));
        let backend = Contained::<Listener>::new();
        let TableRef(table) = backend.hooks();
        // SAFETY: a table of this build, which lives for ever.
        let hooks = unsafe { &*table.cast::<HookTable>() };
        let locks = (1..).zip(LOCKS).map(|(created, make)| Real::new(make, created)).collect();
        let threads = (0..THREADS).map(|_| worker(probe)).collect();
        let mut recorder = Self { probe, backend, hooks, locks, threads };
        let session = session(seed);
        recorder
            .backend
            .start(SessionRef((&raw const session).cast()))
            .into_result()
            .expect("the listener never fails");
        recorder.ask();
        recorder
    }

    /// Sets the gate as the backend wants it.
    fn ask(&mut self) {
        let Pace { gate, contended_period, .. } =
            self.backend.pace().into_result().expect("the listener never fails");
        if gate == self.probe.gate.state() {
            return;
        }
        self.close();
        if gate != state::CLOSED {
            let opening = Opening {
                state: gate,
                generation: next_generation(),
                hooks: self.hooks,
                tsc: false,
                expedited: false,
                contended_period,
            };
            // SAFETY: the table lives for ever; the gate is closed, and only this
            // thread opens it.
            unsafe { self.probe.gate.open(&opening) };
        }
    }

    fn close(&self) {
        self.probe.gate.close();
        lockscope_core::thread::quiesce(&self.probe.gate);
    }

    /// Has a thread do something with a lock.
    fn with<T>(&self, thread: usize, lock: usize, act: T) -> Token
    where
        T: FnOnce(&'static Probe, &Real) -> Token + Send + 'static,
    {
        let lock = Arc::clone(&self.locks[lock]);
        let (done, result) = channel();
        let task: Task = Box::new(move |probe| act(probe, &lock));
        self.threads[thread].send((task, done)).expect("the thread waits for tasks");
        result.recv().expect("the thread has done it")
    }

    pub(super) fn stop(self) -> Vec<String> {
        self.close();
        self.backend.stop().into_result().expect("the listener never fails");
        notes(&self.backend.snapshot().into_result().expect("the listener never fails"))
    }
}

/// A thread that does what it is sent, until nobody can send any more.
fn worker(probe: &'static Probe) -> Sender<(Task, Sender<Token>)> {
    let (sender, tasks) = channel::<(Task, Sender<Token>)>();
    thread::spawn(move || {
        for (task, done) in tasks {
            // Who has asked may have failed since.
            let _ = done.send(task(probe));
        }
    });
    sender
}

fn session(seed: u64) -> Session {
    extern "C" fn next_lock_id() -> u64 {
        1
    }
    extern "C" fn abandon(_: *const core::ffi::c_void, _: *const u8, _: usize) {}
    Session {
        generation: next_generation(),
        reserved: 0,
        clock: ClockScale::NANOSECONDS,
        started: clock::monotonic_ns(),
        seed,
        next_lock_id,
        abandon,
        context: core::ptr::null(),
    }
}

impl Player for Recorder {
    type Held = (Operation, Token);
    fn acquire(&mut self, operation: Operation) -> (Operation, Token) {
        let Operation { thread, lock, mode, site } = operation;
        let token = self.with(thread, lock, move |probe, lock| {
            recorder::uncontended(probe, lock, mode, CallSite(site))
        });
        (operation, token)
    }
    fn wait(&mut self, operation: Operation) -> (Operation, Token) {
        let Operation { thread, lock, mode, site } = operation;
        let token = self.with(thread, lock, move |probe, lock| {
            let token = recorder::wait(probe, lock, mode, CallSite(site));
            recorder::waited(probe, lock, CallSite(site), token)
        });
        (operation, token)
    }
    fn release(&mut self, (operation, token): (Operation, Token)) {
        self.with(operation.thread, operation.lock, move |probe, lock| {
            if token.is_some() {
                recorder::end(probe, lock, token);
            }
            token
        });
    }
    fn give_up(&mut self, operation: Operation) {
        let Operation { thread, lock, mode, site } = operation;
        self.with(thread, lock, move |probe, lock| {
            let token = recorder::wait(probe, lock, mode, CallSite(site));
            recorder::gave_up(probe, lock, token);
            token
        });
    }
    fn refuse(&mut self, operation: Operation) {
        let Operation { thread, lock, mode, site } = operation;
        self.with(thread, lock, move |probe, lock| {
            recorder::refused(probe, lock, mode, CallSite(site));
            Token::NONE
        });
    }
    fn idle(&mut self, operation: Operation) {
        let Operation { thread, lock, site, .. } = operation;
        self.with(thread, lock, move |probe, lock| {
            let idle = recorder::idle_begin(probe);
            recorder::idle_end(probe, lock, CallSite(site), idle);
            Token::NONE
        });
    }
    fn replace(&mut self, lock: usize) {
        // Whichever thread drops it.
        self.with(0, lock, |probe, lock| {
            recorder::dropped(probe, lock);
            Token::NONE
        });
        self.locks[lock] = Real::new(LOCKS[lock], lock + 1);
    }
    fn gate(&mut self, gate: u32) {
        let cause = gate.to_string();
        self.backend.wake(cause.as_str().into()).into_result().expect("the listener never fails");
        self.ask();
    }
}
