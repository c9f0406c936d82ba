//! Which test stands for which metric.

/// The metrics that modelpulse promises, and the tests that compare each with what another program says or with its
/// definition. A test is a function of this folder or of `src/metrics`.
const COVERED: &[(&str, &[&str])] = &[
    (
        "accuracy",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "balanced accuracy",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "precision, recall, F-beta: binary",
        &["reference_metrics_binary"],
    ),
    (
        "precision, recall, F1: macro, micro, weighted, per class",
        &["reference_metrics_multiclass"],
    ),
    ("specificity", &["reference_metrics_binary"]),
    (
        "confusion matrix",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "confusion matrix, normalised",
        &["reference_metrics_multiclass"],
    ),
    (
        "log-loss",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "Brier score",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "AUC-ROC: binary",
        &["reference_metrics_binary", "reference_metrics_merge"],
    ),
    (
        "AUC-ROC: one-vs-rest, one-vs-one",
        &["reference_metrics_multiclass"],
    ),
    (
        "average precision",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    ("AUC-PR, trapezoid", &["reference_metrics_binary"]),
    (
        "MCC",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "Cohen's kappa",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "Jaccard",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "Hamming loss",
        &["reference_metrics_binary", "reference_metrics_multilabel"],
    ),
    (
        "top-k",
        &[
            "reference_metrics_multiclass",
            "reference_calibration_torchmetrics",
        ],
    ),
    ("ROC curve, PR curve", &["reference_metrics_binary"]),
    (
        "ECE, MCE: right-closed bins",
        &["reference_metrics_binary", "reference_metrics_multiclass"],
    ),
    (
        "ECE, MCE: left-closed bins",
        &["reference_calibration_torchmetrics"],
    ),
    ("reliability diagram", &["reference_metrics_binary"]),
    ("multilabel", &["reference_metrics_multilabel"]),
    (
        "sample weights",
        &[
            "reference_metrics_binary",
            "reference_metrics_regression",
            "weights_are_repetitions",
        ],
    ),
    ("MAE, MSE, RMSE, MSLE", &["reference_metrics_regression"]),
    ("R², explained variance", &["reference_metrics_regression"]),
    ("MAPE", &["reference_metrics_regression"]),
    ("sMAPE", &["symmetric_error_is_its_definition"]),
    (
        "median absolute error, max error",
        &["reference_metrics_regression"],
    ),
    (
        "Poisson deviance, gamma deviance",
        &["reference_metrics_regression"],
    ),
    ("quantile loss", &["reference_metrics_regression"]),
    (
        "bounded memory",
        &[
            "bounded_answers_are_within_their_bounds",
            "the_bounded_median_is_within_its_bound",
        ],
    ),
    (
        "merging",
        &[
            "reference_metrics_merge",
            "merging_shards_is_one_pass",
            "order_does_not_matter",
        ],
    ),
    ("windows", &["windows_are_their_samples"]),
    ("degenerate input", &["degenerate_input_has_a_typed_answer"]),
    ("bootstrap", &["bootstrap_covers_as_often_as_it_says"]),
    ("McNemar", &["scipy_mcnemar"]),
    ("DeLong", &["delong_is_its_definition_over_all_pairs"]),
    ("paired bootstrap", &["paired_bootstrap_tells_models_apart"]),
];

#[test]
fn every_metric_has_a_test() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["tests/metrics", "src/metrics"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            sources += &std::fs::read_to_string(file.unwrap().path()).unwrap();
        }
    }
    for (metric, tests) in COVERED {
        assert!(!tests.is_empty(), "{metric} has no test");
        for test in *tests {
            let function = format!("#[test]\nfn {test}()");
            let inner = format!("#[test]\n    fn {test}()");
            let found = sources.contains(&function) || sources.contains(&inner);
            assert!(found, "{metric}: there is no test {test}");
        }
    }
    println!("{} metrics, each with a test", COVERED.len());
}
