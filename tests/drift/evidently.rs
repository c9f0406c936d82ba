//! Evidently's tests, thresholds and verdicts, as it gives them.

use modelpulse::drift::Column;
use modelpulse::drift::evidently::Method;
use serde_json::Value;

use crate::support::{Check, cases, entries, id, number};

const RAISES: &str = "Evidently raises an error where there is an answer";
const FEW: &str = "Evidently's own count of orders for small samples is off by some in a thousand";
const ROUNDED: &str = "values that are large beside their spread, whose rounding shows";
const CVM: &str =
    "scipy stops its series at terms of 1e-7, so it knows p-values of CvM only to 1e-8";

/// Compares the answers of all methods that are named.
pub(crate) fn compare(
    check: &mut Check,
    place: &str,
    [reference, current]: [Column<'_>; 2],
    expected: &Value,
) {
    for (name, expected) in entries(expected) {
        let place = format!("{place} {name}");
        if name == "default_test" {
            let ours = Method::default_for(&reference, &current).name();
            check.exact(place, ours, expected.as_str().unwrap());
            continue;
        }
        let Some(method) = Method::named(name) else {
            check.unknown(place);
            continue;
        };
        let score = method.score(&reference, &current);
        if expected.get("error").is_some() {
            match score {
                Ok(_) => check.differs(place, RAISES),
                Err(_) => check.holds(&place, true, String::new),
            }
            continue;
        }
        let relative = if method.is_distance() { 1e-9 } else { 1e-6 };
        let near = |noise: f64| {
            score.is_ok_and(|score| (score - number(&expected["score"])).abs() < noise)
        };
        if check.missing {
            check.answer(&place, score, &expected["score"], relative);
            continue;
        }
        if method == Method::Hellinger && near(2e-8) {
            // The root of 1 - Σ, of which rounding takes the half of its digits.
            check.holds(&place, true, String::new);
        } else if !near(relative * number(&expected["score"]))
            && near(rounding(&reference, &current) * number(&expected["score"]))
        {
            check.differs(&place, ROUNDED);
        } else if method == Method::CramerVonMises
            && reference.present().max(current.present()) <= 20
            && near(1e-3 * number(&expected["score"]))
        {
            check.differs(&place, FEW);
        } else if method == Method::CramerVonMises
            && near(1e-8)
            && !near(relative * number(&expected["score"]))
        {
            check.differs(&place, CVM);
        } else {
            check.answer(&place, score, &expected["score"], relative);
        }
        let drifted = score.is_ok_and(|score| method.drifted(score));
        check.exact(
            format!("{place} drifted"),
            drifted,
            expected["drifted"].as_bool().unwrap(),
        );
        check.exact(
            format!("{place} threshold"),
            method.threshold(),
            number(&expected["threshold"]),
        );
    }
}

/// What rounding makes of differences of values that are far from zero; 0 where it is below what is compared.
fn rounding(reference: &Column<'_>, current: &Column<'_>) -> f64 {
    let (Column::Numbers(a), Column::Numbers(b)) = (reference, current) else {
        return 0.0;
    };
    let both = a.iter().chain(*b).copied();
    let (least, most) = both.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    );
    let noise = 1024.0 * f64::EPSILON * least.abs().max(most.abs()) / (most - least);
    if (1e-9..1.0).contains(&noise) {
        noise
    } else {
        0.0
    }
}

/// The words of its report.
fn display(method: Method) -> &'static str {
    match method {
        Method::Ks => "K-S p_value",
        Method::Wasserstein => "Wasserstein distance (normed)",
        Method::JensenShannon => "Jensen-Shannon distance",
        Method::ChiSquared => "chi-square p_value",
        Method::Z => "Z-test p_value",
        other => other.name(),
    }
}

#[test]
fn reference_drift_dataset_evidently() {
    let mut check = Check::default();
    for case in cases("drift_dataset_evidently.json") {
        let mut drifted = 0;
        let columns = &case["expected"]["columns"];
        for (column, expected) in entries(columns) {
            let place = format!("{} {column}", id(&case));
            let sides = ["reference", "current"]
                .map(|side| case["input"][side][column].as_array().unwrap());
            let words = sides.map(|side| side.iter().map(Value::as_str).collect::<Vec<_>>());
            let is_words = words[0].iter().any(Option::is_some);
            let values = sides.map(|side| {
                let number = |value: &Value| if is_words { f64::NAN } else { number(value) };
                side.iter().map(number).collect::<Vec<f64>>()
            });
            let [reference, current] = [0, 1].map(|side| {
                if is_words {
                    Column::Categories(&words[side])
                } else {
                    Column::Numbers(&values[side])
                }
            });
            let method = Method::default_for(&reference, &current);
            let score = method.score(&reference, &current);
            drifted += usize::from(score.is_ok_and(|score| method.drifted(score)));
            for (key, expected) in entries(expected) {
                let place = format!("{place} {key}");
                match key {
                    "method" => check.exact(place, display(method), expected.as_str().unwrap()),
                    "threshold" => check.exact(place, method.threshold(), number(expected)),
                    "score" => {
                        let relative = if method.is_distance() { 1e-9 } else { 1e-6 };
                        check.answer(&place, score, expected, relative);
                    }
                    "metric_name" => {
                        let words = format!(
                            "ValueDrift(column={column},method={},threshold={})",
                            display(method),
                            method.threshold()
                        );
                        check.exact(place, words.as_str(), expected.as_str().unwrap());
                    }
                    _ => check.unknown(place),
                }
            }
        }
        let all = columns.as_object().unwrap().len();
        let expected = &case["expected"]["drifted_columns"];
        check.exact(
            format!("{} count", id(&case)),
            drifted as f64,
            number(&expected["count"]),
        );
        check.close(
            format!("{} share", id(&case)),
            drifted as f64 / all as f64,
            number(&expected["share"]),
            1e-9,
        );
    }
    check.finish("drift_dataset_evidently.json");
}
