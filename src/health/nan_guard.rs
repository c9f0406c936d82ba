//! The guard against NaN: says where the first number that is none came from, and keeps it from the weights.
//!
//! A finite loss shows that the weights were finite, so a loss that is not tells which step broke them.

use super::finding::{Finding, FindingKind, Findings, Place, figure, list};
use crate::train::{
    AfterBackward, BatchEnd, BatchStart, Control, EpochEnd, Hook, HookError, Needs, Session, State,
    Tensors,
};

/// What becomes of a training whose loss or gradients are NaN or infinite.
///
/// ```
/// use modelpulse::health::OnNan;
/// assert_eq!(OnNan::default(), OnNan::Stop);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnNan {
    /// It stops; the batch does not move the weights.
    #[default]
    Stop,
    /// It goes on without that batch; after 100 such batches in a row it stops.
    SkipStep,
    /// It goes on.
    Warn,
}

/// How many batches in a row are skipped before there is no hope.
const HOPELESS: usize = 100;

/// Finds the batch in which a loss, a gradient or a parameter becomes NaN or infinite, says which parameters are
/// concerned, and stops the training, skips the step or only warns. The finding is logged as
/// `health/findings/not_finite` in the run `batch`, with one for each time that it begins; each skipped batch is
/// counted in `health/skipped_batches`.
///
/// It reads the loss of every batch. Gradients are read where the loss is no number, and in every batch if
/// batches are to be skipped; [`gradients_every`](Self::gradients_every) sets that.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::health::{NanGuard, OnNan};
/// let session = modelpulse::Session::create(dir.path())?;
/// let guard = NanGuard::new(&session, OnNan::SkipStep).gradients_every(10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct NanGuard {
    findings: Findings,
    action: OnNan,
    gradients_every: usize,
    /// The items of the batch, where the loop says which.
    items: Vec<u32>,
    /// How many batches in a row were broken, up to the last one; and how many were skipped in all.
    broken: usize,
    skipped: usize,
}

impl NanGuard {
    /// Logs to `session`, and does what `action` says.
    pub fn new(session: &Session, action: OnNan) -> Self {
        Self {
            findings: Findings::new(session),
            action,
            gradients_every: usize::from(action == OnNan::SkipStep),
            items: Vec::new(),
            broken: 0,
            skipped: 0,
        }
    }

    /// Reads the gradients of every `batches`-th batch; 0 for none. Whatever is not read is still found by the
    /// next batch's loss, but the weights are broken then.
    pub fn gradients_every(mut self, batches: usize) -> Self {
        self.gradients_every = batches;
        self
    }

    /// Shows each finding to `report` too.
    pub fn report(mut self, report: impl FnMut(&Finding) + Send + 'static) -> Self {
        self.findings.report = Some(Box::new(report));
        self
    }

    fn looks_at_gradients(&self, step: usize) -> bool {
        self.gradients_every > 0 && step.is_multiple_of(self.gradients_every)
    }

    fn say(&mut self, finding: Finding) -> Control {
        self.findings.say(&finding);
        match self.action {
            OnNan::Stop => Control::Stop(finding.sentence),
            _ => Control::Continue,
        }
    }
}

impl std::fmt::Debug for NanGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NanGuard")
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// The tensors that are broken, each with how many of its values are.
fn broken(tensors: &dyn Tensors) -> Result<Vec<(String, String)>, HookError> {
    let mut broken = Vec::new();
    tensors.visit(&mut |name, _, values| match values.not_finite() {
        0 => {}
        count => broken.push((
            name.to_owned(),
            format!("{count} of {} values", values.len()),
        )),
    })?;
    Ok(broken)
}

fn names(broken: &[(String, String)]) -> String {
    list(&broken.iter().map(|(name, _)| name).collect::<Vec<_>>())
}

