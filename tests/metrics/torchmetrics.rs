//! `calibration_torchmetrics.json`: calibration with left-closed bins, and what else torchmetrics says of the same rows.

use modelpulse::metrics::{
    Accumulator, Answer, Average, BinaryBatch, Calibration, ClassScore, Edges, Memory,
    MulticlassBatch, MulticlassMetrics, Reliability,
};

use super::support::{Case, Check, cases, counts, table};

#[test]
fn reference_calibration_torchmetrics() {
    let mut check = Check::new();
    for case in cases("calibration_torchmetrics.json", &["y_true", "proba"], &[]) {
        compare(&mut check, &case);
    }
    check.finish("calibration_torchmetrics");
}

fn compare(check: &mut Check, case: &Case) {
    let labels = counts(&case.input["y_true"]);
    let proba = table(&case.input["proba"]);
    let classes = proba.len() / labels.len();
    let batch = MulticlassBatch::new(&labels, &proba);
    let mut metrics = MulticlassMetrics::new(classes);
    metrics.update(batch).unwrap();
    let matrix = metrics.confusion();
    let binary = |bins: usize| {
        let positive: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
        let scores: Vec<f64> = proba.chunks(classes).map(|row| row[1]).collect();
        let mut calibration = Calibration::new(bins, Edges::Left);
        calibration
            .update(BinaryBatch::new(&positive, &scores))
            .unwrap();
        calibration.compute()
    };
    let multiclass = |bins: usize| {
        let mut metrics = metrics.clone().bins(bins, Edges::Left);
        metrics.update(batch).unwrap();
        metrics.reliability()
    };
    for (name, expected) in &case.expected {
        check.at(&case.id, name);
        // All but the binary errors are computed in f32 there.
        let f32 = !name.starts_with("binary_");
        check.noise = f32.then_some((1e-6, "torchmetrics computes in f32"));
        let answer: Option<Answer> = match name.as_str() {
            "multiclass_accuracy_macro" => Some(matrix.macro_recall()),
            "multiclass_accuracy_micro" => Some(matrix.accuracy()),
            "multiclass_f1_macro" => Some(matrix.averaged(ClassScore::FBeta(1.0), Average::Macro)),
            "multiclass_auroc_macro" => Some(metrics.roc_auc_ovr(Average::Macro)),
            _ => None,
        };
        let thresholds = name
            .strip_prefix("multiclass_auroc_macro_")
            .and_then(|rest| rest.strip_suffix("_thresholds"));
        let answer = answer.or_else(|| {
            if let Some(thresholds) = thresholds {
                let thresholds = thresholds.parse().unwrap();
                let mut bounded = metrics.clone().memory(Memory::Bounded { thresholds });
                bounded.update(batch).unwrap();
                return Some(bounded.roc_auc_ovr(Average::Macro));
            }
            if let Some(k) = name.strip_prefix("multiclass_top") {
                return Some(metrics.top_k(k.parse().unwrap()));
            }
            let (kind, rest) = name.split_once('_')?;
            let (norm, bins) = rest.split_once('_')?;
            let reliability = match kind {
                "binary" => binary(bins.parse().ok()?),
                "multiclass" => multiclass(bins.parse().ok()?),
                _ => return None,
            };
            Some(match norm {
                "l1" => reliability.ece(),
                "l2" => reliability.rmsce(),
                "max" => Reliability::mce(&reliability),
                _ => return None,
            })
        });
        match answer {
            Some(answer) => check.that(answer, expected),
            None => check.unknown(),
        }
    }
}
