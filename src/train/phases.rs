//! Where a step's time went.
//!
//! The clock is read only in steps of which a hook needs the time.

use std::time::Duration;

/// How long each phase of a step took. On a GPU the phases of a framework that queues its work end when
/// the work is queued, and the wait for it falls into the phase that needs a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phases {
    /// From the end of the batch before, or the epoch's start, to the batch's start: getting the data.
    pub data: Duration,
    /// From the batch's start to its loss.
    pub forward: Duration,
    /// From the loss to the gradients.
    pub backward: Duration,
    /// From the gradients to the moved parameters, clipping included.
    pub optimizer: Duration,
    /// In hooks, logging included; those of the batch's end count towards the next step.
    pub hooks: Duration,
    /// In logging calls of the loop's [session](super::Session), where it has one.
    pub logging: Duration,
}

impl Phases {
    /// All phases together; logging is a part of the hooks.
    pub fn total(&self) -> Duration {
        self.data + self.forward + self.backward + self.optimizer + self.hooks
    }
}
