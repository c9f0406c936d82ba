//! An evaluation as one JSON object, for scripts.

use serde_json::{Map, Value, json};

use super::super::json::number;
use crate::health::evaluation::{Comparison, Evaluation};
use crate::metrics::{Answer, Memory};

pub(super) fn report(evaluation: &Evaluation, comparison: Option<&Comparison>) -> Value {
    let mut report = evaluated(evaluation);
    if let (Value::Object(report), Some(comparison)) = (&mut report, comparison) {
        report.insert("baseline".to_owned(), compared(comparison));
    }
    report
}

/// A number, or null where there is none; why is told elsewhere.
fn answered(answer: Answer) -> Value {
    answer.map_or(Value::Null, number)
}

/// Pairs of numbers by name; what has none is left out.
fn ranges<'a>(ranges: impl Iterator<Item = (&'a str, Option<(f64, f64)>)>) -> Value {
    let range = |(name, range): (&str, Option<(f64, f64)>)| {
        let (low, high) = range?;
        Some((name.to_owned(), json!([number(low), number(high)])))
    };
    ranges
        .filter_map(range)
        .collect::<Map<String, Value>>()
        .into()
}

fn evaluated(evaluation: &Evaluation) -> Value {
    let plan = &evaluation.plan;
    let named = |of: fn(Answer) -> Option<Value>| -> Map<String, Value> {
        let metrics = evaluation.metrics.iter();
        metrics
            .filter_map(|&(name, answer)| Some((name.to_owned(), of(answer)?)))
            .collect()
    };
    let undefined = named(|answer| answer.err().map(|why| json!(why.to_string())));
    let bounds = evaluation.bounds.iter();
    let bounds = ranges(bounds.map(|&(name, low, high)| (name, Some((low, high)))));
    let confidence = evaluation.intervals.first().map(|(_, first)| {
        let intervals = evaluation.intervals.iter();
        let intervals = intervals.map(|&(name, it)| (name, Some((it.low, it.high))));
        json!({
            "level": first.level,
            "resamples": first.resamples,
            "intervals": ranges(intervals),
        })
    });
    let matrices = evaluation
        .confusion
        .iter()
        .map(|matrix| matrix.rows().map(|row| json!(row)).collect());
    let matrices: Vec<Value> = matrices.collect();
    let per_class = evaluation.per_class.iter().map(|class| {
        json!({
            "class": class.name,
            "rows": class.support,
            "precision": answered(class.precision),
            "recall": answered(class.recall),
            "f1": answered(class.f1),
            "roc_auc": class.roc_auc.map(answered),
            "average_precision": class.average_precision.map(answered),
        })
    });
    let reliability = evaluation.charts.reliability.as_ref().map(|reliability| {
        let bins = reliability.bins.iter().map(|bin| {
            json!({
                "rows": bin.count,
                "confidence": number(bin.confidence),
                "accuracy": number(bin.accuracy),
            })
        });
        bins.collect::<Vec<_>>()
    });
    let slices = evaluation.slices.as_ref().map(|slices| {
        let worst = slices.worst.iter().map(|slice| {
            let conditions: Map<String, Value> = slice
                .conditions
                .iter()
                .map(|(column, value)| (column.clone(), json!(value)))
                .collect();
            json!({
                "where": conditions,
                "rows": slice.rows,
                "error": number(slice.error),
                "lift": number(slice.lift),
                "p_value": number(slice.p_value),
                "q_value": number(slice.q_value),
            })
        });
        json!({
            "columns": slices.columns,
            "least_rows": slices.least,
            "looked_at": slices.looked_at,
            "error": number(slices.error),
            "worst": worst.collect::<Vec<_>>(),
        })
    });
    let label_errors = evaluation.label_errors.as_ref().map(|errors| {
        let worst = errors.worst.iter().map(|error| {
            json!({
                "row": error.row,
                "label": error.label,
                "suggested": error.suggested,
                "confidence": number(error.confidence),
            })
        });
        json!({"count": errors.count, "worst": worst.collect::<Vec<_>>()})
    });
    json!({
        "file": plan.file(),
        "task": evaluation.task.to_string(),
        "rows": {
            "read": evaluation.rows.read,
            "used": evaluation.rows.used,
            "unlabelled": evaluation.rows.unlabelled,
            "invalid": evaluation.rows.invalid,
        },
        "columns": {
            "labels": plan.labels,
            "scores": plan.scores,
            "prediction": plan.prediction,
            "weight": plan.weight,
        },
        "classes": plan.classes,
        "threshold": number(evaluation.threshold),
        "memory": if evaluation.memory == Memory::Exact { "exact" } else { "bounded" },
        "metrics": named(|answer| Some(answered(answer))),
        "undefined": undefined,
        "bounds": bounds,
        "confidence": confidence,
        "confusion": matrices,
        "per_class": per_class.collect::<Vec<_>>(),
        "reliability": reliability,
        "slices": slices,
        "label_errors": label_errors,
    })
}

fn compared(comparison: &Comparison) -> Value {
    let baseline: Map<String, Value> = comparison
        .changes
        .iter()
        .map(|change| (change.name.to_owned(), answered(change.baseline)))
        .collect();
    let differences: Map<String, Value> = comparison
        .changes
        .iter()
        .map(|change| {
            (
                change.name.to_owned(),
                change.difference().map_or(Value::Null, number),
            )
        })
        .collect();
    let intervals = comparison.changes.iter();
    let intervals = intervals.map(|change| (change.name, change.interval));
    let tests = comparison.tests.iter().map(|test| {
        json!({
            "test": test.name,
            "difference": number(test.difference),
            "interval": test.interval.map(|(low, high)| [number(low), number(high)]),
            "p_value": number(test.p_value),
        })
    });
    json!({
        "file": comparison.baseline.plan.file(),
        "rows": comparison.baseline.rows.used,
        "metrics": baseline,
        "differences": differences,
        "level": comparison.level,
        "difference_intervals": ranges(intervals),
        "tests": tests.collect::<Vec<_>>(),
        "untested": comparison.untested,
    })
}
