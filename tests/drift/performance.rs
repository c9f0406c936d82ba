//! Performance without labels beside NannyML.

use modelpulse::drift::chunks::Thresholds;
use modelpulse::drift::performance::{Calibrate, Cbpe, Estimates, Metric, MulticlassCbpe};
use serde_json::Value;

use crate::support::{Check, cases, entries, id, indices, number, numbers};

const TIES: &str =
    "equal scores are half ahead of each other, where NannyML takes the order of an unstable sort";
const SPLITS: &str = "whether calibration helps is found on other random splits than NannyML's";

/// Either estimator, with its data.
enum Model {
    Binary {
        cbpe: Cbpe,
        labels: [Vec<bool>; 2],
        scores: [Vec<f64>; 2],
    },
    Multiclass {
        cbpe: MulticlassCbpe,
        labels: [Vec<usize>; 2],
        rows: [Vec<f64>; 2],
        classes: usize,
    },
}

impl Model {
    fn of(case: &Value, check: &mut Check) -> Self {
        let [reference, analysis] = ["reference", "analysis"].map(|period| &case["input"][period]);
        let labels = [&reference["y_true"], &analysis["y_true_for_realized_only"]].map(indices);
        let calibrated = case["expected"]["needs_calibration"].as_bool().unwrap();
        let calibrate = if calibrated {
            Calibrate::Always
        } else {
            Calibrate::Never
        };
        if case["input"].get("labels").is_some() {
            let rows = [&reference["proba"], &analysis["proba"]].map(|rows| {
                rows.as_array()
                    .unwrap()
                    .iter()
                    .flat_map(numbers)
                    .collect::<Vec<f64>>()
            });
            let classes = case["input"]["labels"].as_array().unwrap().len();
            // NannyML decides for each class, and does not say what.
            let first = number(&case["expected"]["estimated"]["accuracy/value"][0]);
            let size = usize::try_from(case["input"]["chunk_size"].as_u64().unwrap()).unwrap();
            let fit =
                |calibrate| MulticlassCbpe::fit(&labels[0], &rows[0], classes, calibrate).unwrap();
            let is_theirs = |cbpe: &MulticlassCbpe| {
                let chunk = &rows[0][..(size * classes).min(rows[0].len())];
                let accuracy = cbpe.estimate(chunk).of(Metric::Accuracy).unwrap();
                (accuracy - first).abs() < 1e-9
            };
            let mut cbpe = fit(Calibrate::Auto);
            if !is_theirs(&cbpe) {
                check.differs(format!("{} needs_calibration", id(case)), SPLITS);
                let others = [Calibrate::Always, Calibrate::Never].map(fit);
                cbpe = others.into_iter().find(is_theirs).unwrap();
            }
            return Self::Multiclass {
                cbpe,
                labels,
                rows,
                classes,
            };
        }
        let labels = labels.map(|labels| {
            labels
                .iter()
                .map(|&label| label == 1)
                .collect::<Vec<bool>>()
        });
        let scores = [&reference["score"], &analysis["score"]].map(numbers);
        let threshold = number(&case["input"]["threshold"]);
        let auto = Cbpe::fit(&labels[0], &scores[0], threshold, Calibrate::Auto).unwrap();
        if auto.calibration().is_some() == calibrated {
            check.exact(format!("{} needs_calibration", id(case)), true, true);
        } else {
            check.differs(format!("{} needs_calibration", id(case)), SPLITS);
        }
        let cbpe = Cbpe::fit(&labels[0], &scores[0], threshold, calibrate).unwrap();
        Self::Binary {
            cbpe,
            labels,
            scores,
        }
    }

    /// Over all chunks, the reference's first: what is estimated and what is realised.
    fn chunks(&self, size: usize) -> Vec<[Estimates; 2]> {
        let mut chunks = Vec::new();
        for period in 0..2 {
            match self {
                Self::Binary {
                    cbpe,
                    labels,
                    scores,
                } => {
                    for (labels, scores) in
                        labels[period].chunks(size).zip(scores[period].chunks(size))
                    {
                        chunks.push([cbpe.estimate(scores), cbpe.realised(labels, scores)]);
                    }
                }
                Self::Multiclass {
                    cbpe,
                    labels,
                    rows,
                    classes,
                } => {
                    let rows = rows[period].chunks(size * classes);
                    for (labels, rows) in labels[period].chunks(size).zip(rows) {
                        chunks.push([cbpe.estimate(rows), cbpe.realised(labels, rows)]);
                    }
                }
            }
        }
        chunks
    }

    fn lengths(&self) -> [usize; 2] {
        match self {
            Self::Binary { labels, .. } => labels.each_ref().map(Vec::len),
            Self::Multiclass { labels, .. } => labels.each_ref().map(Vec::len),
        }
    }

