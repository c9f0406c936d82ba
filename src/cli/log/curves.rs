//! How good a classifier is: precision-recall and ROC curves, reliability diagrams, confusion matrices.
//!
//! The keys: pr_curve, roc, reliability, confusion. Scores go from 0 to 1 and have the key "labels" beside
//! them: 1 or true for a positive.

use serde_json::Value;

use super::keys::{Keys, Reason, count, list, named, numbers, text, truths};
use super::line::{Content, one};
use crate::figure::{
    Picture, ReliabilityBin, RocCurve, confusion_matrix, reliability_diagram, roc_curves,
};
use crate::metrics::{Accumulator, BinaryBatch, Calibration, ConfusionMatrix, Edges, Ranking};
use crate::summary::{Image, PrCounts, PrCurve};

/// Scores, or an object of ready counts at each threshold.
pub(super) fn pr_curve(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let curve = match value {
        Value::Object(counts) => {
            let mut counts = Keys(counts);
            let mut read = |key: &str| numbers(key, &counts.need(key, "pr_curve")?);
            let ready = PrCounts {
                true_positives: read("true_positives")?,
                false_positives: read("false_positives")?,
                true_negatives: read("true_negatives")?,
                false_negatives: read("false_negatives")?,
            };
            counts.none_left("true_positives")?;
            PrCurve::from_counts(&ready)
        }
        scores => {
            let scores = numbers("pr_curve", &scores)?;
            let labels = truths("labels", keys.need("labels", "pr_curve")?)?;
            let thresholds = keys.or("thresholds", PrCurve::THRESHOLDS, count)?;
            match keys.take("weights") {
                Some(weights) => {
                    let weights = numbers("weights", &weights)?;
                    PrCurve::weighted(&scores, &labels, &weights, thresholds)
                }
                None => PrCurve::with_thresholds(&scores, &labels, thresholds),
            }
        }
    };
    Ok(one(
        tag,
        curve.map_err(|error| format!("'pr_curve': {error}"))?,
    ))
}

/// Scores of one model, or an object of several models' or classes' by name; the labels are the same for all,
/// or an object by name too.
pub(super) fn roc(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let labels = keys.need("labels", "roc")?;
    let scores = match value {
        Value::Object(_) => named("roc", value, |name, scores| numbers(name, &scores))?,
        scores => vec![(String::new(), numbers("roc", &scores)?)],
    };
    let curve = |(name, scores): (String, Vec<f64>)| {
        let labels = match &labels {
            Value::Object(by_name) => by_name
                .get(&name)
                .cloned()
                .ok_or_else(|| format!("'labels' has none for '{name}'"))?,
            same => same.clone(),
        };
        let labels = truths("labels", labels)?;
        let (points, auc) = roc_points("roc", &scores, &labels)?;
        Ok((name, points, auc))
    };
    let curves = scores
        .into_iter()
        .map(curve)
        .collect::<Result<Vec<_>, Reason>>()?;
    let curves: Vec<RocCurve<'_>> = curves
        .iter()
        .map(|(name, points, auc)| RocCurve {
            name,
            points,
            auc: *auc,
        })
        .collect();
    drawn(tag, "roc", roc_curves(&curves))
}

/// Confidences, and whether each was right.
pub(super) fn reliability(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let scores = numbers("reliability", &value)?;
    let labels = truths("labels", keys.need("labels", "reliability")?)?;
    same_length("reliability", &scores, &labels)?;
    let bins: usize = keys.or("bins", 10, count)?;
    if !(1..=100).contains(&bins) {
        return Err(format!("'bins' is {bins}, not 1 to 100"));
    }
    if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
        return Err(format!(
            "'reliability' holds {score}, not only scores from 0 to 1"
        ));
    }
    let mut calibration = Calibration::new(bins, Edges::Left);
    let taken = calibration.update(BinaryBatch::new(&labels, &scores));
    taken.map_err(|error| format!("'reliability': {error}"))?;
    let bins = calibration.compute().bins.into_iter();
    let bins: Vec<ReliabilityBin> = bins.map(Into::into).collect();
    drawn(tag, "reliability", reliability_diagram(&bins))
}

