//! `metrics_binary.json`: scikit-learn's metrics of labels and scores.

use modelpulse::metrics::{
    Accumulator, Answer, Batch, BinaryBatch, BinaryMetrics, ClassScore, Edges, KappaWeights,
    MetricError, Reliability, Undefined,
};
use serde_json::Value;

use super::support::{Case, Check, Ours, cases, number, numbers, zero_division};

#[test]
fn reference_metrics_binary() {
    let mut check = Check::new();
    check.reason = Some(reason);
    for case in cases(
        "metrics_binary.json",
        &["y_true", "score", "threshold"],
        &["weight"],
    ) {
        compare(&mut check, &case);
    }
    check.finish("metrics_binary");
}

/// Where modelpulse answers other than scikit-learn, on purpose.
fn reason(check: &Check, ours: &Ours, expected: &Value) -> Option<&'static str> {
    let metric = check.metric.as_str();
    let number = expected.as_f64();
    let ranked = ["roc_auc", "average_precision", "pr_auc", "ks_separation"];
    match ours {
        Ours::Refused(MetricError::NanScore { .. }) if expected.get("error").is_none() => {
            Some("a NaN score is refused; scikit-learn counts it as negative")
        }
        Ours::One(Ok(_)) if ranked.iter().any(|name| metric.starts_with(name)) => {
            let error = expected.get("error")?.as_str()?;
            error
                .contains("infinity")
                .then_some("an infinite score has a rank; scikit-learn refuses it")
        }
        Ours::Many(_) if expected.get("error").is_some() => {
            Some("the confusion matrix of no samples is all zeros; scikit-learn raises")
        }
        Ours::One(Err(Undefined::NoPositives))
            if metric == "average_precision" || metric == "pr_auc_trapezoid" =>
        {
            number.map(|_| "without positives there is no curve; scikit-learn takes recall as 1")
        }
        Ours::One(Err(_)) if number == Some(0.0) => Some("0/0 is undefined; scikit-learn gives 0"),
        _ => None,
    }
}

pub(crate) fn compare(check: &mut Check, case: &Case) {
    let input = &case.input;
    let labels: Vec<bool> = numbers(&input["y_true"])
        .iter()
        .map(|&label| label == 1.0)
        .collect();
    let scores = numbers(&input["score"]);
    let weights = input.get("weight").map(numbers);
    let threshold = number(&input["threshold"]);
    let mut batch = BinaryBatch::new(&labels, &scores);
    if let Some(weights) = &weights {
        batch = batch.weighted(weights);
    }
    let like = BinaryMetrics::new().threshold(threshold);
    let mut metrics = like.clone();
    let taken = metrics.update(batch);
    for (name, expected) in &case.expected {
        check.at(&case.id, name);
        if name == "n" {
            check.that(scores.len() as f64, expected);
            continue;
        }
        match &taken {
            Err(error) if expected.is_array() => {
                let all = expected.as_array().unwrap();
                let refused = |_: &Value| Ours::Refused(error.clone());
                let rows = |row: &Value| match row {
                    Value::Array(row) => Ours::Many(row.iter().map(refused).collect()),
                    other => refused(other),
                };
                check.that(Ours::Many(all.iter().map(rows).collect()), expected);
            }
            Err(error) => check.that(Ours::Refused(error.clone()), expected),
            Ok(()) => match (answer(&metrics, name), curve(&like, &metrics, batch, name)) {
                (Some(ours), _) => check.that(ours, expected),
                (None, Some(ours)) => {
                    for (part, ours) in ours {
                        check.at(&case.id, name);
                        let expected = expected.get(part).unwrap_or(expected);
                        check.that(ours, expected);
                    }
                }
                (None, None) => match bins(&like, &metrics, batch, name) {
                    Some(reliability) => errors(check, reliability, expected),
                    None => check.unknown(),
                },
            },
        }
    }
}

