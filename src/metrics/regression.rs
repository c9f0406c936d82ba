//! All metrics of a regression.
//!
//! Formulas: [scikit-learn, "Regression metrics"][1], checked against scikit-learn 1.9.1.
//!
//! [1]: https://scikit-learn.org/stable/modules/model_evaluation.html#regression-metrics

use std::borrow::Cow;

use super::batch::{check_length, check_weights};
use super::exact::product;
use super::median::{Magnitudes, median, plain_median};
use super::moments::{Moments, Within, samples};
use super::report::report;
use super::{
    Accumulator, Answer, Batch, ExactSum, Memory, MetricError, OwnedRegression, RegressionBatch,
    Undefined, correlation,
};

/// All metrics of a regression, from true values and predictions.
///
/// Both must be finite. Sums are exact, so that values far from zero do not cancel.
///
/// Memory is 16 bytes a sample, 24 with weights, and a few kB; see [`memory`](Self::memory) for endless streams.
///
/// ```
/// use modelpulse::metrics::{Accumulator, RegressionBatch, RegressionMetrics};
///
/// let mut metrics = RegressionMetrics::new();
/// metrics.update(RegressionBatch::new(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0]))?;
/// let report = metrics.compute();
/// assert_eq!(report.mae, Ok(0.5));
/// assert_eq!(report.mse, Ok(0.375));
/// assert!((report.r2.unwrap() - 0.9486081370449679).abs() < 1e-12);
/// assert_eq!(metrics.quantile_loss(0.9), Ok(0.15));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegressionMetrics {
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    /// Of which each answer takes the sums that it needs.
    Rows(Rows),
    Sums(Box<Sums>),
}

#[derive(Debug, Clone, Default)]
struct Sums {
    moments: Moments,
    errors: Magnitudes,
}

#[derive(Debug, Clone, Default)]
struct Rows {
    truths: Vec<f64>,
    predictions: Vec<f64>,
    /// One a truth, or none at all where each weighs 1.
    weights: Vec<f64>,
}

impl Rows {
    fn extend(&mut self, batch: RegressionBatch<'_>) {
        if let Some(weights) = batch.weights {
            self.weights.resize(self.truths.len(), 1.0);
            self.weights.extend_from_slice(weights);
        }
        self.truths.extend_from_slice(batch.truths);
        self.predictions.extend_from_slice(batch.predictions);
        if !self.weights.is_empty() {
            self.weights.resize(self.truths.len(), 1.0);
        }
    }

    fn batch(&self) -> RegressionBatch<'_> {
        RegressionBatch {
            weights: (!self.weights.is_empty()).then_some(&self.weights[..]),
            ..RegressionBatch::new(&self.truths, &self.predictions)
        }
    }

    /// The median of what `value` makes of truths and predictions.
    fn median(&self, value: impl Fn(f64, f64) -> f64) -> Answer {
        let values = samples(self.batch()).map(|(truth, it, weight)| (value(truth, it), weight));
        let median = match self.weights.is_empty() {
            true => plain_median(values.map(|(value, _)| value)),
            false => median(values),
        };
        median.ok_or(Undefined::NoSamples)
    }
}

impl Default for RegressionMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RegressionMetrics {
    /// An accumulator that keeps every sample.
    #[must_use]
    pub fn new() -> Self {
        Self {
            kept: Kept::Rows(Rows::default()),
        }
    }

    /// Keeps every sample, or sums only. What was taken is forgotten.
    ///
    /// In bounded memory the median absolute error is within 0.4 % (2⁻⁸) of itself, and what needs every sample is
    /// [not kept](Undefined::NotKept): D² of the absolute error, Tweedie deviance, rank correlation. All else is the same
    /// to the last bit. The number of thresholds does not matter.
    #[must_use]
    pub fn memory(self, memory: Memory) -> Self {
        let kept = match memory {
            Memory::Exact => Kept::Rows(Rows::default()),
            Memory::Bounded { .. } => Kept::Sums(Box::default()),
        };
        Self { kept }
    }

