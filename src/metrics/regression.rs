//! All metrics of a regression.
//!
//! Formulas: [scikit-learn, "Regression metrics"][1], checked against scikit-learn 1.9.1.
//!
//! [1]: https://scikit-learn.org/stable/modules/model_evaluation.html#regression-metrics

use super::batch::{check_length, check_weights};
use super::median::{Magnitudes, median};
use super::moments::{Moments, excess};
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
    samples: u64,
    moments: Moments,
    largest_error: f64,
    /// Samples for which there is no squared logarithmic error, Poisson or gamma deviance.
    outside: [u64; 3],
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    Rows(Rows),
    Errors(Magnitudes),
}

#[derive(Debug, Clone, Default)]
struct Rows {
    truths: Vec<f64>,
    predictions: Vec<f64>,
    /// One a truth, or none at all where each weighs 1.
    weights: Vec<f64>,
}

impl Rows {
    fn extend(&mut self, truths: &[f64], predictions: &[f64], weights: Option<&[f64]>) {
        if let Some(weights) = weights {
            self.weights.resize(self.truths.len(), 1.0);
            self.weights.extend_from_slice(weights);
        }
        self.truths.extend_from_slice(truths);
        self.predictions.extend_from_slice(predictions);
        if !self.weights.is_empty() {
            self.weights.resize(self.truths.len(), 1.0);
        }
    }

