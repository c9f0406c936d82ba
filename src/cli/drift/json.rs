//! A comparison as one JSON object, for scripts.

use serde_json::{Map, Value, json};

use crate::cli::json::number;
use crate::drift::Undefined;
use crate::drift::performance::{Estimates, Metric};
use crate::drift::verdict::Finding;
use crate::health::drift_report::{Bins, Column, Performance, Report, Summary};

pub(super) fn report(report: &Report) -> Value {
    let side = |side: usize| json!({ "file": report.files[side], "rows": report.rows[side] });
    let left_out = report.left_out.iter();
    let left_out = left_out.map(|(column, why)| json!({ "column": column, "why": why }));
    json!({
        "verdict": report.verdict().to_string(),
        "drifted": report.drifted().map(Column::name).collect::<Vec<_>>(),
        "reference": side(0),
        "current": side(1),
        "compat": report.compat.map(|compat| compat.to_string()),
        "profiles": report.profiles,
        "level": report.policy.level,
        "min_effect": report.policy.min_effect,
        "min_values": report.policy.min_values,
        "columns": report.columns.iter().map(column).collect::<Vec<_>>(),
        "gone": report.gone,
        "new": report.added,
        "left_out": left_out.collect::<Vec<_>>(),
        "performance": report.performance.as_ref().map(performance),
    })
}

fn column(column: &Column) -> Value {
    let judged = &column.judged;
    let mut object = json!({
        "column": column.name(),
        "role": column.fields[0].role().to_string(),
        "kinds": column.fields.each_ref().map(|field| field.kind().to_string()),
        "verdict": column.verdict().to_string(),
        "reasons": column.reasons(),
        "counts": judged.counts,
        "missing_rates": judged.missing_rates.map(number),
        "missing": judged.missing.as_ref().map(finding),
        "type_changed": judged.type_changed,
        "summaries": column.summaries.each_ref().map(|it| it.as_ref().map(summary)),
        "out_of_range": column.quality.out_of_range.map(number),
        "unseen": column.quality.unseen.map(number),
        "new_categories": column.quality.new_categories,
        "constant": column.quality.constant,
        "infinite": column.quality.infinite,
        "histogram": histogram(column),
    });
    if let Value::Object(object) = &mut object {
        let (found, why) = match &judged.distribution {
            Ok(found) => (finding(found), Value::Null),
            Err(why) => (Value::Null, json!(why.to_string())),
        };
        object.insert("distribution".to_owned(), found);
        object.insert("undefined".to_owned(), why);
        if let Some(compat) = &column.compat {
            let (score, why) = scored(compat.score);
            let alerts = compat
                .alerts
                .map(|(alerts, chunks)| json!({ "alerts": alerts, "chunks": chunks }));
            let compat = json!({
                "method": compat.method,
                "score": score,
                "undefined": why,
                "threshold": compat.threshold,
                "drifted": compat.drifted,
                "chunks": alerts,
            });
            object.insert("compat".to_owned(), compat);
        }
    }
    object
}

fn scored(score: Result<f64, Undefined>) -> (Value, Value) {
    match score {
        Ok(score) => (number(score), Value::Null),
        Err(why) => (Value::Null, json!(why.to_string())),
    }
}

fn finding(found: &Finding) -> Value {
    let tested = found.threshold.is_none();
    json!({
        "test": found.test.to_string(),
        "statistic": number(found.statistic),
        "p_value": tested.then(|| number(found.p_value)),
        "adjusted": tested.then(|| number(found.adjusted)),
        "threshold": found.threshold,
        "effect": number(found.effect),
        "error": number(found.error),
    })
}

fn summary(it: &Summary) -> Value {
    json!({
        "mean": number(it.mean),
        "deviation": number(it.deviation),
        "least": number(it.least),
        "lower_quartile": number(it.lower_quartile),
        "median": number(it.median),
        "upper_quartile": number(it.upper_quartile),
        "most": number(it.most),
    })
}

fn histogram(column: &Column) -> Value {
    let [reference, current] = &column.histogram.counts;
    match &column.histogram.bins {
        Bins::Edges(edges) => json!({ "edges": edges, "reference": reference, "current": current }),
        Bins::Names(names) => json!({ "names": names, "reference": reference, "current": current }),
    }
}

fn performance(performance: &Performance) -> Value {
    let metrics = |of: &Estimates| -> Value {
        let defined = Metric::ALL
            .into_iter()
            .filter_map(|metric| Some((metric.name().to_owned(), number(of.of(metric).ok()?))));
        defined.collect::<Map<String, Value>>().into()
    };
    let errors = Metric::ALL.into_iter().filter_map(|metric| {
        let error = performance.errors[metric as usize]?;
        Some((metric.name().to_owned(), number(error)))
    });
    let alarms = Metric::ALL
        .into_iter()
        .filter(|&metric| performance.alarms(metric));
    let chunks = performance.chunks.iter().map(|chunk| {
        json!({
            "first_row": chunk.first_row,
            "rows": chunk.rows,
            "estimated": metrics(&chunk.estimated),
            "realised": chunk.realised.as_ref().map(metrics),
        })
    });
    json!({
        "classes": performance.classes,
        "reference": metrics(&performance.reference),
        "estimated": metrics(&performance.estimated),
        "realised": performance.realised.as_ref().map(metrics),
        "sampling_errors": errors.collect::<Map<String, Value>>(),
        "alarms": alarms.map(Metric::name).collect::<Vec<_>>(),
        "chunks": chunks.collect::<Vec<_>>(),
    })
}
