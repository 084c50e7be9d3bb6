//! FAIL-01, FAIL-07 and FAIL-08: what happens in entries that are called wrongly.

use lockscope_core::LockRef;
use lockscope_core::backend::{BackendError, ErrorKind};
use lockscope_core::report::{Estimate, Report, SiteReport};

use super::by_hand::{HandLock, abandoned, hostile, start};
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::Line;
use crate::verdict::Failure;

/// Locks made by hand have this origin and this id, which no other has.
const CREATED: usize = 7_000;
const ID: u64 = 1 << 40;
/// What is told of such a lock lasts less than this in all, in nanoseconds.
const MOST_NS: f64 = 1e6;

pub(super) fn no_entry_panics(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Usual)?;
    control(&subject, "before the first session")?;
    let session = start(&subject, trial.seed())?;
    control(&subject, "while a session runs")?;
    not_a_panic("a second start", subject.start(&session))?;
    subject.meet(None);
    let lock = HandLock::met(&subject, &session, ID, CREATED);
    for (what, event) in hostile(&lock) {
        lock.arm(subject.event(&event));
        not_abandoned(&abandoned(&session), what)?;
    }
    let strangers = [
        ("a lock that it has not met is dropped", LockRef { id: ID + 1, state: 0, ..lock.shown() }),
        (
            "a lock without slot that it has not met is dropped",
            LockRef { id: 0, slot: core::ptr::null(), state: 0, ..lock.shown() },
        ),
        ("a lock is dropped", lock.shown()),
    ];
    for (what, stranger) in strangers {
        subject.dropped(&stranger);
        not_abandoned(&abandoned(&session), what)?;
    }
    not_a_panic("a snapshot", subject.snapshot())?;
    not_a_panic("a stop", subject.stop())?;
    control(&subject, "after a session")
}

/// Every entry of the host that can be called at any time.
fn control(subject: &Subject, when: &str) -> Result<(), Failure> {
    let said = |what: &str| format!("{what} {when}");
    not_a_panic(&said("a snapshot"), subject.snapshot())?;
    not_a_panic(&said("the question for the pace"), subject.pace(0))?;
    for text in ["", "\0", "né", "the kit", &"long ".repeat(2_000)] {
        let shown: String = text.chars().take(10).collect();
        not_a_panic(&said(&format!("a wake by {shown:?}")), subject.wake(text))?;
        not_a_panic(&said(&format!("the key {shown:?}")), subject.configure(text, text))?;
    }
    for query in [0, 1, u64::MAX] {
        let _ = subject.answers_nothing_to(query);
    }
    if !when.starts_with("while") {
        not_a_panic(&said("a stop"), subject.stop())?;
    }
    Ok(())
}

fn not_a_panic<T>(what: &str, answer: Result<T, BackendError>) -> Result<(), Failure> {
    match answer {
        Err(error) if error.kind == ErrorKind::Panic => {
            Err(Failure::new(format!("{what} is answered, or refused"), error.to_string()))
        }
        _ => Ok(()),
    }
}

fn not_abandoned(reasons: &[Option<String>], what: &str) -> Result<(), Failure> {
    reasons.first().map_or(Ok(()), |reason| {
        let reason = reason.as_deref().unwrap_or("without a reason");
        Err(Failure::new("a session that goes on", format!("it was ended: {reason}"))
            .after([format!("the backend is told of this: {what}")]))
    })
}

/// Whoever ends sessions for too many operations has reason to; and hostile
/// events may be one as well.
pub(super) fn abandons_at_most_once(trial: &mut Trial) -> Result<(), Failure> {
    let reasons = [("auto_disable_ops_per_sec", "1"), ("budget_percent", "0.001")];
    let subject = trial.subject_with(Recording::Everything, &reasons)?;
    for round in 0..3 {
        let session = start(&subject, trial.seed())?;
        let lock = HandLock::met(&subject, &session, ID + round, CREATED);
        for asked in 0..20 {
            for _ in 0..200 {
                lock.arm(subject.event(&lock.released(1)));
            }
            for (_, event) in hostile(&lock) {
                lock.arm(subject.event(&event));
            }
            subject.pace(asked)?;
        }
        subject.dropped(&lock.shown());
        let before = abandoned(&session);
        subject.stop()?;
        // A late answer is no reason to end a session that is over.
        let _ = subject.pace(0);
        let after = abandoned(&session);
        let history = ["a session is told of acquisitions, and of what no probe tells"];
        if before.len() > 1 {
            let observed = format!("it was ended {} times: {before:?}", before.len());
            return Err(
                Failure::new("a session that is ended once, if at all", observed).after(history)
            );
        }
        if let Some(None) = before.first() {
            let expected = "a reason in words for the end of the session";
            return Err(Failure::new(expected, "none, or what is not UTF-8").after(history));
        }
        Failure::unless_equal("ends of a session that is over", &before.len(), &after.len())?;
    }
    Ok(())
}

pub(super) fn hostile_events_do_no_harm(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let steps: Vec<Step> = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS]
        .into_iter()
        .flat_map(|make| {
            let by = Use { hold: Hold::Exactly(40), ..Use::of(script.lock(make)) };
            [Step::Take(by), Step::Wait(by, Hold::Exactly(170)), Step::Refuse(by)]
        })
        .collect();
    let twice = [&steps[..], &steps[..]].concat();
    compare::counted_otherwise(trial, &Script { steps: twice, ..script.clone() })?;
    // One kind of event after the other, so that the first that does harm is named.
    let kinds = {
        let session = start(&subject, trial.seed())?;
        let lock = HandLock::met(&subject, &session, ID, CREATED);
        let kinds = hostile(&lock).len();
        subject.stop()?;
        kinds
    };
    for kind in 0..kinds {
        let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
        simulation.run(&steps)?;
        let session = super::by_hand::session(trial.seed());
        let lock = HandLock::met(&subject, &session, ID, CREATED);
        let (what, event) = hostile(&lock).swap_remove(kind);
        lock.arm(subject.event(&event));
        simulation.run(&steps)?;
        let mut played = simulation.stop()?;
        let (strange, ours): (Vec<_>, Vec<_>) =
            played.report.locks.into_iter().partition(|lock| lock.created == CREATED);
        played.report.locks = ours.into();
        let strange = Report { locks: strange.into(), ..Report::default() };
        let all =
            compare::each(&played, |stated, truth| stated == Estimate::exact(truth), "exactly");
        all.and_then(|()| not_absurd(&strange)).map_err(|failure| {
            failure.after([
                "three locks are taken, waited for, and tried in vain".to_owned(),
                format!("of another lock an event is told that has {what}"),
                "the three locks are used as before".to_owned(),
            ])
        })?;
    }
    Ok(())
}

fn not_absurd(report: &Report) -> Result<(), Failure> {
    for site in report.locks.iter().flat_map(|lock| lock.sites.iter()) {
        for (name, estimate) in crate::truth::Totals::from(site).each() {
            let is_sound = |number: f64| (0.0..MOST_NS).contains(&number);
            if !is_sound(estimate.value) || !(0.0..f64::INFINITY).contains(&estimate.variance) {
                return Err(Failure::new(
                    format!("{name} of {}: from 0 to 1 ms", words(site)),
                    format!("{} with the variance {}", estimate.value, estimate.variance),
                ));
            }
        }
    }
    Ok(())
}

fn words(site: &SiteReport) -> String {
    let line = Line { created: CREATED, site: site.site, mode: lockscope_core::Mode(site.mode) };
    format!("the other lock at call site {} ({})", line.site, line.mode.as_str())
}
