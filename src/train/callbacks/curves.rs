//! ROC curves and the reliability diagram of the held-out split, as pictures.
//!
//! Counted in the loop, drawn off it.

use crate::train::classification::measure;
use crate::train::evaluation::pictures::{Roc, diagram, roc};
use crate::train::{Control, EpochEnd, Hook, HookError, Session, Split};

/// Draws, every epoch, a ROC curve of each class against the others into one picture, `roc`, and how far the
/// classifier's confidence can be relied on, `reliability`, both in the run `eval`; of a classifier of two
/// classes only the curve of the second. Of more than 20 classes the first 20 have curves. Scores that are no
/// number have no picture.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::Curves;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = Curves::new(&session, vec!["cat".into(), "dog".into()]).every(5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Curves {
    session: Session,
    class_names: Vec<String>,
    every: usize,
}

impl Curves {
    /// Logs to `session`, with one name a class; a class without one bears its number.
    pub fn new(session: &Session, class_names: Vec<String>) -> Self {
        Self {
            session: session.clone(),
            class_names,
            every: 1,
        }
    }

    /// Draws every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs.max(1);
        self
    }
}

impl Hook for Curves {
    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let predictions = &at.eval.predictions;
        let classes = predictions.classes();
        if !at.epoch.is_multiple_of(self.every) || predictions.is_empty() || classes == 0 {
            return Ok(Control::Continue);
        }
        let Ok(metrics) = measure(predictions) else {
            return Ok(Control::Continue);
        };
        let curve = |class| {
            let name = match classes {
                2 => String::new(),
                _ => super::class_name(&self.class_names, class),
            };
            Roc::of(name, &metrics.steps(class))
        };
        let drawn = usize::from(classes == 2)..classes.min(20);
        let curves: Vec<Roc> = drawn.filter_map(curve).collect();
        let mut instant = self.session.instant();
        if !curves.is_empty() {
            instant.log_with(Split::Eval.run(), "roc", at.epoch, move || {
                super::image_of(&roc(&curves)?)
            });
        }
        let reliability = metrics.reliability();
        if reliability.ece().is_ok() {
            instant.log_with(Split::Eval.run(), "reliability", at.epoch, move || {
                super::image_of(&diagram(&reliability)?)
            });
        }
        Ok(Control::Continue)
    }
}