/// Metrics that are one number, or a matrix.
fn answer(metrics: &BinaryMetrics, name: &str) -> Option<Ours> {
    let matrix = metrics.confusion();
    let report = metrics.compute();
    let steps = metrics.steps();
    if let Some((score, division)) = name.split_once("_zd") {
        let answer = match score {
            "precision" => report.precision,
            "recall" => report.recall,
            "f1" => report.f1,
            _ => return None,
        };
        // Of no samples nothing is defined, not even by zero_division.
        let none = metrics.samples() == 0;
        let answer = if none {
            Err(Undefined::NoSamples)
        } else {
            answer
        };
        return Some(zero_division(answer, division).into());
    }
    if let Some(most) = name.strip_prefix("roc_auc_max_fpr_") {
        return Some(steps.partial_roc_auc(most.parse().unwrap()).into());
    }
    if let Some(beta) = name.strip_prefix('f').and_then(|beta| beta.parse().ok()) {
        return Some(matrix.class_score(1, ClassScore::FBeta(beta)).into());
    }
    let answer: Answer = match name {
        "confusion_matrix" => {
            let row = |label| vec![matrix.weight(label, 0), matrix.weight(label, 1)];
            return Some(vec![row(0), row(1)].into());
        }
        "accuracy" => report.accuracy,
        "balanced_accuracy" => report.balanced_accuracy,
        "specificity" => report.specificity,
        "npv" => report.npv,
        "jaccard" => report.jaccard,
        "mcc" => report.mcc,
        "cohen_kappa" => matrix.cohen_kappa(KappaWeights::None),
        "hamming_loss" => report.hamming_loss,
        "log_loss" => report.log_loss,
        "brier" => report.brier,
        "roc_auc" => report.roc_auc,
        "average_precision" => report.average_precision,
        "pr_auc_trapezoid" => report.pr_auc_trapezoid,
        "ks_separation" => report.ks_separation,
        _ => return None,
    };
    Some(answer.into())
}

/// Curves, by the names of their parts; a part without a name is the whole.
fn curve(
    like: &BinaryMetrics,
    metrics: &BinaryMetrics,
    batch: BinaryBatch<'_>,
    name: &str,
) -> Option<Vec<(&'static str, Ours)>> {
    let steps = metrics.steps();
    let thresholds: Vec<f64> = steps.steps().iter().map(|step| step.threshold).collect();
    Some(match name {
        "roc_curve" => {
            let (fpr, tpr): (Vec<f64>, Vec<f64>) = steps.roc_curve().unwrap().into_iter().unzip();
            let first = [f64::INFINITY];
            vec![
                ("fpr", fpr.into()),
                ("tpr", tpr.into()),
                ("thresholds", [&first[..], &thresholds].concat().into()),
            ]
        }
        // From the lowest threshold up.
        "pr_curve" => {
            let curve = steps.pr_curve().unwrap().into_iter().rev();
            let (recall, precision): (Vec<f64>, Vec<f64>) = curve.unzip();
            let thresholds: Vec<f64> = thresholds.into_iter().rev().collect();
            vec![
                ("precision", precision.into()),
                ("recall", recall.into()),
                ("thresholds", thresholds.into()),
            ]
        }
        _ => {
            let bins = name.strip_prefix("calibration_curve_uniform_")?;
            let reliability = with_bins(like, batch, bins);
            if let Err(undefined) = reliability.ece() {
                return Some(vec![("", Err(undefined).into())]);
            }
            let filled = reliability.bins.iter().filter(|bin| bin.count > 0);
            let (accuracy, confidence): (Vec<f64>, Vec<f64>) =
                filled.map(|bin| (bin.accuracy, bin.confidence)).unzip();
            vec![("", vec![accuracy, confidence].into())]
        }
    })
}

/// Calibration over this many bins.
fn with_bins(like: &BinaryMetrics, batch: BinaryBatch<'_>, bins: &str) -> Reliability {
    let mut other = like.clone().bins(bins.parse().unwrap(), Edges::Right);
    other.update(batch).unwrap();
    other.reliability()
}

/// The calibration errors, or that there are none.
fn errors(check: &mut Check, reliability: Result<Reliability, Undefined>, expected: &Value) {
    let of = |error: fn(&Reliability) -> Answer| error(reliability.as_ref().map_err(|e| *e)?);
    for (part, value) in expected.as_object().unwrap() {
        match part.as_str() {
            "ece" => check.that(of(Reliability::ece), value),
            "mce" => check.that(of(Reliability::mce), value),
            "error" => check.that(of(Reliability::ece), expected),
            _ => check.unknown(),
        }
    }
}

fn bins(
    like: &BinaryMetrics,
    metrics: &BinaryMetrics,
    batch: BinaryBatch<'_>,
    name: &str,
) -> Option<Result<Reliability, Undefined>> {
    if let Some(bins) = name.strip_prefix("ece_uniform_") {
        return Some(Ok(with_bins(like, batch, bins)));
    }
    let bins = name.strip_prefix("ece_quantile_")?;
    Some(metrics.reliability_quantiles(bins.parse().unwrap()))
}
