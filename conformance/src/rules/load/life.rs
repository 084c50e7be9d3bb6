//! The whole life of an instance, with everything that may be asked of it.

use lockscope_core::backend::Setting;

use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

const LOCKS: [Make; 3] = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS];

/// The locks of [`steps`].
pub(super) fn script() -> Script {
    let mut script = Script::default();
    for make in LOCKS {
        script.lock(make);
    }
    script.extend(steps());
    script
}

/// A few operations of every sort.
pub(super) fn steps() -> Vec<Step> {
    let mut locks = Script::default();
    let mut steps = Vec::new();
    for (site, make) in (1..).zip(LOCKS) {
        let lock = locks.lock(make);
        let by = Use { site, hold: Hold::Exactly(100), ..Use::of(lock) };
        let wait = Hold::Exactly(300);
        steps.extend([Step::Take(by), Step::Wait(by, wait), Step::GiveUp(by, wait)]);
        steps.extend([Step::Refuse(by), Step::Take(by), Step::Replace(lock), Step::Take(by)]);
    }
    steps
}

/// Makes an instance and lets it live through two sessions, with everything that
/// a host may ask at the right time and at the wrong one. `reached` is told what
/// has been done.
pub(super) fn whole(
    trial: &mut Trial,
    mut reached: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let refused = trial.fresh()?;
    let wrong = |key: &lockscope_core::backend::Key| Setting {
        key: key.name.clone(),
        value: "\u{1f512}".into(),
    };
    // Whether it is an error is not the matter here; so for all that is ignored below.
    let _ = refused.init(&refused.description().keys.iter().map(wrong).collect::<Vec<_>>());
    reached("a configuration that cannot be used")?;
    let subject = trial.subject(Recording::Everything)?;
    reached("it was initialised")?;
    let _ = (subject.stop(), subject.snapshot(), subject.wake("the kit asks"));
    reached("it was asked too early")?;
    for session in ["a first session", "a second one"] {
        let script = script();
        let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
        simulation.run(&script.steps)?;
        subject.snapshot()?;
        let _ = (subject.configure("period", "2"), subject.configure("there_is_none", "2"));
        let _ = (subject.wake("the kit asks"), subject.start(&crate::simulation::session(1)));
        simulation.run(&script.steps)?;
        simulation.stop()?;
        subject.snapshot()?;
        let _ = subject.stop();
        reached(session)?;
    }
    Ok(())
}
