//! Drift of several features beside the definitions in numpy.

use modelpulse::drift::rows::{self, Mmd, Rows};
use serde_json::Value;

use crate::support::{Check, cases, entries, id, numbers};

fn rows_of(value: &Value) -> Rows {
    let rows = value.as_array().unwrap();
    let width = rows[0].as_array().unwrap().len();
    Rows::new(width, rows.iter().flat_map(numbers).collect()).unwrap()
}

#[test]
fn reference_drift_multivariate() {
    let mut check = Check::default();
    for case in cases("drift_multivariate.json") {
        let [reference, current] =
            ["reference", "current"].map(|side| rows_of(&case["input"][side]));
        let mmd = Mmd::of(&reference, &current).unwrap();
        for (name, expected) in entries(&case["expected"]) {
            let place = format!("{} {name}", id(&case));
            let ours = match name {
                "sigma2" => mmd.bandwidth(),
                "mmd2_unbiased" => mmd.unbiased(),
                "mmd2_biased" => mmd.biased(),
                name if name.starts_with("energy_2E") => {
                    rows::energy(&reference, &current).unwrap()
                }
                _ => {
                    check.unknown(place);
                    continue;
                }
            };
            check.answer(&place, Ok(ours), expected, 1e-9);
        }
    }
    check.finish("drift_multivariate.json");
}

// By permutations the test has its level whatever the distribution: a p-value of at most 5 % comes in about 5 of 100.
#[test]
fn permutations_have_their_level_and_their_power() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut sample = |shift: f64, n: usize| {
        let values = (0..2 * n).map(|_| random.f64().ln() + shift).collect();
        Rows::new(2, values).unwrap()
    };
    let mut rate = |shift: f64| {
        let alarms = (0..200).filter(|&seed| {
            let mmd = Mmd::of(&sample(0.0, 20), &sample(shift, 16)).unwrap();
            mmd.test(59, seed).p_value <= 0.05
        });
        alarms.count() as f64 / 200.0
    };
    let (level, power) = (rate(0.0), rate(1.5));
    assert!((0.015..0.09).contains(&level), "{level}");
    assert!(power > 0.9, "{power}");
}
