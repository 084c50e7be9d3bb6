//! Which operations are sampled: one in N, of every lock alike, and of every
//! thread's readers. What has to wait is recorded beside that.

use lockscope_backends::sampler::Sampler;
use lockscope_core::{Countdown, Event, Session};

/// One period for all.
#[derive(Debug, Default)]
pub(crate) struct Policy(Sampler);

impl Policy {
    pub(crate) fn start(&self, session: &Session) {
        self.0.start(session);
    }

    pub(crate) fn stop(&self) {
        self.0.stop();
    }

    /// Samples one operation in `period` from the next countdown on.
    pub(crate) fn set_period(&self, period: u32) {
        self.0.set_period(period);
    }

    /// The periods that were in force in the session, oldest first.
    pub(crate) fn periods(&self) -> Vec<u32> {
        self.0.periods()
    }

    /// The countdown of a lock, or of a thread, that has none yet.
    pub(crate) fn first(&self) -> Countdown {
        self.0.draw()
    }

    /// The countdown after `event`.
    #[inline]
    pub(crate) fn next(&self, event: &Event) -> Countdown {
        // What had to wait is recorded beside the countdown, not by it.
        if event.counted != 0 { self.0.draw() } else { Countdown::UNCHANGED }
    }
}
