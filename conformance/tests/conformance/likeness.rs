//! The simulated probe is like the real one: both play one program, and tell a
//! backend the same, word for word.

mod listener;
mod recorder;

use proptest::prelude::*;

use lockscope_conformance::{Acquisition, Make, Operation, Script, Simulation, Step, Subject, Use};
use lockscope_core::Mode;
use lockscope_core::gate::state;
use lockscope_core::report::Report;

use listener::Listener;
use recorder::Recorder;

/// Something that is done with a lock, if it can be done as things stand.
#[derive(Clone, Copy, Debug)]
enum Move {
    Acquire(Operation),
    /// The lock is had after a wait.
    Wait(Operation),
    /// One of those that are held is given back.
    Release(usize),
    GiveUp(Operation),
    Refuse(Operation),
    Idle(Operation),
    /// The lock is dropped, and another one made in its place.
    Replace(usize),
    /// The gate is to stand so.
    Gate(u32),
}

const LOCKS: [Make; 5] =
    [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK, Make::RWLOCK];
const THREADS: usize = 3;

fn operation() -> impl Strategy<Value = Operation> {
    let mode = prop_oneof![Just(Mode::EXCLUSIVE), Just(Mode::SHARED), Just(Mode::UPGRADABLE)];
    (0..THREADS, 0..LOCKS.len(), mode, 1..4_usize)
        .prop_map(|(thread, lock, mode, site)| Operation { thread, lock, mode, site })
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let gate =
        prop_oneof![4 => Just(state::OPEN), 1 => Just(state::WATCH), 1 => Just(state::CLOSED)];
    let one = prop_oneof![
        20 => operation().prop_map(Move::Acquire),
        6 => operation().prop_map(Move::Wait),
        22 => (0..100_usize).prop_map(Move::Release),
        2 => operation().prop_map(Move::GiveUp),
        2 => operation().prop_map(Move::Refuse),
        2 => operation().prop_map(Move::Idle),
        2 => (0..LOCKS.len()).prop_map(Move::Replace),
        1 => gate.prop_map(Move::Gate),
    ];
    proptest::collection::vec(one, 0..200)
}

/// Who plays a program.
trait Player {
    type Held;
    fn acquire(&mut self, operation: Operation) -> Self::Held;
    fn wait(&mut self, operation: Operation) -> Self::Held;
    fn release(&mut self, held: Self::Held);
    fn give_up(&mut self, operation: Operation);
    fn refuse(&mut self, operation: Operation);
    fn idle(&mut self, operation: Operation);
    fn replace(&mut self, lock: usize);
    fn gate(&mut self, gate: u32);
}

/// Plays what a program could do: nobody has a lock that another has alone, and
/// only who can be alone drops it.
fn play<P: Player>(player: &mut P, moves: &[Move]) {
    let mut held: Vec<(Operation, P::Held)> = Vec::new();
    for step in moves {
        let is_free = |lock: usize, mode: Mode| {
            held.iter().all(|(other, _)| {
                other.lock != lock || other.mode == Mode::SHARED && mode != Mode::EXCLUSIVE
            })
        };
        match *step {
            Move::Acquire(operation) if is_free(operation.lock, operation.mode) => {
                held.push((operation, player.acquire(operation)));
            }
            Move::Wait(operation) if is_free(operation.lock, operation.mode) => {
                held.push((operation, player.wait(operation)));
            }
            Move::Release(number) if !held.is_empty() => {
                let (_, acquisition) = held.remove(number % held.len());
                player.release(acquisition);
            }
            Move::GiveUp(operation) => player.give_up(operation),
            Move::Refuse(operation) => player.refuse(operation),
            Move::Idle(operation) => player.idle(operation),
            Move::Replace(lock) if is_free(lock, Mode::EXCLUSIVE) => player.replace(lock),
            Move::Gate(gate) => player.gate(gate),
            _ => {}
        }
    }
    for (_, acquisition) in held {
        player.release(acquisition);
    }
}

impl Player for Simulation<'_> {
    type Held = Acquisition;
    fn acquire(&mut self, operation: Operation) -> Acquisition {
        self.probe().acquire(operation)
    }
    fn wait(&mut self, operation: Operation) -> Acquisition {
        let waiting = self.probe().wait(operation);
        self.probe().waited(waiting)
    }
    fn release(&mut self, held: Acquisition) {
        self.probe().release(&held);
    }
    fn give_up(&mut self, operation: Operation) {
        let waiting = self.probe().wait(operation);
        self.probe().gave_up(waiting);
    }
    fn refuse(&mut self, operation: Operation) {
        self.probe().refused(operation);
    }
    fn idle(&mut self, operation: Operation) {
        let now_ns = self.probe().now_ns();
        self.probe().idled(operation, now_ns);
    }
    fn replace(&mut self, lock: usize) {
        self.probe().replace(lock);
    }
    fn gate(&mut self, gate: u32) {
        let cause: &'static str = ["0", "1", "2"][gate as usize];
        self.run(&[Step::Wake(cause)]).expect("it wakes");
    }
}

/// What the listener hears from the simulated probe.
fn simulated(seed: u64, moves: &[Move]) -> Vec<String> {
    let mut script = Script::default();
    for make in LOCKS {
        let lock = script.lock(make);
        // So that the script has as many threads.
        script.push(Step::Refuse(Use { thread: THREADS - 1, ..Use::of(lock) }));
    }
    let listener = Subject::of::<Listener>().expect("it can be made");
    let mut simulation = Simulation::start(&listener, seed, &script).expect("it starts");
    play(&mut simulation, moves);
    notes(&simulation.stop().expect("it stops").report)
}

fn notes(report: &Report) -> Vec<String> {
    report.notes.iter().map(ToString::to_string).collect()
}

/// What the listener hears from the recorder.
fn recorded(seed: u64, moves: &[Move]) -> Vec<String> {
    let mut recorder = Recorder::start(seed);
    play(&mut recorder, moves);
    recorder.stop()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_backend_cannot_tell_the_simulated_probe_from_the_real_one(
        seed in any::<u64>(),
        moves in moves(),
    ) {
        prop_assert_eq!(simulated(seed, &moves), recorded(seed, &moves));
    }
}
