//! Precision–recall curves of the held-out split.
//!
//! Counted off the loop, by the thread that writes the log.

use crate::summary::PrCurve;
use crate::train::{Control, EpochEnd, Hook, HookError, Session, Split};

/// Logs, every epoch, a precision–recall curve of each class against the others as `pr_curve/…`, to the run
/// `eval`; of a classifier of two classes only that of the second. Scores that are no number have no curve.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::PrCurves;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = PrCurves::new(&session, vec!["cat".into(), "dog".into()]).every(5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct PrCurves {
    session: Session,
    class_names: Vec<String>,
    every: usize,
}

impl PrCurves {
    /// Logs to `session`, with one name a class; a class without one bears its number.
    pub fn new(session: &Session, class_names: Vec<String>) -> Self {
        Self {
            session: session.clone(),
            class_names,
            every: 1,
        }
    }

    /// Logs every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs.max(1);
        self
    }
}

impl Hook for PrCurves {
    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let predictions = &at.eval.predictions;
        if !at.epoch.is_multiple_of(self.every) || predictions.is_empty() {
            return Ok(Control::Continue);
        }
        let mut instant = self.session.instant();
        let classes = predictions.classes();
        for class in usize::from(classes == 2)..classes {
            let (labels, scores): (Vec<bool>, Vec<f32>) = predictions
                .iter()
                .map(|(_, label, scores)| (label == class, scores[class]))
                .unzip();
            // A softmax may come out a little above 1.
            if scores.iter().any(|score| score.is_nan()) {
                continue;
            }
            let scores: Vec<f32> = scores.iter().map(|score| score.clamp(0.0, 1.0)).collect();
            let name = super::class_name(&self.class_names, class);
            let tag = format!("pr_curve/{name}");
            instant.log_with(Split::Eval.run(), &tag, at.epoch, move || {
                Ok(PrCurve::of(&scores, &labels)?.into())
            });
        }
        Ok(Control::Continue)
    }
}