/// What began in the batch, from what is broken in it.
fn finding(
    at: &AfterBackward<'_>,
    parameters: &[(String, String)],
    gradients: &[(String, String)],
) -> Finding {
    let (epoch, batch, step) = (at.epoch, at.batch, at.step);
    let here = format!("batch {batch} of epoch {epoch} (step {step})");
    let loss = at.loss.filter(|loss| !loss.is_finite());
    let (sentence, advice): (_, &[&str]) = match (loss, parameters, gradients) {
        (Some(loss), [], []) => (
            format!(
                "the loss became {loss} in {here}, from finite parameters, with finite gradients"
            ),
            &["look at the loss function: a term of it that has no gradient is no number"],
        ),
        (Some(loss), [], _) => (
            format!(
                "the loss became {loss} in {here}, from finite parameters: the forward pass or the loss made it, and it breaks the gradients of {}",
                names(gradients)
            ),
            &[
                "look at the loss function: a logarithm of 0, a division by 0, an exponential of a large number; one that takes logits is stable",
                "look at the items of that batch: are they numbers, and within their range?",
            ],
        ),
        (_, [_, ..], _) => (
            format!(
                "{} became NaN or infinite in the step before {here}: its gradient was, or the step was too large",
                names(parameters)
            ),
            &[
                "a smaller learning rate, or a warm-up",
                "clip the gradients by norm",
                "go back to the last checkpoint: these weights are lost",
            ],
        ),
        (None, [], _) => (
            format!(
                "the gradient of {} became NaN or infinite in {here}, at a finite loss",
                names(gradients)
            ),
            &[
                "look for a square root or a norm at 0, whose slope is infinite, or an overflow in half precision",
                "clip the gradients by value; a norm is no number either",
            ],
        ),
    };
    let mut finding = Finding::new(FindingKind::NotFinite, Place::Step(step), sentence);
    if let Some(loss) = at.loss {
        finding = finding.evidence(format!("loss of step {step}"), figure(loss));
    }
    for (kind, broken) in [("parameter", parameters), ("gradient of", gradients)] {
        for (name, count) in broken {
            finding = finding.evidence(format!("{kind} {name}, NaN or infinite"), count);
        }
    }
    finding.advice(advice)
}

impl Hook for NanGuard {
    fn needs(&self, _: usize) -> Needs {
        // Tensors are copied only where they are looked at.
        Needs::LOSS | Needs::PARAMETERS | Needs::GRADIENTS
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("broken", self.broken as f64);
        state.set("skipped", self.skipped as f64);
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let count = |name: &str| state.number(name).ok_or("the state has no such count");
        (self.broken, self.skipped) = (count("broken")? as usize, count("skipped")? as usize);
        Ok(())
    }

    fn batch_start(&mut self, at: &BatchStart<'_>) -> Result<Control, HookError> {
        self.items.clear();
        self.items.extend(at.indices);
        Ok(Control::Continue)
    }

    fn after_backward(&mut self, at: &AfterBackward<'_>) -> Result<Control, HookError> {
        let bad_loss = at.loss.is_some_and(|loss| !loss.is_finite());
        if !bad_loss && !self.looks_at_gradients(at.step) {
            self.broken = 0;
            return Ok(Control::Continue);
        }
        let gradients = broken(at.gradients)?;
        if !bad_loss && gradients.is_empty() {
            self.broken = 0;
            return Ok(Control::Continue);
        }
        self.broken += 1;
        let mut control = Control::Continue;
        if self.broken == 1 {
            let mut finding = finding(at, &broken(at.parameters)?, &gradients);
            if !self.items.is_empty() {
                let items: Vec<String> = self.items.iter().map(u32::to_string).collect();
                finding = finding.evidence("items of the batch", items.join(" "));
            }
            control = self.say(finding);
        }
        if self.action != OnNan::Warn {
            at.skip_step("its loss or its gradients are NaN or infinite");
        }
        if self.action == OnNan::SkipStep && self.broken >= HOPELESS {
            let reason = format!("{HOPELESS} batches in a row were NaN or infinite");
            return Ok(control.and(Control::Stop(reason)));
        }
        Ok(control)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if self.action == OnNan::SkipStep && self.broken > 0 && at.skipped.is_some() {
            self.skipped += 1;
            let run = self.findings.session.run("batch");
            run.scalar("health/skipped_batches", at.step, self.skipped as f64);
        }
        Ok(Control::Continue)
    }

    /// The last step of an epoch has no batch behind it that would show what it broke.
    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let bad = |loss: Option<&f64>| loss.is_some_and(|loss| !loss.is_finite());
        if self.broken > 0 || !bad(at.eval.metrics.get("loss")) {
            return Ok(Control::Continue);
        }
        let parameters = broken(at.parameters)?;
        let last = at.steps.saturating_sub(1);
        let sentence = match &parameters[..] {
            [] => format!(
                "the held-out loss of epoch {} is no number, from finite parameters",
                at.epoch
            ),
            broken => format!("{} became NaN or infinite in step {last}", names(broken)),
        };
        self.broken = 1;
        let mut finding = Finding::new(FindingKind::NotFinite, Place::Step(last), sentence);
        for (name, count) in parameters {
            finding = finding.evidence(format!("parameter {name}, NaN or infinite"), count);
        }
        Ok(self.say(finding.advice(&["a smaller learning rate", "clip the gradients by norm"])))
    }
}
