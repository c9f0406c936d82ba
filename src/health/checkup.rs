//! A training is watched by detectors, as a hook.
//!
//! Gradients are read only in steps in which a detector wants to see them, and once for all of them.

use super::finding::Findings;
use super::{ClassRecall, Detector, Finding, Gradient, Observation, Place, detectors};
use crate::train::{
    AfterBackward, BatchEnd, Control, EpochEnd, Hook, HookError, Needs, Session, State,
};

/// Has [`Detector`]s watch a training. What they find is logged as text: `health/findings/…` in the run `train`
/// where it is about an epoch, in the run `batch` where it is about a step.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::health::{Checkup, DeadUnits, Overfit};
/// let session = modelpulse::Session::create(dir.path())?;
/// let all = Checkup::new(&session).report(|finding| println!("{finding}"));
/// let two = Checkup::of(&session, Overfit::default().patience(5)).and(DeadUnits::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Checkup {
    findings: Findings,
    detectors: Vec<Box<dyn Detector>>,
}

impl Checkup {
    /// All detectors, with their default settings.
    pub fn new(session: &Session) -> Self {
        Self {
            findings: Findings::new(session),
            detectors: detectors(),
        }
    }

    /// This detector alone.
    pub fn of(session: &Session, detector: impl Detector + 'static) -> Self {
        Self {
            findings: Findings::new(session),
            detectors: vec![Box::new(detector)],
        }
    }

    /// This detector too. In place of one for the same kind of finding, where there is one: that is how to
    /// change a setting.
    pub fn and(mut self, detector: impl Detector + 'static) -> Self {
        let name = detector.name();
        self.detectors.retain(|other| other.name() != name);
        self.detectors.push(Box::new(detector));
        self
    }

    /// Shows each finding to `report` too.
    pub fn report(mut self, report: impl FnMut(&Finding) + Send + 'static) -> Self {
        self.findings.report = Some(Box::new(report));
        self
    }

    /// Shows what there is to see to the detectors that want `needs` of this step.
    fn observe(&mut self, step: Option<usize>, needs: Needs, seen: &Observation<'_>) {
        for detector in &mut self.detectors {
            if step.is_some_and(|step| !detector.needs(step).has(needs)) {
                continue;
            }
            if let Some(finding) = detector.observe(seen) {
                self.findings.say(&finding);
            }
        }
    }
}

impl std::fmt::Debug for Checkup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.detectors.iter().map(|detector| detector.name());
        f.write_str("Checkup ")?;
        f.debug_list().entries(names).finish()
    }
}

impl Hook for Checkup {
    fn needs(&self, step: usize) -> Needs {
        let needs = self.detectors.iter().map(|detector| detector.needs(step));
        needs.fold(Needs::NOTHING, |all, needs| all | needs)
    }

    fn state(&self) -> State {
        let mut state = State::new();
        for detector in &self.detectors {
            state.nest(detector.name(), detector.state());
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        for detector in &mut self.detectors {
            // One that the checkpoint does not know begins anew.
            let state = state.under(detector.name());
            if !state.is_empty() {
                detector.load_state(&state)?;
            }
        }
        Ok(())
    }

    fn after_backward(&mut self, at: &AfterBackward<'_>) -> Result<Control, HookError> {
        if self.needs(at.step).has(Needs::GRADIENTS) {
            let mut gradients = Vec::new();
            at.gradients.visit(&mut |name, shape, values| {
                gradients.push(Gradient::of(name, shape, values));
            })?;
            let seen = Observation::Gradients {
                step: at.step,
                gradients: &gradients,
            };
            self.observe(Some(at.step), Needs::GRADIENTS, &seen);
        }
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if let Some(loss) = at.loss {
            let seen = Observation::Batch {
                step: at.step,
                loss,
            };
            self.observe(Some(at.step), Needs::LOSS, &seen);
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let place = Place::Epoch(at.epoch);
        let classes = ClassRecall::of(&at.eval.predictions);
        if !classes.is_empty() {
            let classes = &classes[..];
            let seen = Observation::Classes { place, classes };
            self.observe(None, Needs::NOTHING, &seen);
        }
        let seen = Observation::Epoch {
            place,
            train: &at.train.metrics,
            eval: &at.eval.metrics,
        };
        self.observe(None, Needs::NOTHING, &seen);
        Ok(Control::Continue)
    }
}
