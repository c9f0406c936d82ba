//! The clock of a loop: where a step's time goes, while a hook wants to know.

use std::time::{Duration, Instant};

use crate::train::Phases;

/// What a stretch of time belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Data,
    Forward,
    Backward,
    Optimizer,
    Hooks,
    /// None of them.
    Between,
}

/// Measures phases, each from the end of the one before. While it stands, a lap costs a comparison.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When the phase that runs began.
    since: Option<Instant>,
    phases: Phases,
    /// How much was spent in hooks, over all steps.
    pub(super) hooks: Duration,
}

impl Clock {
    /// A phase begins.
    pub(super) fn start(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Stands still; what was measured since the phases were taken belongs to no step.
    #[inline]
    pub(super) fn stop(&mut self) {
        if self.runs() {
            self.since = None;
            self.phases = Phases::default();
        }
    }

    #[inline]
    pub(super) fn runs(&self) -> bool {
        self.since.is_some()
    }

    /// What went by was `phase`; the next begins.
    #[inline(always)]
    pub(super) fn lap(&mut self, phase: Phase) {
        if let Some(since) = self.since {
            self.lap_since(since, phase);
        }
    }

    #[inline(never)]
    fn lap_since(&mut self, since: Instant, phase: Phase) {
        let now = Instant::now();
        self.since = Some(now);
        let lap = now - since;
        match phase {
            Phase::Data => self.phases.data = lap,
            Phase::Forward => self.phases.forward = lap,
            Phase::Backward => self.phases.backward = lap,
            Phase::Optimizer => self.phases.optimizer += lap,
            Phase::Hooks => {
                self.phases.hooks += lap;
                self.hooks += lap;
            }
            Phase::Between => {}
        }
    }

    /// The phases since this was called last.
    pub(super) fn take(&mut self) -> Phases {
        std::mem::take(&mut self.phases)
    }
}