    /// The sums that `take` takes, or all where no more than sums was kept.
    fn sums(&self, take: impl Fn(&mut Moments, RegressionBatch<'_>)) -> Cow<'_, Moments> {
        match &self.kept {
            Kept::Sums(sums) => Cow::Borrowed(&sums.moments),
            Kept::Rows(rows) => {
                let mut moments = Moments::default();
                moments.take_samples(rows.batch());
                take(&mut moments, rows.batch());
                Cow::Owned(moments)
            }
        }
    }

    fn rows(&self) -> Result<&Rows, Undefined> {
        match &self.kept {
            Kept::Rows(rows) => Ok(rows),
            Kept::Sums(_) => Err(Undefined::NotKept),
        }
    }

    /// The mean absolute error.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::Overflow`].
    pub fn mae(&self) -> Answer {
        mae(&self.sums(Moments::take_sides))
    }

    /// The mean squared error; its root is the RMSE.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::Overflow`].
    pub fn mse(&self) -> Answer {
        let sums = self.sums(Moments::take_errors);
        mean(&sums, &sums.error_squared)
    }

    /// The mean quantile loss (*pinball loss*) of predictions of the `quantile` of 0..=1: what is too low costs
    /// `quantile` a unit, what is too high the rest of 1. For 0.5 it is half of the mean absolute error.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::Overflow`], or [`Undefined::OutOfDomain`] if `quantile` is not in 0..=1.
    pub fn quantile_loss(&self, quantile: f64) -> Answer {
        if !(0.0..=1.0).contains(&quantile) {
            return Err(Undefined::OutOfDomain);
        }
        quantile_loss(&self.sums(Moments::take_sides), quantile)
    }

    /// R², the share of the variance of the truth that predictions explain, at most 1.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::TooFewSamples`] below 2, [`Undefined::Overflow`], or
    /// [`Undefined::ConstantTruth`], where scikit-learn gives 1 if all predictions are right and 0 otherwise.
    pub fn r2(&self) -> Answer {
        let sums = self.sums(|sums, batch| {
            sums.take_truths(batch);
            sums.take_errors(batch);
        });
        explained(&sums, sums.error_squared.value())
    }

    /// As [`r2`](Self::r2), but a constant error is forgiven.
    ///
    /// # Errors
    ///
    /// As [`r2`](Self::r2).
    pub fn explained_variance(&self) -> Answer {
        let sums = self.sums(|sums, batch| {
            sums.take_truths(batch);
            sums.take_errors(batch);
        });
        explained(&sums, sums.error_spread())
    }

    /// The median absolute error; that of weighted samples as in scikit-learn.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn median_absolute_error(&self) -> Answer {
        match &self.kept {
            Kept::Rows(rows) => rows.median(|truth, it| (it - truth).abs()),
            Kept::Sums(sums) => sums.errors.median().ok_or(Undefined::NoSamples),
        }
    }

    /// D² of the absolute error: R² with absolute errors, from the median instead of the mean.
    ///
    /// # Errors
    ///
    /// As [`r2`](Self::r2), or [`Undefined::NotKept`] in bounded memory.
    pub fn d2_absolute_error(&self) -> Answer {
        let sums = self.sums(Moments::take_sides);
        self.d2(&sums)
    }

    fn d2(&self, sums: &Moments) -> Answer {
        let weight = weight(sums)?;
        let rows = self.rows()?;
        if sums.samples < 2 {
            return Err(Undefined::TooFewSamples);
        }
        let median = rows.median(|truth, _| truth)?;
        let mut spread = ExactSum::new();
        let far = samples(rows.batch());
        spread.add_all(far.flat_map(|(truth, _, w)| product((truth - median).abs(), w)));
        if spread.value() <= 0.0 {
            return Err(Undefined::ConstantTruth);
        }
        finite(1.0 - mae(sums)? / (spread.value() / weight))
    }

    /// The mean Tweedie deviance of a power in 1..2 between Poisson (1) and gamma (2), both excluded: those have answers
    /// of their own.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NotKept`] in bounded memory, [`Undefined::Overflow`], or
    /// [`Undefined::OutOfDomain`] for another power, a negative truth or a prediction that is not positive.
    pub fn tweedie_deviance(&self, power: f64) -> Answer {
        let batch = self.rows()?.batch();
        let outside = samples(batch).any(|(y, p, _)| y < 0.0 || p <= 0.0);
        if outside || !(power > 1.0 && power < 2.0) {
            return Err(Undefined::OutOfDomain);
        }
        let (one, two) = (1.0 - power, 2.0 - power);
        let mut sum = ExactSum::new();
        sum.add_all(samples(batch).flat_map(|(y, p, weight)| {
            let deviance = y.powf(two) / (one * two) - y * p.powf(one) / one + p.powf(two) / two;
            product(2.0 * deviance, weight)
        }));
        mean(&self.sums(|_, _| ()), &sum)
    }

    /// Pearson's correlation of truths and predictions, -1..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::TooFewSamples`] below 2, [`Undefined::Overflow`], or
    /// [`Undefined::Constant`] where either is constant.
    pub fn pearson(&self) -> Answer {
        pearson(&self.sums(|sums, batch| {
            sums.take_truths(batch);
            sums.take_predictions(batch);
        }))
    }

    /// Spearman's rank correlation of truths and predictions, -1..=1; weights do not count.
    ///
    /// # Errors
    ///
    /// As [`pearson`](Self::pearson), or [`Undefined::NotKept`] in bounded memory.
    pub fn spearman(&self) -> Answer {
        let rows = self.rows()?;
        correlation::spearman(&rows.truths, &rows.predictions)
    }

    /// Kendall's rank correlation τ-b of truths and predictions, -1..=1; weights do not count.
    ///
    /// # Errors
    ///
    /// As [`pearson`](Self::pearson), or [`Undefined::NotKept`] in bounded memory.
    pub fn kendall_tau(&self) -> Answer {
        let rows = self.rows()?;
        correlation::kendall(&rows.truths, &rows.predictions)
    }
}

fn weight(sums: &Moments) -> Result<f64, Undefined> {
    let weight = sums.weight.value();
    if weight > 0.0 {
        Ok(weight)
    } else {
        Err(Undefined::NoSamples)
    }
}

fn mean(sums: &Moments, sum: &ExactSum) -> Answer {
    finite(sum.value() / weight(sums)?)
}

fn mean_within(sums: &Moments, sum: &Within) -> Answer {
    if sum.outside > 0 {
        return Err(Undefined::OutOfDomain);
    }
    mean(sums, &sum.sum)
}

fn mae(sums: &Moments) -> Answer {
    let mut sum = sums.above.clone();
    sum.merge(&sums.below);
    mean(sums, &sum)
}

fn quantile_loss(sums: &Moments, quantile: f64) -> Answer {
    let mut sum = ExactSum::new();
    sum.add_scaled(&sums.below, quantile);
    sum.add_scaled(&sums.above, 1.0 - quantile);
    mean(sums, &sum)
}

fn explained(sums: &Moments, errors: f64) -> Answer {
    weight(sums)?;
    if sums.samples < 2 {
        return Err(Undefined::TooFewSamples);
    }
    let spread = sums.truth_spread();
    if spread <= 0.0 {
        return Err(Undefined::ConstantTruth);
    }
    finite(1.0 - errors / spread)
}

fn pearson(sums: &Moments) -> Answer {
    weight(sums)?;
    if sums.samples < 2 {
        return Err(Undefined::TooFewSamples);
    }
    let (truth, prediction) = (sums.truth_spread(), sums.prediction_spread());
    if truth <= 0.0 || prediction <= 0.0 {
        return Err(Undefined::Constant);
    }
    finite(sums.covariance() / (truth.sqrt() * prediction.sqrt()))
}

fn finite(value: f64) -> Answer {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Undefined::Overflow)
    }
}

