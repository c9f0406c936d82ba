//! The steps of ROC and precision-recall curves, and the areas below them.
//!
//! A step is all samples of one score. Scores that tie cannot be told apart by a threshold, so they are taken together:
//! the curves turn between steps only.
//!
//! Formulas: [scikit-learn, "Classification metrics"][1], checked against scikit-learn 1.9.1.
//!
//! [1]: https://scikit-learn.org/stable/modules/model_evaluation.html#classification-metrics

use super::{Answer, Undefined};

/// What has one score, or one interval of scores in bounded memory.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Ranking};
/// let mut ranking = Ranking::new();
/// ranking.update(BinaryBatch::new(&[false, true], &[0.5, 0.5]))?;
/// let step = ranking.compute().steps()[0];
/// assert_eq!((step.threshold, step.positives, step.negatives), (0.5, 1.0, 1.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The score, or the lowest that the interval holds.
    pub threshold: f64,
    /// What the positives weigh.
    pub positives: f64,
    /// What the negatives weigh.
    pub negatives: f64,
}

/// What was counted above a threshold: a point of both curves.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Ranking};
/// let mut ranking = Ranking::new();
/// ranking.update(BinaryBatch::new(&[false, true, true], &[0.5, 0.5, 0.9]))?;
/// let points: Vec<_> = ranking.compute().points().collect();
/// assert_eq!((points[0].threshold, points[0].true_positives), (0.9, 1.0));
/// assert_eq!((points[1].true_positives, points[1].false_positives), (2.0, 1.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Scores of at least this are predicted positive.
    pub threshold: f64,
    /// What the positives weigh that are predicted so.
    pub true_positives: f64,
    /// What the negatives weigh that are predicted positive.
    pub false_positives: f64,
}

/// The steps of the ROC and the precision-recall curve of a binary classifier, from the highest score down.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Ranking};
///
/// let mut ranking = Ranking::new();
/// ranking.update(BinaryBatch::new(&[false, false, true, true], &[0.1, 0.4, 0.35, 0.8]))?;
/// let steps = ranking.compute();
/// assert_eq!(steps.roc_auc(), Ok(0.75));
/// let average_precision = steps.average_precision().unwrap();
/// assert!((average_precision - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    steps: Vec<Step>,
    positives: f64,
    negatives: f64,
    /// Whether samples of a step may have different scores.
    binned: bool,
}

impl Steps {
    /// Steps of one score each, from the highest down.
    pub(super) fn exact(steps: Vec<Step>) -> Self {
        let mut all = Self {
            steps,
            positives: 0.0,
            negatives: 0.0,
            binned: false,
        };
        for step in &all.steps {
            all.positives += step.positives;
            all.negatives += step.negatives;
        }
        all
    }

    /// Steps of intervals of scores, from the highest down.
    pub(super) fn binned(steps: Vec<Step>) -> Self {
        Self {
            binned: true,
            ..Self::exact(steps)
        }
    }

    /// The steps, from the highest score down.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the positives weigh.
    #[must_use]
    pub fn positives(&self) -> f64 {
        self.positives
    }

    /// What the negatives weigh.
    #[must_use]
    pub fn negatives(&self) -> f64 {
        self.negatives
    }

    fn some_positives(&self) -> Result<(), Undefined> {
        if self.positives > 0.0 {
            Ok(())
        } else if self.negatives > 0.0 {
            Err(Undefined::NoPositives)
        } else {
            Err(Undefined::NoSamples)
        }
    }

    fn both(&self) -> Result<(), Undefined> {
        self.some_positives()?;
        if self.negatives > 0.0 {
            Ok(())
        } else {
            Err(Undefined::NoNegatives)
        }
    }

