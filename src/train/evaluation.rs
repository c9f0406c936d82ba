//! All that accumulators answer, for the log in one call: numbers, curves, pictures.
//!
//! A metric that is undefined is left out; nothing stands in for it.

use super::session::Run;
use crate::metrics::{
    Accumulator, Answer, BinaryMetrics, MulticlassMetrics, MultilabelMetrics, RegressionMetrics,
    Steps,
};
use crate::summary::{PrCounts, PrCurve};
use crate::types::Step;

/// What a model is worth: the answers of its accumulator, and what can be drawn of them.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, train::Evaluation};
/// use modelpulse::metrics::{Accumulator, BinaryBatch, BinaryMetrics};
///
/// let mut metrics = BinaryMetrics::new();
/// metrics.update(BinaryBatch::new(&[false, false, true], &[0.1, 0.6, 0.8]))?;
/// let session = Session::create(dir.path())?;
/// session.run("eval").evaluation(0, &metrics);
/// session.run("named").evaluation(0, Evaluation::from(&metrics).class_names(["spam", "ham"]));
/// assert!(session.finish()?.written > 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Evaluation {
    answers: Vec<(&'static str, Answer)>,
    names: Vec<String>,
    /// Of each class that has curves: which, and its steps.
    steps: Vec<(usize, Steps)>,
    /// Whether scores are probabilities, so that thresholds from 0 to 1 fit them.
    proper: bool,
    #[cfg(feature = "figures")]
    drawn: Drawn,
}

#[cfg(feature = "figures")]
#[derive(Debug, Clone, Default)]
struct Drawn {
    matrix: Option<crate::metrics::ConfusionMatrix>,
    reliability: Option<crate::metrics::Reliability>,
}

impl Evaluation {
    /// With names for the classes; one without a name bears its number.
    #[must_use]
    pub fn class_names<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { names, ..self }
    }

    fn new(answers: Vec<(&'static str, Answer)>) -> Self {
        Self {
            answers,
            names: Vec::new(),
            steps: Vec::new(),
            proper: false,
            #[cfg(feature = "figures")]
            drawn: Drawn::default(),
        }
    }

    fn name(&self, class: usize) -> String {
        super::callbacks::class_name(&self.names, class)
    }
}

impl From<&BinaryMetrics> for Evaluation {
    fn from(metrics: &BinaryMetrics) -> Self {
        Self {
            steps: vec![(1, metrics.steps())],
            proper: metrics.log_loss().is_ok(),
            #[cfg(feature = "figures")]
            drawn: Drawn {
                matrix: Some(metrics.confusion().clone()),
                reliability: Some(metrics.reliability()),
            },
            ..Self::new(metrics.compute().named())
        }
    }
}

impl From<&MulticlassMetrics> for Evaluation {
    fn from(metrics: &MulticlassMetrics) -> Self {
        // More curves than that are not told apart, and each has as many steps as there are scores.
        let classes = 0..metrics.classes().min(MOST_CURVES);
        Self {
            steps: classes.map(|class| (class, metrics.steps(class))).collect(),
            proper: metrics.log_loss().is_ok(),
            #[cfg(feature = "figures")]
            drawn: Drawn {
                matrix: Some(metrics.confusion().clone()),
                reliability: Some(metrics.reliability()),
            },
            ..Self::new(metrics.compute().named())
        }
    }
}

impl From<&MultilabelMetrics> for Evaluation {
    fn from(metrics: &MultilabelMetrics) -> Self {
        let labels = 0..metrics.labels().min(MOST_CURVES);
        let steps: Vec<_> = labels.map(|label| (label, metrics.steps(label))).collect();
        let unit = |steps: &Steps| {
            let thresholds = steps.steps().iter().map(|step| step.threshold);
            thresholds.into_iter().all(|it| (0.0..=1.0).contains(&it))
        };
        Self {
            proper: steps.iter().all(|(_, steps)| unit(steps)),
            steps,
            ..Self::new(metrics.compute().named())
        }
    }
}

impl From<&RegressionMetrics> for Evaluation {
    fn from(metrics: &RegressionMetrics) -> Self {
        Self::new(metrics.compute().named())
    }
}

/// The most classes that get curves of their own.
const MOST_CURVES: usize = 20;

impl Run {
    /// Logs all that an accumulator answers: each metric that is defined as a scalar under its own name, for
    /// classifiers a precision-recall curve a class as `pr_curve`, and with the feature `figures` the pictures
    /// `roc`, `confusion_matrix` and `reliability`, drawn off the loop. Of more than 20 classes the first 20
    /// have curves.
    pub fn evaluation(&self, step: impl Into<Step>, evaluation: impl Into<Evaluation>) {
        let (step, evaluation) = (step.into(), evaluation.into());
        let mut instant = self.session.instant();
        for (name, answer) in &evaluation.answers {
            if let Ok(value) = answer {
                instant.scalar(&self.name, name, step, *value);
            }
        }
        let single = evaluation.steps.len() == 1;
        let curves = evaluation.steps.iter().filter(|_| evaluation.proper);
        for (class, steps) in curves {
            let tag = match single {
                true => "pr_curve".to_owned(),
                false => format!("pr_curve/{}", evaluation.name(*class)),
            };
            if let Ok(curve) = PrCurve::from_counts(&pr_counts(steps, PrCurve::THRESHOLDS)) {
                instant.log(&self.name, &tag, step, curve);
            }
        }
        #[cfg(feature = "figures")]
        pictures::add(&mut instant, &self.name, step, evaluation);
    }
}

