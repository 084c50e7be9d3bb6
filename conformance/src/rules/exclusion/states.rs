//! The backend in every state that a program can find it in.

use crate::keys::Recording;
use crate::trial::{Profile, Trial};
use crate::verdict::Failure;

const NEVER_STARTED: &str = "the backend was loaded, and no session was started yet";
const RUNNING: [(Recording, &str); 3] = [
    (Recording::Everything, "a session records every operation"),
    (Recording::OneIn(7), "a second session samples one operation in 7"),
    (Recording::Everything, "a third session records every operation"),
];
const STOPPED: [&str; 3] =
    ["the session was stopped", "the second session was stopped", "the third session was stopped"];

/// Lets `act` happen in each of them: before the first session, while one
/// records everything, while one samples, after it was stopped, and once more.
pub(super) fn in_each(
    trial: &mut Trial,
    act: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let in_state = |state: &'static str| act().map_err(|failure| failure.after([state]));
    trial.plugin()?;
    in_state(NEVER_STARTED)?;
    for ((recording, running), stopped) in RUNNING.into_iter().zip(STOPPED) {
        let profiler = trial.profile(recording)?;
        unless_failed(profiler, in_state(running))?;
        in_state(stopped)?;
    }
    Ok(())
}

/// Ends the session, if all went well. If not, a thread may be in a hook for
/// ever, and the session's end would wait for it.
pub(super) fn unless_failed(profiler: Profile, result: Result<(), Failure>) -> Result<(), Failure> {
    result?;
    profiler.stop()?;
    Ok(())
}