    fn sampling_error(&self, metric: Metric, rows: usize) -> f64 {
        match self {
            Self::Binary { cbpe, .. } => cbpe.sampling_error(metric, rows),
            Self::Multiclass { cbpe, .. } => cbpe.sampling_error(metric, rows),
        }
        .unwrap()
    }
}

#[test]
fn reference_cbpe_nannyml() {
    let mut check = Check::default();
    for case in cases("cbpe_nannyml.json") {
        let size = usize::try_from(case["input"]["chunk_size"].as_u64().unwrap()).unwrap();
        let model = Model::of(&case, &mut check);
        let chunks = model.chunks(size);
        let sizes: Vec<usize> = (model.lengths().into_iter())
            .flat_map(|length| {
                (0..length)
                    .step_by(size)
                    .map(move |start| (length - start).min(size))
            })
            .collect();
        let reference = model.lengths()[0].div_ceil(size);
        for (kind, expected) in entries(&case["expected"]) {
            let place = format!("{} {kind}", id(&case));
            match kind {
                "needs_calibration" => {}
                "isotonic_knots" => knots(&mut check, &place, &model, expected),
                "estimated" | "realized" => {
                    for (name, expected) in entries(expected) {
                        let place = format!("{place} {name}");
                        let Some((metric, key)) = name.split_once('/') else {
                            check.unknown(place);
                            continue;
                        };
                        if metric == "chunk" {
                            // Where chunks begin and end is compared for drift.
                            continue;
                        }
                        let Some(metric) = Metric::named(metric) else {
                            check.unknown(place);
                            continue;
                        };
                        let of = |which: usize| -> Vec<f64> {
                            chunks
                                .iter()
                                .map(|both| both[which].of(metric).unwrap_or(f64::NAN))
                                .collect()
                        };
                        let values = of(usize::from(kind == "realized"));
                        let thresholds = Thresholds::three_sigma(&of(1)[..reference])
                            .at_least(0.0)
                            .at_most(1.0);
                        let errors = || -> Vec<f64> {
                            sizes
                                .iter()
                                .map(|&rows| model.sampling_error(metric, rows))
                                .collect()
                        };
                        let bounds = |sign: f64| -> Vec<f64> {
                            let both = values.iter().zip(errors());
                            both.map(|(value, error)| (value + sign * 3.0 * error).clamp(0.0, 1.0))
                                .collect()
                        };
                        let ours = match key {
                            "value" => values,
                            "realized" => {
                                // Its estimator knows no labels of the analysis.
                                let mut realised = of(1);
                                realised[reference..].fill(f64::NAN);
                                realised
                            }
                            "sampling_error" => errors(),
                            "upper_confidence_boundary" => bounds(1.0),
                            "lower_confidence_boundary" => bounds(-1.0),
                            "upper_threshold" => vec![thresholds.upper.unwrap(); values.len()],
                            "lower_threshold" => vec![thresholds.lower.unwrap(); values.len()],
                            "alert" => {
                                let alerts: Vec<Value> = values
                                    .iter()
                                    .map(|&value| thresholds.alert(value).into())
                                    .collect();
                                check.exact(place, &alerts, expected.as_array().unwrap());
                                continue;
                            }
                            _ => {
                                check.unknown(place);
                                continue;
                            }
                        };
                        compare(&mut check, &place, metric, key, &ours, &numbers(expected));
                    }
                }
                _ => check.unknown(place),
            }
        }
    }
    check.finish("cbpe_nannyml.json");
}

fn compare(
    check: &mut Check,
    place: &str,
    metric: Metric,
    key: &str,
    ours: &[f64],
    expected: &[f64],
) {
    check.exact(format!("{place} length"), ours.len(), expected.len());
    // Values of many classes too: after calibration rows of one score are not alike in the others.
    let from_errors = key == "sampling_error" || key == "value" || key.ends_with("boundary");
    for (&ours, &expected) in ours.iter().zip(expected) {
        let off = (ours - expected).abs() / expected.abs();
        if metric == Metric::RocAuc && from_errors && off > 1e-6 && off < 1e-3 {
            check.differs(place, TIES);
        } else {
            check.close(place, ours, expected, 1e-6);
        }
    }
}

fn knots(check: &mut Check, place: &str, model: &Model, expected: &Value) {
    let Model::Binary { cbpe, .. } = model else {
        return check.unknown(place);
    };
    let (x, y): (Vec<f64>, Vec<f64>) = cbpe.calibration().unwrap().knots().iter().copied().unzip();
    for (key, expected) in entries(expected) {
        match key {
            "x" => check.answers(&format!("{place} x"), &x, expected),
            "y" => check.answers(&format!("{place} y"), &y, expected),
            _ => check.unknown(format!("{place} {key}")),
        }
    }
}
