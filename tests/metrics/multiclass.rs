//! `metrics_multiclass.json`: scikit-learn's metrics of labels and probabilities.

use modelpulse::metrics::{
    Accumulator, Answer, Average, ClassScore, KappaWeights, MulticlassBatch, MulticlassMetrics,
    Normalise, Undefined,
};
use serde_json::Value;

use super::support::{Case, Check, Ours, cases, counts, numbers, table};

#[test]
fn reference_metrics_multiclass() {
    let mut check = Check::new();
    check.reason = Some(reason);
    for case in cases(
        "metrics_multiclass.json",
        &["y_true", "proba", "labels"],
        &["weight"],
    ) {
        compare(&mut check, &case);
    }
    check.finish("metrics_multiclass");
}

/// Where modelpulse answers other than scikit-learn, on purpose.
fn reason(check: &Check, ours: &Ours, expected: &Value) -> Option<&'static str> {
    let metric = check.metric.as_str();
    let error = expected.get("error").and_then(Value::as_str);
    match ours {
        Ours::One(Ok(_))
            if error.is_some_and(|e| e.contains("binary") || e.contains("1d array")) =>
        {
            Some("two columns are two classes like any others; scikit-learn raises")
        }
        Ours::One(Ok(_))
            if metric == "roc_auc_ovr_macro" && expected.get("undefined").is_some() =>
        {
            Some("the mean is over the classes that have an area; scikit-learn gives NaN")
        }
        Ours::One(Err(Undefined::NoPositives))
            if metric == "average_precision_per_class" && expected.as_f64() == Some(0.0) =>
        {
            Some("without positives there is no curve; scikit-learn takes recall as 1")
        }
        Ours::One(Err(Undefined::OneClass)) if expected.as_str() == Some("-Infinity") => {
            Some("of one class chance is certainty; scikit-learn divides by 0")
        }
        Ours::One(Err(_)) if expected.as_f64() == Some(0.0) => {
            Some("0/0 is undefined; scikit-learn gives 0")
        }
        _ => None,
    }
}

pub(crate) fn compare(check: &mut Check, case: &Case) {
    let names = counts(&case.input["labels"]);
    let place = |label: usize| names.iter().position(|&name| name == label).unwrap();
    let labels: Vec<usize> = counts(&case.input["y_true"])
        .into_iter()
        .map(place)
        .collect();
    let proba = table(&case.input["proba"]);
    let classes = names.len();
    let mut metrics = MulticlassMetrics::new(classes);
    let mut batch = MulticlassBatch::new(&labels, &proba);
    let weights = case.input.get("weight").map(numbers);
    batch.weights = weights.as_deref();
    metrics.update(batch).unwrap();
    for (name, expected) in &case.expected {
        check.at(&case.id, name);
        if name == "pred" {
            let rows = labels.iter().zip(proba.chunks(classes));
            let predicted = rows.map(|(&label, row)| {
                let mut one = metrics.fresh();
                one.update(MulticlassBatch::new(&[label], row)).unwrap();
                let only = (0..classes).find(|&class| one.confusion().predicted(class) == 1);
                names[only.unwrap()] as f64
            });
            check.that(predicted.collect::<Vec<f64>>(), expected);
        } else if name.starts_with("ece_top_label_") {
            let reliability = metrics.reliability();
            assert!(name.ends_with(&format!("_{}", reliability.bins.len())));
            for (part, value) in expected.as_object().unwrap() {
                match part.as_str() {
                    "ece" => check.that(reliability.ece(), value),
                    "mce" => check.that(reliability.mce(), value),
                    _ => check.unknown(),
                }
            }
        } else {
            match answer(&metrics, name) {
                Some(ours) => check.that(ours, expected),
                None => check.unknown(),
            }
        }
    }
}

fn answer(metrics: &MulticlassMetrics, name: &str) -> Option<Ours> {
    let matrix = metrics.confusion();
    let classes = || 0..metrics.classes();
    let each = |answer: &dyn Fn(usize) -> Answer| -> Ours {
        classes().map(answer).collect::<Vec<Answer>>().into()
    };
    if let Some(k) = name
        .strip_prefix("top_")
        .and_then(|rest| rest.strip_suffix("_accuracy"))
    {
        return Some(metrics.top_k(k.parse().unwrap()).into());
    }
    let answer = match name {
        "confusion_matrix" => {
            let row = |label| {
                classes()
                    .map(|p| matrix.weight(label, p))
                    .collect::<Vec<f64>>()
            };
            return Some(classes().map(row).collect::<Vec<_>>().into());
        }
        "confusion_matrix_norm_true" => {
            let share = |label, p| matrix.share(label, p, Normalise::Truth);
            let row = |label| classes().map(|p| share(label, p)).collect::<Vec<Answer>>();
            return Some(classes().map(row).collect::<Vec<_>>().into());
        }
        "support" => {
            let support = classes().map(|class| matrix.support(class) as f64);
            return Some(support.collect::<Vec<f64>>().into());
        }
        "roc_auc_per_class" => return Some(each(&|class| metrics.class_auc(class))),
        "average_precision_per_class" => {
            return Some(each(&|class| metrics.steps(class).average_precision()));
        }
        "accuracy" => matrix.accuracy(),
        "balanced_accuracy" => matrix.balanced_accuracy(),
        "balanced_accuracy_adjusted" => matrix.balanced_accuracy_adjusted(),
        "f1_macro_labels_seen" => matrix.macro_f1(),
        "f1_macro_zdnan" => {
            let defined = classes().filter(|&class| matrix.f1(class).is_ok());
            matrix.averaged_over(ClassScore::FBeta(1.0), Average::Macro, defined)
        }
        "mcc" => matrix.mcc(),
        "cohen_kappa_none" => matrix.cohen_kappa(KappaWeights::None),
        "cohen_kappa_linear" => matrix.cohen_kappa(KappaWeights::Linear),
        "cohen_kappa_quadratic" => matrix.cohen_kappa(KappaWeights::Quadratic),
        "log_loss" => metrics.log_loss(),
        "brier_multiclass" => metrics.brier(),
        _ => {
            let (score, average) = name.rsplit_once('_')?;
            let average = match average {
                "macro" => Average::Macro,
                "micro" => Average::Micro,
                "weighted" => Average::Weighted,
                "class" => {
                    let score = class_score(score.strip_suffix("_per")?)?;
                    // scikit-learn's zero_division=0.
                    let of = |class| Ok(matrix.class_score(class, score).unwrap_or(0.0));
                    return Some(each(&of));
                }
                _ => return None,
            };
            match score {
                "roc_auc_ovr" => metrics.roc_auc_ovr(average),
                "roc_auc_ovo" => metrics.roc_auc_ovo(average),
                // Over all labels, whether they occur or not.
                _ => matrix.averaged_over(class_score(score)?, average, classes()),
            }
        }
    };
    Some(answer.into())
}

pub(crate) fn class_score(name: &str) -> Option<ClassScore> {
    Some(match name {
        "precision" => ClassScore::Precision,
        "recall" => ClassScore::Recall,
        "f1" => ClassScore::FBeta(1.0),
        "jaccard" => ClassScore::Jaccard,
        _ => return None,
    })
}
