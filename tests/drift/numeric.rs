//! Tests and distances of numbers beside scipy.

use modelpulse::drift::data::{
    Sample, Test, anderson_darling, bins, cramer_von_mises, epps_singleton, ks,
    mann_whitney::{self, Side},
    t_test, transport,
};
use modelpulse::drift::{Column, Undefined};
use serde_json::Value;

use crate::evidently;
use crate::support::{Check, cases, entries, id, number, numbers};

type Outcome = Result<Test, Undefined>;

const SMALL_P: &str =
    "scipy stops its series at terms of 1e-7, so it knows p-values of CvM only to 1e-8";

#[test]
fn reference_drift_numeric() {
    let mut check = Check::default();
    for case in cases("drift_numeric.json") {
        let sides =
            ["reference", "current"].map(|side| Sample::new(&numbers(&case["input"][side])));
        let [a, b] = &sides;
        check.missing = a.missing() + b.missing() > 0;
        for (name, expected) in entries(&case["expected"]) {
            let place = format!("{} {name}", id(&case));
            let check = &mut check;
            match name {
                "ks_auto" => kolmogorov(check, &place, &sides, ks::auto(a, b), expected),
                "ks_exact" => kolmogorov(check, &place, &sides, ks::exact(a, b), expected),
                "ks_asymp" => kolmogorov(check, &place, &sides, ks::asymptotic(a, b), expected),
                "cvm_asymp" => {
                    test(
                        check,
                        &place,
                        cramer_von_mises::asymptotic(a, b),
                        expected,
                        Some(1e-8),
                    );
                }
                "cvm_exact" => test(check, &place, cramer_von_mises::exact(a, b), expected, None),
                "anderson_ksamp_midrank" => {
                    test(check, &place, anderson_darling::test(a, b), expected, None);
                }
                "mannwhitneyu_asymp_two-sided" => {
                    mann_whitney(check, &place, &sides, Side::Both, expected)
                }
                "mannwhitneyu_asymp_less" => {
                    mann_whitney(check, &place, &sides, Side::Less, expected)
                }
                "mannwhitneyu_asymp_greater" => {
                    mann_whitney(check, &place, &sides, Side::Greater, expected)
                }
                "mannwhitneyu_exact" => {
                    let p_value = mann_whitney::exact(a, b, Side::Both).map(|test| test.p_value);
                    check.answer(&place, p_value, expected, 1e-6);
                }
                "wasserstein" => check.answer(&place, transport::wasserstein(a, b), expected, 1e-9),
                "energy_distance" => check.answer(&place, transport::energy(a, b), expected, 1e-9),
                "t_student" => t(check, &place, &sides, t_test::student(a, b), expected),
                "t_welch" => t(check, &place, &sides, t_test::welch(a, b), expected),
                "epps_singleton" => test(check, &place, epps_singleton::test(a, b), expected, None),
                "levene_median" => test(check, &place, t_test::levene(a, b), expected, None),
                "binned_ref_deciles_right_closed" => binned(check, &place, &sides, expected),
                "evidently" => {
                    let [a, b] = ["reference", "current"].map(|side| numbers(&case["input"][side]));
                    evidently::compare(
                        check,
                        &place,
                        [Column::Numbers(&a), Column::Numbers(&b)],
                        expected,
                    );
                }
                _ => check.unknown(place),
            }
        }
    }
    check.finish("drift_numeric.json");
}

fn test(check: &mut Check, place: &str, ours: Outcome, expected: &Value, noise: Option<f64>) {
    if expected.get("error").is_some() {
        check.answer(place, ours.map(|test| test.statistic), expected, 0.0);
        return;
    }
    for (key, expected) in entries(expected) {
        let place = format!("{place} {key}");
        let statistic = ours.map(|test| test.statistic);
        match key {
            "statistic" | "u1" => check.answer(&place, statistic, expected, 1e-9),
            "pvalue" => {
                let p_value = ours.map(|test| test.p_value);
                if let (Ok(p_value), Some(noise)) = (p_value, noise)
                    && (p_value - number(expected)).abs() < noise
                    && (p_value - number(expected)).abs() > 1e-6 * p_value
                {
                    check.differs(place, SMALL_P);
                    continue;
                }
                check.answer(&place, p_value, expected, 1e-6);
            }
            // Of the table that the p-value is read from.
            "critical_values" => {}
            _ => check.unknown(place),
        }
    }
}

/// Where means are far from zero beside their difference, what numpy rounds in them shows.
fn t(check: &mut Check, place: &str, [a, b]: &[Sample; 2], ours: Outcome, expected: &Value) {
    let Ok(answer) = ours else {
        return test(check, place, ours, expected, None);
    };
    let difference = (a.mean() - b.mean()).abs();
    let rounding = 8.0 * f64::EPSILON * (a.mean().abs() + b.mean().abs()) / difference.max(1e-300);
    if rounding < 1e-10 {
        return test(check, place, ours, expected, None);
    }
    let statistic = number(&expected["statistic"]);
    let near = (answer.statistic - statistic).abs() <= rounding * statistic.abs();
    check.holds(place, near, || format!("{answer:?}, expected {expected}"));
    check.differs(
        place,
        "means that are large beside their difference, whose rounding shows in numpy",
    );
}

fn kolmogorov(
    check: &mut Check,
    place: &str,
    [a, b]: &[Sample; 2],
    ours: Outcome,
    expected: &Value,
) {
    let distance = ks::Distance::of(a, b);
    for (key, expected) in entries(expected) {
        let place = format!("{place} {key}");
        let (ours, tolerance) = match key {
            "statistic" => (ours.map(|test| test.statistic), 1e-9),
            "pvalue" => (ours.map(|test| test.p_value), 1e-6),
            "location" => (distance.map(|distance| distance.location), 0.0),
            "sign" => (
                distance.map(|distance| if distance.above { 1.0 } else { -1.0 }),
                0.0,
            ),
            _ => {
                check.unknown(place);
                continue;
            }
        };
        check.answer(&place, ours, expected, tolerance);
    }
}

fn mann_whitney(
    check: &mut Check,
    place: &str,
    [a, b]: &[Sample; 2],
    side: Side,
    expected: &Value,
) {
    test(
        check,
        place,
        mann_whitney::asymptotic(a, b, side),
        expected,
        None,
    );
}

fn binned(check: &mut Check, place: &str, [a, b]: &[Sample; 2], expected: &Value) {
    let edges = bins::quantiles(a, 10);
    let counts = bins::counts(&edges, a, b);
    let as_numbers = |counts: &[u64]| counts.iter().map(|&count| count as f64).collect();
    for (key, expected) in entries(expected) {
        let place = format!("{place} {key}");
        let distance = match key {
            "inner_edges" => {
                check.answers(&place, &edges, expected);
                continue;
            }
            "ref_counts" | "cur_counts" => {
                let counts = if key == "ref_counts" {
                    counts.reference()
                } else {
                    counts.current()
                };
                let counts: Vec<f64> = as_numbers(counts);
                check.answers(&place, &counts, expected);
                continue;
            }
            "psi_eps1e-4" => counts.psi(),
            "js_distance_ln" => counts.jensen_shannon(),
            "js_distance_log2" => counts.jensen_shannon_bits(),
            "kl_ref_cur_eps1e-4" => counts.kl(),
            "hellinger" => counts.hellinger(),
            "tvd" => counts.total_variation(),
            _ => {
                check.unknown(place);
                continue;
            }
        };
        check.answer(&place, distance, expected, 1e-9);
    }
}
