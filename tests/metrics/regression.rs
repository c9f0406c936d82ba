//! `metrics_regression.json`: scikit-learn's and scipy's metrics of true and predicted values.

use modelpulse::metrics::{
    Accumulator, MetricError, RegressionBatch, RegressionMetrics, Undefined,
};
use serde_json::Value;

use super::support::{Case, Check, Ours, cases, numbers};

#[test]
fn reference_metrics_regression() {
    let mut check = Check::new();
    check.reason = Some(reason);
    for case in cases(
        "metrics_regression.json",
        &["y_true", "y_pred"],
        &["weight"],
    ) {
        compare(&mut check, &case);
    }
    check.finish("metrics_regression");
}

pub(crate) fn compare(check: &mut Check, case: &Case) {
    let (truths, predictions) = (
        numbers(&case.input["y_true"]),
        numbers(&case.input["y_pred"]),
    );
    let weights = case.input.get("weight").map(numbers);
    let mut batch = RegressionBatch::new(&truths, &predictions);
    batch.weights = weights.as_deref();
    let mut metrics = RegressionMetrics::new();
    let taken = metrics.update(batch);
    for (name, expected) in &case.expected {
        check.at(&case.id, name);
        check.noise = noise(name, &truths);
        let ours = match &taken {
            Ok(()) => answer(&metrics, name),
            Err(error) => Some(Ours::Refused(error.clone())),
        };
        match ours {
            Some(ours) => check.that(ours, expected),
            None => check.unknown(),
        }
    }
}

/// Where modelpulse answers other than scikit-learn, on purpose.
fn reason(check: &Check, ours: &Ours, _: &Value) -> Option<&'static str> {
    match ours {
        Ours::One(Err(Undefined::ConstantTruth)) => {
            Some("a constant truth has no variance; scikit-learn gives 0 or 1")
        }
        Ours::One(Err(Undefined::TooFewSamples)) if check.metric == "explained_variance" => {
            Some("one sample has no variance; scikit-learn gives 1")
        }
        Ours::Refused(MetricError::NotFinite { .. }) => {
            Some("what is not finite is refused; numpy computes on")
        }
        _ => None,
    }
}

/// scikit-learn adds and subtracts numbers as large as the truth to get a deviance: far from zero only the rounding of
/// those is left.
fn noise(name: &str, truths: &[f64]) -> Option<(f64, &'static str)> {
    let largest = truths
        .iter()
        .fold(1.0f64, |most, truth| most.max(truth.abs()));
    let terms = match name {
        "poisson_deviance" => largest,
        "gamma_deviance" => 1.0,
        _ if name.starts_with("tweedie_") => largest.sqrt(),
        _ => return None,
    };
    Some((
        16.0 * f64::EPSILON * terms,
        "scikit-learn's deviance cancels far from zero",
    ))
}

fn answer(metrics: &RegressionMetrics, name: &str) -> Option<Ours> {
    let report = metrics.compute();
    if let Some(quantile) = name.strip_prefix("pinball_") {
        return Some(metrics.quantile_loss(quantile.parse().unwrap()).into());
    }
    if let Some(power) = name.strip_prefix("tweedie_") {
        return Some(metrics.tweedie_deviance(power.parse().unwrap()).into());
    }
    let answer = match name {
        "mae" => report.mae,
        "mse" => report.mse,
        "rmse" => report.rmse,
        "median_ae" => report.median_absolute_error,
        "mape" => report.mape,
        "msle" => report.msle,
        "rmsle" => report.rmsle,
        "r2" => report.r2,
        "explained_variance" => report.explained_variance,
        "d2_absolute_error" => report.d2_absolute_error,
        "poisson_deviance" => report.poisson_deviance,
        "gamma_deviance" => report.gamma_deviance,
        "max_error" => report.max_error,
        "mean_error" => report.mean_error,
        "pearson" => report.pearson,
        "spearman" => metrics.spearman(),
        "kendall_tau_b" => metrics.kendall_tau(),
        _ => return None,
    };
    Some(answer.into())
}