/// Counts, one row a true label and one column a prediction; or an array of predictions, with "labels".
pub(super) fn confusion(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let classes = keys.or("classes", None, |key, value| {
        list(key, value, |class| text(key, class)).map(Some)
    })?;
    let matrix = match keys.take("labels") {
        None => counts(&value)?,
        Some(labels) => {
            let predictions = labelled("confusion", value, classes.as_deref())?;
            let labels = labelled("labels", labels, classes.as_deref())?;
            same_length("confusion", &predictions, &labels)?;
            let largest = predictions.iter().chain(&labels).max();
            let found = largest.map_or(0, |largest| largest + 1);
            if found > 1000 {
                return Err(format!(
                    "'confusion' has {found} classes, more than fit a picture"
                ));
            }
            let mut matrix = ConfusionMatrix::new(classes.as_ref().map_or(found, Vec::len));
            for (label, prediction) in labels.into_iter().zip(predictions) {
                let counted = matrix.add(label, prediction);
                counted.map_err(|error| format!("'confusion': {error}"))?;
            }
            matrix
        }
    };
    let classes = classes.unwrap_or_else(|| {
        let numbers = 0..matrix.classes();
        numbers.map(|class| class.to_string()).collect()
    });
    drawn(tag, "confusion", confusion_matrix(&matrix, &classes))
}

fn counts(value: &Value) -> Result<ConfusionMatrix, Reason> {
    const FORM: &str =
        "'confusion' is not a square of counts; beside predictions stand their \"labels\"";
    let row =
        |row: &Value| -> Option<Vec<u64>> { row.as_array()?.iter().map(Value::as_u64).collect() };
    let rows: Option<Vec<Vec<u64>>> = value
        .as_array()
        .and_then(|rows| rows.iter().map(row).collect());
    ConfusionMatrix::from_rows(&rows.ok_or(FORM)?).map_err(|error| format!("'confusion': {error}"))
}

/// Numbers of classes, or where classes have names these.
fn labelled(key: &str, value: Value, classes: Option<&[String]>) -> Result<Vec<usize>, Reason> {
    list(key, value, |class| match (&class, classes) {
        (Value::String(name), Some(classes)) => {
            let class = classes.iter().position(|class| class == name);
            class.ok_or_else(|| format!("'{key}' holds \"{name}\", which is none of the classes"))
        }
        (Value::String(_), None) => Err(format!(
            "'{key}' holds names of classes: say their order as \"classes\""
        )),
        _ => count(key, class),
    })
}

/// The false and true positive rate at each score as a threshold, and the area under the curve.
fn roc_points(
    key: &str,
    scores: &[f64],
    labels: &[bool],
) -> Result<(Vec<(f64, f64)>, f64), Reason> {
    same_length(key, scores, labels)?;
    let mut ranking = Ranking::new();
    let taken = ranking.update(BinaryBatch::new(labels, scores));
    taken.map_err(|error| format!("'{key}': {error}"))?;
    let both = |_| format!("'{key}' needs positives and negatives among its labels");
    let steps = ranking.compute();
    let area = steps.roc_auc().map_err(both)?;
    Ok((steps.roc_curve().map_err(both)?, area))
}

fn same_length<A, B>(key: &str, values: &[A], labels: &[B]) -> Result<(), Reason> {
    match (values.len(), labels.len()) {
        (0, _) => Err(format!("'{key}' is empty")),
        (values, labels) if values != labels => {
            Err(format!("'{key}' has {values} values and {labels} labels"))
        }
        _ => Ok(()),
    }
}

fn drawn<E: std::fmt::Display>(
    tag: String,
    key: &str,
    picture: Result<Picture, E>,
) -> Result<Content, Reason> {
    let picture = picture.map_err(|error| format!("'{key}': {error}"))?;
    let image = Image::rgb(picture.width(), picture.height(), picture.rgb());
    Ok(one(
        tag,
        image.map_err(|error| format!("'{key}': {error}"))?,
    ))
}