    /// Truth, prediction, weight.
    fn iter(&self) -> impl Iterator<Item = (f64, f64, f64)> + Clone + '_ {
        let pairs = self.truths.iter().zip(&self.predictions).enumerate();
        pairs.map(|(i, (&truth, &prediction))| {
            let weight = self.weights.get(i).copied().unwrap_or(1.0);
            (truth, prediction, weight)
        })
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
            samples: 0,
            moments: Moments::default(),
            largest_error: 0.0,
            outside: [0; 3],
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
            Memory::Bounded { .. } => Kept::Errors(Magnitudes::default()),
        };
        Self {
            kept,
            ..Self::new()
        }
    }

    fn weight(&self) -> Result<f64, Undefined> {
        let weight = self.moments.weight.value();
        if weight > 0.0 {
            Ok(weight)
        } else {
            Err(Undefined::NoSamples)
        }
    }

    fn mean(&self, sum: &ExactSum) -> Answer {
        finite(sum.value() / self.weight()?)
    }

    fn mean_within(&self, sum: &ExactSum, outside: u64) -> Answer {
        if outside > 0 {
            return Err(Undefined::OutOfDomain);
        }
        self.mean(sum)
    }

    fn rows(&self) -> Result<&Rows, Undefined> {
        match &self.kept {
            Kept::Rows(rows) => Ok(rows),
            Kept::Errors(_) => Err(Undefined::NotKept),
        }
    }

    /// The mean absolute error.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::Overflow`].
    pub fn mae(&self) -> Answer {
        let mut sum = self.moments.above.clone();
        sum.merge(&self.moments.below);
        self.mean(&sum)
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
        let mut sum = ExactSum::new();
        sum.add_scaled(&self.moments.below, quantile);
        sum.add_scaled(&self.moments.above, 1.0 - quantile);
        self.mean(&sum)
    }

    /// R², the share of the variance of the truth that predictions explain, at most 1.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::TooFewSamples`] below 2, [`Undefined::Overflow`], or
    /// [`Undefined::ConstantTruth`], where scikit-learn gives 1 if all predictions are right and 0 otherwise.
    pub fn r2(&self) -> Answer {
        self.explained(self.moments.error_squared.value())
    }

    /// As [`r2`](Self::r2), but a constant error is forgiven.
    ///
    /// # Errors
    ///
    /// As [`r2`](Self::r2).
    pub fn explained_variance(&self) -> Answer {
        self.explained(self.moments.error_spread())
    }

    fn explained(&self, errors: f64) -> Answer {
        self.weight()?;
        if self.samples < 2 {
            return Err(Undefined::TooFewSamples);
        }
        let spread = self.moments.truth_spread();
        if spread <= 0.0 {
            return Err(Undefined::ConstantTruth);
        }
        finite(1.0 - errors / spread)
    }

    /// The median absolute error; that of weighted samples as in scikit-learn.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn median_absolute_error(&self) -> Answer {
        let median = match &self.kept {
            Kept::Rows(rows) => median(rows.iter().map(|(y, p, weight)| ((p - y).abs(), weight))),
            Kept::Errors(magnitudes) => magnitudes.median(),
        };
        median.ok_or(Undefined::NoSamples)
    }

    /// D² of the absolute error: R² with absolute errors, from the median instead of the mean.
    ///
    /// # Errors
    ///
    /// As [`r2`](Self::r2), or [`Undefined::NotKept`] in bounded memory.
    pub fn d2_absolute_error(&self) -> Answer {
        let weight = self.weight()?;
        let rows = self.rows()?;
        if self.samples < 2 {
            return Err(Undefined::TooFewSamples);
        }
        let median = median(rows.iter().map(|(y, _, weight)| (y, weight)));
        let median = median.ok_or(Undefined::NoSamples)?;
        let mut spread = ExactSum::new();
        for (truth, _, weight) in rows.iter() {
            spread.add_product((truth - median).abs(), weight);
        }
        if spread.value() <= 0.0 {
            return Err(Undefined::ConstantTruth);
        }
        finite(1.0 - self.mae()? / (spread.value() / weight))
    }

    /// The mean Tweedie deviance of a power in 1..2 between Poisson (1) and gamma (2), both excluded: those have answers
    /// of their own.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NotKept`] in bounded memory, [`Undefined::Overflow`], or
    /// [`Undefined::OutOfDomain`] for another power, a negative truth or a prediction that is not positive.
    pub fn tweedie_deviance(&self, power: f64) -> Answer {
        let rows = self.rows()?;
        let outside = rows.iter().any(|(y, p, _)| y < 0.0 || p <= 0.0);
        if outside || !(power > 1.0 && power < 2.0) {
            return Err(Undefined::OutOfDomain);
        }
        let (one, two) = (1.0 - power, 2.0 - power);
        let mut sum = ExactSum::new();
        for (y, p, weight) in rows.iter() {
            let deviance = y.powf(two) / (one * two) - y * p.powf(one) / one + p.powf(two) / two;
            sum.add_product(2.0 * deviance, weight);
        }
        self.mean(&sum)
    }

    /// Pearson's correlation of truths and predictions, -1..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::TooFewSamples`] below 2, [`Undefined::Overflow`], or
    /// [`Undefined::Constant`] where either is constant.
    pub fn pearson(&self) -> Answer {
        self.weight()?;
        if self.samples < 2 {
            return Err(Undefined::TooFewSamples);
        }
        let (truth, prediction) = (
            self.moments.truth_spread(),
            self.moments.prediction_spread(),
        );
        if truth <= 0.0 || prediction <= 0.0 {
            return Err(Undefined::Constant);
        }
        finite(self.moments.covariance() / (truth.sqrt() * prediction.sqrt()))
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

    fn add(&mut self, truth: f64, prediction: f64, weight: f64) {
        let error = prediction - truth;
        let moments = &mut self.moments;
        moments.add(truth, prediction, weight);
        if weight > 0.0 {
            self.largest_error = self.largest_error.max(error.abs());
        }
        let relative = error.abs() / truth.abs().max(f64::EPSILON);
        moments.relative.add_product(relative, weight);
        if error != 0.0 {
            let symmetric = 2.0 * error.abs() / (truth.abs() + prediction.abs());
            moments.symmetric.add_product(symmetric, weight);
        }
        if truth > -1.0 && prediction > -1.0 {
            let log = truth.ln_1p() - prediction.ln_1p();
            moments.log_squared.add_product(log * log, weight);
        } else {
            self.outside[0] += 1;
        }
        if truth >= 0.0 && prediction > 0.0 {
            let deviance = match truth {
                0.0 => prediction,
                _ => truth * excess(error / truth),
            };
            moments.poisson.add_product(2.0 * deviance, weight);
        } else {
            self.outside[1] += 1;
        }
        if truth > 0.0 && prediction > 0.0 {
            let deviance = excess(-error / prediction);
            moments.gamma.add_product(2.0 * deviance, weight);
        } else {
            self.outside[2] += 1;
        }
    }
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
        check_weights(batch.weights, batch.len(), self.samples)?;
        for (column, values) in [("truth", batch.truths), ("prediction", batch.predictions)] {
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let sample = self.samples + at as u64;
                return Err(MetricError::NotFinite { sample, column });
            }
        }
        Ok(())
    }

    fn update(&mut self, batch: RegressionBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        let pairs = batch.truths.iter().zip(batch.predictions);
        for (i, (&truth, &prediction)) in pairs.enumerate() {
            let weight = batch.weights.map_or(1.0, |weights| weights[i]);
            self.add(truth, prediction, weight);
            if let Kept::Errors(magnitudes) = &mut self.kept {
                magnitudes.add(prediction - truth, weight);
            }
        }
        self.samples += batch.len() as u64;
        if let Kept::Rows(rows) = &mut self.kept {
            rows.extend(batch.truths, batch.predictions, batch.weights);
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        match (&mut self.kept, &other.kept) {
            (Kept::Rows(ours), Kept::Rows(theirs)) => {
                let weights = (!theirs.weights.is_empty()).then_some(&theirs.weights[..]);
                ours.extend(&theirs.truths, &theirs.predictions, weights);
            }
            (Kept::Errors(ours), Kept::Errors(theirs)) => ours.merge(theirs),
            _ => return Err(MetricError::SettingsDiffer { what: "memory" }),
        }
        self.samples += other.samples;
        self.moments.merge(&other.moments);
        self.largest_error = self.largest_error.max(other.largest_error);
        for (ours, theirs) in self.outside.iter_mut().zip(other.outside) {
            *ours += theirs;
        }
        Ok(())
    }

    fn compute(&self) -> RegressionReport {
        let moments = &self.moments;
        let [log, poisson, gamma] = self.outside;
        let mse = self.mean(&moments.error_squared);
        let msle = self.mean_within(&moments.log_squared, log);
        RegressionReport {
            mae: self.mae(),
            mse,
            rmse: mse.map(f64::sqrt),
            msle,
            rmsle: msle.map(f64::sqrt),
            r2: self.r2(),
            explained_variance: self.explained_variance(),
            mape: self.mean(&moments.relative),
            smape: self.mean(&moments.symmetric),
            median_absolute_error: self.median_absolute_error(),
            max_error: self.weight().map(|_| self.largest_error),
            mean_error: self.mean(&moments.error),
            poisson_deviance: self.mean_within(&moments.poisson, poisson),
            gamma_deviance: self.mean_within(&moments.gamma, gamma),
            quantile_loss_10: self.quantile_loss(0.1),
            quantile_loss_50: self.quantile_loss(0.5),
            quantile_loss_90: self.quantile_loss(0.9),
            d2_absolute_error: self.d2_absolute_error(),
            pearson: self.pearson(),
        }
    }

    fn fresh(&self) -> Self {
        Self::new().memory(match self.kept {
            Kept::Rows(_) => Memory::Exact,
            Kept::Errors(_) => Memory::bounded(),
        })
    }

    fn samples(&self) -> u64 {
        self.samples
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
    /// The mean squared error.
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
