//! Which operations are sampled: here one in N, drawn at random, of all locks
//! alike. What has to wait is recorded beside that, always.
//!
//! Three rules, whatever takes the place of this:
//!
//! - A countdown is drawn at random. A fixed stride meets the program's own rhythm,
//!   and sees one lock always and another never.
//! - A countdown carries the weight that holds when it is drawn. What comes back
//!   with an event is that weight, even if the period has changed since.
//! - Neither the choice nor the weight may depend on how long the operation took.

use lockscope_backends::sampler::Sampler;
use lockscope_core::{Countdown, Event, Session};

/// One period for all.
#[derive(Debug, Default)]
pub(crate) struct Policy(Sampler);

impl Policy {
    /// Begins a session, whose draws follow from its seed.
    pub(crate) fn start(&self, session: &Session) {
        self.0.start(session);
    }

    /// Ends it: what is set from now on is for the next one.
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

    /// The countdown of a lock that the session meets, or of a thread.
    pub(crate) fn first(&self) -> Countdown {
        self.0.draw()
    }

    /// The countdown after `event`, if that ended one.
    #[inline]
    pub(crate) fn next(&self, event: &Event) -> Countdown {
        self.0.draw_after(event)
    }
}