/// What is counted at evenly spaced thresholds from 0 to 1.
fn pr_counts(steps: &Steps, thresholds: usize) -> PrCounts {
    let (mut above, mut points) = ((0.0, 0.0), steps.points().peekable());
    let last = (thresholds - 1) as f64;
    let (mut hits, mut alarms): (Vec<f64>, Vec<f64>) = (0..thresholds)
        .rev()
        .map(|i| {
            while let Some(point) = points.next_if(|point| point.threshold >= i as f64 / last) {
                above = (point.true_positives, point.false_positives);
            }
            above
        })
        .unzip();
    hits.reverse();
    alarms.reverse();
    let rest = |all: f64, of: &[f64]| of.iter().map(|part| (all - part).max(0.0)).collect();
    PrCounts {
        false_negatives: rest(steps.positives(), &hits),
        true_negatives: rest(steps.negatives(), &alarms),
        true_positives: hits,
        false_positives: alarms,
    }
}

#[cfg(feature = "figures")]
pub(super) mod pictures {
    //! The curves of an evaluation as pictures.

    use super::{Drawn, Evaluation};
    use crate::figure::{
        Picture, ReliabilityBin, RocCurve, confusion_matrix, reliability_diagram, roc_curves,
    };
    use crate::flow::SinkError;
    use crate::metrics::{Reliability, Steps};
    use crate::train::callbacks::image_of;
    use crate::train::session::Instant;
    use crate::types::Step;

    pub(super) fn add(instant: &mut Instant<'_>, run: &str, step: Step, evaluation: Evaluation) {
        let named = evaluation.steps.iter();
        let single = evaluation.steps.len() == 1;
        let curves: Vec<Roc> = named
            .filter_map(|(class, steps)| {
                let name = if single {
                    String::new()
                } else {
                    evaluation.name(*class)
                };
                Roc::of(name, steps)
            })
            .collect();
        if !curves.is_empty() {
            instant.log_with(run, "roc", step, move || image_of(&roc(&curves)?));
        }
        let Evaluation { names, drawn, .. } = evaluation;
        let Drawn {
            matrix,
            reliability,
        } = drawn;
        if let Some(matrix) = matrix.filter(|matrix| matrix.total() > 0) {
            let named =
                (0..matrix.classes()).map(|c| crate::train::callbacks::class_name(&names, c));
            let names: Vec<String> = named.collect();
            instant.log_with(run, "confusion_matrix", step, move || {
                image_of(&confusion_matrix(&matrix, &names)?)
            });
        }
        if let Some(reliability) = reliability.filter(|it| it.ece().is_ok()) {
            instant.log_with(run, "reliability", step, move || {
                image_of(&diagram(&reliability)?)
            });
        }
    }

    /// A curve that is yet to be drawn.
    #[derive(Debug)]
    pub(crate) struct Roc {
        name: String,
        points: Vec<(f64, f64)>,
        auc: f64,
    }

    impl Roc {
        /// None where there is no curve, for want of positives or of negatives.
        pub(crate) fn of(name: String, steps: &Steps) -> Option<Self> {
            /// A picture has fewer columns than that.
            const MOST_POINTS: usize = 1000;
            let all = steps.roc_curve().ok()?;
            let apart = all.len().div_ceil(MOST_POINTS);
            let mut points: Vec<_> = all.iter().copied().step_by(apart).collect();
            if points.last() != all.last() {
                points.extend(all.last());
            }
            let auc = steps.roc_auc().ok()?;
            Some(Self { name, points, auc })
        }
    }

    pub(crate) fn roc(curves: &[Roc]) -> Result<Picture, SinkError> {
        let curves: Vec<RocCurve<'_>> = curves
            .iter()
            .map(|curve| RocCurve {
                name: &curve.name,
                points: &curve.points,
                auc: curve.auc,
            })
            .collect();
        Ok(roc_curves(&curves)?)
    }

    pub(crate) fn diagram(reliability: &Reliability) -> Result<Picture, SinkError> {
        let bins: Vec<ReliabilityBin> = reliability.bins.iter().copied().map(Into::into).collect();
        Ok(reliability_diagram(&bins)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{BinaryBatch, Ranking};

    #[test]
    fn counts_at_thresholds_are_those_of_the_scores() {
        let labels = [true, false, true, false, true, false];
        let scores = [0.5, 0.25, 1.0, 0.0, 0.74, 0.75];
        let mut ranking = Ranking::new();
        ranking.update(BinaryBatch::new(&labels, &scores)).unwrap();
        let counts = pr_counts(&ranking.compute(), 5);
        assert_eq!(counts.true_positives, [3.0, 3.0, 3.0, 1.0, 1.0]);
        assert_eq!(counts.false_positives, [3.0, 2.0, 1.0, 1.0, 0.0]);
        assert_eq!(counts.false_negatives, [0.0, 0.0, 0.0, 2.0, 2.0]);
        assert_eq!(counts.true_negatives, [0.0, 1.0, 2.0, 2.0, 3.0]);
        let ours = PrCurve::from_counts(&counts).unwrap();
        let theirs = PrCurve::with_thresholds(&scores, &labels, 5).unwrap();
        assert_eq!(ours.precision(), theirs.precision());
        assert_eq!(ours.recall(), theirs.recall());
    }
}