impl Accumulator for RegressionMetrics {
    type Owned = OwnedRegression;
    type Batch<'a> = RegressionBatch<'a>;
    type Answer = RegressionReport;

    /// [`MetricError::NotFinite`], [`MetricError::Lengths`] or [`MetricError::Weight`].
    fn check(&self, batch: RegressionBatch<'_>) -> Result<(), MetricError> {
        check_length("predictions", batch.len(), batch.predictions.len())?;
        check_weights(batch.weights, batch.len(), self.samples())?;
        for (column, values) in [("truth", batch.truths), ("prediction", batch.predictions)] {
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let sample = self.samples() + at as u64;
                return Err(MetricError::NotFinite { sample, column });
            }
        }
        Ok(())
    }

    fn update(&mut self, batch: RegressionBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        match &mut self.kept {
            Kept::Rows(rows) => rows.extend(batch),
            Kept::Sums(sums) => {
                sums.moments.take_samples(batch);
                sums.moments.take_all(batch);
                for (truth, prediction, weight) in samples(batch) {
                    sums.errors.add(prediction - truth, weight);
                }
            }
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        match (&mut self.kept, &other.kept) {
            (Kept::Rows(ours), Kept::Rows(theirs)) => ours.extend(theirs.batch()),
            (Kept::Sums(ours), Kept::Sums(theirs)) => {
                ours.moments.merge(&theirs.moments);
                ours.errors.merge(&theirs.errors);
            }
            _ => return Err(MetricError::SettingsDiffer { what: "memory" }),
        }
        Ok(())
    }

    fn compute(&self) -> RegressionReport {
        let sums = &*self.sums(Moments::take_all);
        let mse = mean(sums, &sums.error_squared);
        let msle = mean_within(sums, &sums.log_squared);
        RegressionReport {
            mae: mae(sums),
            mse,
            rmse: mse.map(f64::sqrt),
            msle,
            rmsle: msle.map(f64::sqrt),
            r2: explained(sums, sums.error_squared.value()),
            explained_variance: explained(sums, sums.error_spread()),
            mape: mean(sums, &sums.relative),
            smape: mean(sums, &sums.symmetric),
            median_absolute_error: self.median_absolute_error(),
            max_error: weight(sums).map(|_| sums.largest_error),
            mean_error: mean(sums, &sums.error),
            poisson_deviance: mean_within(sums, &sums.poisson),
            gamma_deviance: mean_within(sums, &sums.gamma),
            quantile_loss_10: quantile_loss(sums, 0.1),
            quantile_loss_50: quantile_loss(sums, 0.5),
            quantile_loss_90: quantile_loss(sums, 0.9),
            d2_absolute_error: self.d2(sums),
            pearson: pearson(sums),
        }
    }

    fn fresh(&self) -> Self {
        Self::new().memory(match self.kept {
            Kept::Rows(_) => Memory::Exact,
            Kept::Sums(_) => Memory::bounded(),
        })
    }

    fn samples(&self) -> u64 {
        match &self.kept {
            Kept::Rows(rows) => rows.truths.len() as u64,
            Kept::Sums(sums) => sums.moments.samples,
        }
    }
}

