//! Tests and distances of categories beside scipy.

use modelpulse::drift::data::{Categories, Test};
use modelpulse::drift::evidently::Method;
use modelpulse::drift::{Column, Undefined};
use serde_json::Value;

use crate::evidently;
use crate::support::{Check, cases, entries, id};

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

#[test]
fn reference_drift_categorical() {
    let mut check = Check::default();
    for case in cases("drift_categorical.json") {
        let [reference, current] = ["reference", "current"].map(|side| names(&case["input"][side]));
        let some =
            [&reference, &current].map(|names| names.iter().copied().map(Some).collect::<Vec<_>>());
        let columns = [Column::Categories(&some[0]), Column::Categories(&some[1])];
        let categories = Categories::of(reference, current);
        let counts = categories.counts();
        for (name, expected) in entries(&case["expected"]) {
            let place = format!("{} {name}", id(&case));
            let as_numbers =
                |counts: &[u64]| -> Vec<f64> { counts.iter().map(|&n| n as f64).collect() };
            let distance = match name {
                "keys" => {
                    check.exact(place, categories.names(), &names(expected));
                    continue;
                }
                "new_categories" => {
                    check.exact(
                        place,
                        categories.new_ones().copied().collect(),
                        names(expected),
                    );
                    continue;
                }
                "vanished_categories" => {
                    check.exact(
                        place,
                        categories.vanished().copied().collect(),
                        names(expected),
                    );
                    continue;
                }
                "ref_counts" | "cur_counts" => {
                    let counts = if name == "ref_counts" {
                        counts.reference()
                    } else {
                        counts.current()
                    };
                    check.answers(&place, &as_numbers(counts), expected);
                    continue;
                }
                "chi2_contingency" => {
                    test(&mut check, &place, counts.chi_squared(), expected);
                    continue;
                }
                "chi2_contingency_yates" => {
                    test(&mut check, &place, counts.chi_squared_corrected(), expected);
                    continue;
                }
                "g_contingency" => {
                    test(&mut check, &place, counts.g(), expected);
                    continue;
                }
                "fisher_exact" => {
                    test(&mut check, &place, counts.fisher(), expected);
                    continue;
                }
                "z_two_proportions" => {
                    test(&mut check, &place, counts.z(), expected);
                    continue;
                }
                "chi2_gof_scaled" => {
                    let p_value = Method::ChiSquared.score(&columns[0], &columns[1]);
                    check.answer(&place, p_value, &expected["pvalue"], 1e-6);
                    continue;
                }
                "evidently" => {
                    evidently::compare(&mut check, &place, columns, expected);
                    continue;
                }
                "psi_eps1e-4" => counts.psi(),
                "js_distance_ln" => counts.jensen_shannon(),
                "js_distance_log2" => counts.jensen_shannon_bits(),
                "hellinger" => counts.hellinger(),
                "tvd" => counts.total_variation(),
                "l_infinity" => counts.largest_difference(),
                "cramers_v" => counts.cramers_v(),
                _ => {
                    check.unknown(place);
                    continue;
                }
            };
            check.answer(&place, distance, expected, 1e-9);
        }
    }
    check.finish("drift_categorical.json");
}

fn test(check: &mut Check, place: &str, ours: Result<Test, Undefined>, expected: &Value) {
    for (key, expected) in entries(expected) {
        let place = format!("{place} {key}");
        match key {
            "statistic" | "z" | "odds_ratio" => {
                check.answer(&place, ours.map(|test| test.statistic), expected, 1e-9);
            }
            "pvalue" => check.answer(&place, ours.map(|test| test.p_value), expected, 1e-6),
            // The number of categories seen, less one; it shows in the p-value.
            "dof" => {}
            _ => check.unknown(place),
        }
    }
}
