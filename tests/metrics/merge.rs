//! `metrics_merge.json`: shards of unequal mix, whose mean is not the answer.

use modelpulse::metrics::{Accumulator, Batch, BinaryBatch, ConfusionMatrix, LabelBatch, Ranking};

use super::support::{Check, cases, counts, number, numbers};

#[test]
fn reference_metrics_merge() {
    let mut check = Check::new();
    for case in cases("metrics_merge.json", &["shards", "n_classes"], &[]) {
        let classes = case.input["n_classes"].as_u64().unwrap() as usize;
        let (mut matrix, mut ranking) = (ConfusionMatrix::new(classes), Ranking::new());
        let mut means = Vec::new();
        for shard in case.input["shards"].as_array().unwrap() {
            let (labels, predictions) = (counts(&shard["y_true"]), counts(&shard["pred"]));
            let mut part = matrix.fresh();
            part.update(LabelBatch::new(&labels, &predictions)).unwrap();
            means.extend(part.macro_f1());
            matrix.merge(&part).unwrap();
            let positive: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
            let scores = numbers(&shard["score1"]);
            let mut part = ranking.fresh();
            part.update(BinaryBatch::new(&positive, &scores)).unwrap();
            assert_eq!(
                part.samples() as usize,
                BinaryBatch::new(&positive, &scores).len()
            );
            ranking.merge(&part).unwrap();
        }
        for (name, expected) in &case.expected {
            check.at(&case.id, name);
            match name.as_str() {
                "accuracy" => check.that(matrix.accuracy(), expected),
                "f1_macro" => check.that(matrix.macro_f1(), expected),
                "mcc" => check.that(matrix.mcc(), expected),
                "roc_auc" => check.that(ranking.roc_auc(), expected),
                "average_precision" => check.that(ranking.compute().average_precision(), expected),
                "confusion_matrix" => {
                    let row = |label| {
                        (0..classes)
                            .map(|p| matrix.weight(label, p))
                            .collect::<Vec<f64>>()
                    };
                    check.that((0..classes).map(row).collect::<Vec<_>>(), expected);
                }
                "wrong_mean_of_shards" => {
                    for (name, wrong) in expected.as_object().unwrap() {
                        assert_eq!(name, "f1_macro");
                        // It is what taking the mean would give, and is not what merging gives.
                        check.that(means.iter().sum::<f64>() / means.len() as f64, wrong);
                        assert!((matrix.macro_f1().unwrap() - number(wrong)).abs() > 1e-6);
                    }
                }
                _ => check.unknown(),
            }
        }
    }
    check.finish("metrics_merge");
}
