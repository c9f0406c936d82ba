//! ROC curves and the reliability diagram of the held-out split, as pictures.
//!
//! Counted and drawn off the loop, which only looks whether there is something to draw.

use std::sync::{Arc, OnceLock};

use crate::flow::SinkError;
use crate::metrics::{Accumulator, MetricError, MulticlassBatch, MulticlassMetrics};
use crate::train::evaluation::pictures::{Roc, diagram, roc};
use crate::train::{Control, EpochEnd, Hook, HookError, Predictions, Session, Split};

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
        let mut counts = vec![0; classes];
        for (_, label, scores) in predictions.iter() {
            match counts.get_mut(label) {
                Some(count) if scores.iter().all(|score| !score.is_nan()) => *count += 1,
                _ => return Ok(Control::Continue),
            }
        }
        // A curve takes items of the class and of others.
        let drawn = usize::from(classes == 2)..classes.min(20);
        let drawn = drawn.filter(|&class| (1..predictions.len()).contains(&counts[class]));
        let name = |class| match classes {
            2 => String::new(),
            _ => super::class_name(&self.class_names, class),
        };
        let drawn: Vec<(usize, String)> = drawn.map(|class| (class, name(class))).collect();
        let measured = Arc::new(Measured {
            predictions: predictions.clone(),
            metrics: OnceLock::new(),
        });
        let mut instant = self.session.instant();
        let run = Split::Eval.run();
        if !drawn.is_empty() {
            let measured = measured.clone();
            instant.log_with(run, "roc", at.epoch, move || {
                let metrics = measured.metrics()?;
                let curve = |(class, name)| Roc::of(name, &metrics.steps(class));
                let curves: Vec<Roc> = drawn.into_iter().filter_map(curve).collect();
                super::image_of(&roc(&curves)?)
            });
        }
        instant.log_with(run, "reliability", at.epoch, move || {
            super::image_of(&diagram(&measured.metrics()?.reliability())?)
        });
        Ok(Control::Continue)
    }
}

/// Predictions, measured once for both pictures.
struct Measured {
    predictions: Predictions,
    metrics: OnceLock<Result<MulticlassMetrics, MetricError>>,
}

impl Measured {
    fn metrics(&self) -> Result<&MulticlassMetrics, SinkError> {
        let metrics = self.metrics.get_or_init(|| measure(&self.predictions));
        metrics.as_ref().map_err(|error| error.to_string().into())
    }
}

/// All metrics of a classifier's predictions.
fn measure(predictions: &Predictions) -> Result<MulticlassMetrics, MetricError> {
    let mut metrics = MulticlassMetrics::new(predictions.classes());
    let mut labels = Vec::with_capacity(predictions.len());
    let mut scores = Vec::with_capacity(predictions.len() * predictions.classes());
    for (_, label, row) in predictions.iter() {
        labels.push(label);
        scores.extend(row.iter().map(|&score| f64::from(score).clamp(0.0, 1.0)));
    }
    metrics.update(MulticlassBatch::new(&labels, &scores))?;
    Ok(metrics)
}