report! {
    /// The metrics of a regression.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, RegressionMetrics, Undefined};
    /// assert_eq!(RegressionMetrics::new().compute().mae, Err(Undefined::NoSamples));
    /// ```
    RegressionReport:
    /// See [`RegressionMetrics::mae`].
    mae,
    /// See [`RegressionMetrics::mse`].
    mse,
    /// The root of the mean squared error.
    rmse,
    /// The mean squared logarithmic error, of ln(1 + value); [`Undefined::OutOfDomain`] if a value is -1 or less.
    msle,
    /// The root of the mean squared logarithmic error.
    rmsle,
    /// See [`RegressionMetrics::r2`].
    r2,
    /// See [`RegressionMetrics::explained_variance`].
    explained_variance,
    /// The mean absolute error relative to the truth, as a fraction; a truth nearer to 0 than machine epsilon counts as
    /// that, so that one zero makes it huge.
    mape,
    /// The mean absolute error relative to the mean of |truth| and |prediction|, 0..=2; 0 where both are 0
    /// (R. J. Hyndman and A. B. Koehler, 2006, doi 10.1016/j.ijforecast.2006.03.001).
    smape,
    /// See [`RegressionMetrics::median_absolute_error`].
    median_absolute_error,
    /// The largest absolute error.
    max_error,
    /// The mean of prediction - truth, the bias.
    mean_error,
    /// The mean Poisson deviance; [`Undefined::OutOfDomain`] if a truth is negative or a prediction not positive.
    poisson_deviance,
    /// The mean gamma deviance; [`Undefined::OutOfDomain`] if a truth or a prediction is not positive.
    gamma_deviance,
    /// See [`RegressionMetrics::quantile_loss`].
    quantile_loss_10,
    /// See [`RegressionMetrics::quantile_loss`].
    quantile_loss_50,
    /// See [`RegressionMetrics::quantile_loss`].
    quantile_loss_90,
    /// See [`RegressionMetrics::d2_absolute_error`].
    d2_absolute_error,
    /// See [`RegressionMetrics::pearson`].
    pearson,
}