    /// The points of the curves, one behind each step: what is predicted positive at each threshold.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let mut counts = (0.0, 0.0);
        self.steps.iter().map(move |step| {
            counts.0 += step.positives;
            counts.1 += step.negatives;
            Point {
                threshold: step.threshold,
                true_positives: counts.0,
                false_positives: counts.1,
            }
        })
    }

    /// The ROC curve: (false positive rate, true positive rate) of each threshold from the highest down, led by (0, 0).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`] or [`Undefined::NoNegatives`].
    pub fn roc_curve(&self) -> Result<Vec<(f64, f64)>, Undefined> {
        self.both()?;
        let points = self.points().map(|point| self.rates(point));
        Ok(std::iter::once((0.0, 0.0)).chain(points).collect())
    }

    fn rates(&self, point: Point) -> (f64, f64) {
        (
            point.false_positives / self.negatives,
            point.true_positives / self.positives,
        )
    }

    /// The precision-recall curve: (recall, precision) of each threshold from the highest down, led by the (0, 1) that no
    /// threshold has.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NoPositives`].
    pub fn pr_curve(&self) -> Result<Vec<(f64, f64)>, Undefined> {
        self.some_positives()?;
        let points = self.points().map(|point| self.recall_and_precision(point));
        Ok(std::iter::once((0.0, 1.0)).chain(points).collect())
    }

    fn recall_and_precision(&self, point: Point) -> (f64, f64) {
        let Point {
            true_positives: tp,
            false_positives: fp,
            ..
        } = point;
        // Nothing but samples of weight 0 is above: no positive was predicted.
        let precision = if tp + fp > 0.0 { tp / (tp + fp) } else { 1.0 };
        (tp / self.positives, precision)
    }

    /// The area under the ROC curve, 0..=1; see [`roc_auc_bounds`](Self::roc_auc_bounds) for bounded memory.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`] or [`Undefined::NoNegatives`].
    pub fn roc_auc(&self) -> Answer {
        self.both()?;
        // Twice the pairs in which the positive is above: whole numbers without weights, exact below 2^53.
        let (mut pairs, mut above) = (0.0, 0.0);
        for step in &self.steps {
            pairs += step.negatives * (2.0 * above + step.positives);
            above += step.positives;
        }
        Ok(pairs / 2.0 / (self.positives * self.negatives))
    }

    /// Between which numbers the area under the ROC curve is: twice the same where every score was kept. In bounded
    /// memory samples of one interval of scores may be in any order, which moves the area by at most half of the
    /// pairs within intervals.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`] or [`Undefined::NoNegatives`].
    pub fn roc_auc_bounds(&self) -> Result<(f64, f64), Undefined> {
        let area = self.roc_auc()?;
        if !self.binned {
            return Ok((area, area));
        }
        let within: f64 = self
            .steps
            .iter()
            .map(|it| it.positives * it.negatives)
            .sum();
        let most = within / 2.0 / (self.positives * self.negatives);
        Ok(((area - most).max(0.0), (area + most).min(1.0)))
    }

    /// The area under the ROC curve up to a false positive rate of `most`, scaled so that chance gives 0.5 and a perfect
    /// classifier 1 (D. K. McClish, 1989, doi 10.1177/0272989X8900900307).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`], [`Undefined::NoNegatives`], or [`Undefined::OutOfDomain`]
    /// if `most` is not in 0..=1 or is 0.
    pub fn partial_roc_auc(&self, most: f64) -> Answer {
        if !(most > 0.0 && most <= 1.0) {
            return Err(Undefined::OutOfDomain);
        }
        let curve = self.roc_curve()?;
        let mut area = 0.0;
        for pair in curve.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if x1 <= most {
                area += (x1 - x0) * (y0 + y1) / 2.0;
            } else {
                let end = y0 + (y1 - y0) * (most - x0) / (x1 - x0);
                area += (most - x0) * (y0 + end) / 2.0;
                break;
            }
        }
        let least = most * most / 2.0;
        Ok(0.5 * (1.0 + (area - least) / (most - least)))
    }

    /// Average precision: the mean precision over the positives, each at the threshold of its own score. It is the sum
    /// of steps, without interpolation.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NoPositives`].
    pub fn average_precision(&self) -> Answer {
        self.some_positives()?;
        let points = self.points().zip(&self.steps);
        let gains = points.map(|(point, step)| {
            let (_, precision) = self.recall_and_precision(point);
            step.positives * precision
        });
        Ok(gains.sum::<f64>() / self.positives)
    }

    /// Between which numbers the average precision is; see [`roc_auc_bounds`](Self::roc_auc_bounds).
    ///
    /// In an interval of scores the precision at a positive is at most that of all its positives coming first, and at
    /// least that of the first of them coming behind all negatives.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NoPositives`].
    pub fn average_precision_bounds(&self) -> Result<(f64, f64), Undefined> {
        let value = self.average_precision()?;
        if !self.binned {
            return Ok((value, value));
        }
        let (mut low, mut high) = (0.0, 0.0);
        let (mut tp, mut fp) = (0.0, 0.0);
        for step in &self.steps {
            // A sample may weigh next to nothing, so the first one behind all negatives may have only these below it.
            let behind = tp + fp + step.negatives;
            if step.positives > 0.0 && behind > 0.0 {
                low += step.positives * tp / behind;
            } else {
                low += step.positives;
            }
            if step.positives > 0.0 {
                high += step.positives * (tp + step.positives) / (tp + step.positives + fp);
            }
            tp += step.positives;
            fp += step.negatives;
        }
        Ok((low / self.positives, high / self.positives))
    }

    /// The area under the straight lines between the points of the precision-recall curve. It is too good by design
    /// (J. Davis and M. Goadrich, 2006, doi 10.1145/1143844.1143874): prefer
    /// [`average_precision`](Self::average_precision).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NoPositives`].
    pub fn pr_auc_trapezoid(&self) -> Answer {
        let curve = self.pr_curve()?;
        let areas = curve.windows(2).map(|pair| {
            let ((r0, p0), (r1, p1)) = (pair[0], pair[1]);
            (r1 - r0) * (p0 + p1) / 2.0
        });
        Ok(areas.sum())
    }

    /// The largest difference of true and false positive rate over all thresholds: the Kolmogorov-Smirnov distance of
    /// the scores of positives and negatives.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`] or [`Undefined::NoNegatives`].
    pub fn ks_separation(&self) -> Answer {
        self.both()?;
        let differences = self.points().map(|point| {
            let (fpr, tpr) = self.rates(point);
            tpr - fpr
        });
        Ok(differences.fold(0.0, f64::max))
    }
}
