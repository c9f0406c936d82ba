//! A session that is pushed: a sink and its pusher in one.

use super::{PushError, Pusher, Target};
use crate::flow::{Event, Sink, SinkError};
use crate::health::{EventGauges, Registry};

/// Pushes the series of a session; see [`Pusher::events`].
#[derive(Debug)]
pub struct EventPush {
    gauges: EventGauges,
    pusher: Pusher,
}

impl EventPush {
    pub(super) fn new(target: Target) -> Result<Self, PushError> {
        let registry = Registry::new();
        Ok(Self {
            gauges: registry.sink(),
            pusher: Pusher::builder(&registry).to(target).start()?,
        })
    }

    /// What pushes: to be asked what became of it, also when the session has taken this.
    pub fn pusher(&self) -> &Pusher {
        &self.pusher
    }
}

impl Sink for EventPush {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.gauges.accept(instant)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        // A receiver that is down is no failure of the log; what it missed is counted and said.
        self.pusher.finish();
        Ok(())
    }
}
