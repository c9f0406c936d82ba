//! `metrics_multilabel.json`: scikit-learn's metrics of samples with several labels.

use modelpulse::metrics::{
    Accumulator, MultilabelBatch, MultilabelMetrics, MultilabelReport, Undefined,
};
use serde_json::Value;

use super::support::{Check, Ours, cases, number, numbers, table};

#[test]
fn reference_metrics_multilabel() {
    let mut check = Check::new();
    check.reason = Some(reason);
    for case in cases(
        "metrics_multilabel.json",
        &["y_true", "score", "threshold"],
        &["weight"],
    ) {
        let width = case.input["y_true"][0].as_array().unwrap().len();
        let labels: Vec<bool> = table(&case.input["y_true"])
            .iter()
            .map(|&it| it == 1.0)
            .collect();
        let scores = table(&case.input["score"]);
        let threshold = number(&case.input["threshold"]);
        let mut metrics = MultilabelMetrics::new(width).threshold(threshold);
        let mut batch = MultilabelBatch::new(width, &labels, &scores);
        let weights = case.input.get("weight").map(numbers);
        batch.weights = weights.as_deref();
        metrics.update(batch).unwrap();
        let report = metrics.compute();
        for (name, expected) in &case.expected {
            check.at(&case.id, name);
            match answer(&metrics, &report, name) {
                Some(ours) => check.that(ours, expected),
                None => check.unknown(),
            }
        }
    }
    check.finish("metrics_multilabel");
}

/// Where modelpulse answers other than scikit-learn, on purpose.
fn reason(_: &Check, ours: &Ours, expected: &Value) -> Option<&'static str> {
    match ours {
        Ours::One(Err(Undefined::NoSamples)) if expected.as_f64() == Some(0.0) => {
            Some("0/0 is undefined; scikit-learn gives 0")
        }
        Ours::One(Ok(_)) if expected.get("undefined").is_some() => {
            Some("the mean is over the labels that have an area; scikit-learn gives NaN")
        }
        _ => None,
    }
}

fn answer(metrics: &MultilabelMetrics, report: &MultilabelReport, name: &str) -> Option<Ours> {
    let name = match name {
        "multilabel_confusion_matrix" => {
            let matrix = |label: usize| {
                let matrix = &metrics.confusion()[label];
                let row = |label| vec![matrix.weight(label, 0), matrix.weight(label, 1)];
                vec![row(0), row(1)]
            };
            return Some((0..metrics.labels()).map(matrix).collect::<Vec<_>>().into());
        }
        "lrap" => "label_ranking_average_precision",
        name => name,
    };
    let named = report.named();
    let found = named.iter().find(|(field, _)| *field == name)?;
    Some(found.1.into())
}
