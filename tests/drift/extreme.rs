//! However large samples and differences are: the larger the difference, the smaller its p-value.

use modelpulse::drift::data::{
    Counts, Sample, Test, anderson_darling, cramer_von_mises, epps_singleton, ks,
    mann_whitney::{self, Side},
    t_test,
};
use modelpulse::drift::verdict::{Policy, Verdict};
use modelpulse::drift::{Column, Undefined, verdict};
use statrs::distribution::{ContinuousCDF, Normal};

type Outcome = Result<Test, Undefined>;
type Named = (&'static str, fn(&Sample, &Sample) -> Outcome);
type OfCounts = (&'static str, fn(&Counts) -> Outcome);

/// Of numbers, those that see a shift. Epps–Singleton's is none of them: it compares waves, which come again.
const SHIFTS: [Named; 9] = [
    ("ks", |a, b| ks::auto(a, b)),
    ("ks, asymptotic", |a, b| ks::asymptotic(a, b)),
    ("anderson", |a, b| anderson_darling::asymptotic(a, b)),
    ("cvm", |a, b| cramer_von_mises::auto(a, b)),
    ("cvm, tied", |a, b| cramer_von_mises::tied(a, b)),
    ("mannwhitney", |a, b| mann_whitney::auto(a, b, Side::Both)),
    ("t", |a, b| t_test::welch(a, b)),
    ("student", |a, b| t_test::student(a, b)),
    ("z", |a, b| t_test::z(a, b)),
];
/// And those that see another width.
const WIDTHS: [Named; 4] = [
    ("ks", |a, b| ks::auto(a, b)),
    ("anderson", |a, b| anderson_darling::asymptotic(a, b)),
    ("cvm", |a, b| cramer_von_mises::auto(a, b)),
    ("levene", t_test::levene),
];
const SIZES: [[usize; 2]; 9] = [
    [10, 10],
    [50, 50],
    [50, 2000],
    [1000, 1000],
    [20, 200_000],
    [200_000, 50],
    [12_000, 9000],
    [100_000, 100_000],
    [1_000_000, 1_000_000],
];

/// As a normal distribution has them, evenly.
fn normal(n: usize) -> Vec<f64> {
    let standard = Normal::standard();
    let value = |at| standard.inverse_cdf((at as f64 + 0.5) / n as f64);
    (0..n).map(value).collect()
}

fn each(values: &[f64], change: impl Fn(f64) -> f64) -> Vec<f64> {
    values.iter().copied().map(change).collect()
}

/// A p-value is one, falls as the difference grows, and in the end is as small as so many values can make it.
fn falls(place: &str, sizes: [usize; 2], p_values: impl IntoIterator<Item = f64>) {
    let mut before = f64::INFINITY;
    for (at, p_value) in p_values.into_iter().enumerate() {
        let place = format!("{place} {sizes:?}, difference {at}: {p_value} after {before}");
        assert!((0.0..=1.0).contains(&p_value), "{place}");
        // But for rounding.
        assert!(p_value <= before * (1.0 + 1e-6) + 1e-13, "{place}");
        before = p_value;
    }
    let most = match sizes.iter().min() {
        Some(..=20) => 1e-3,
        Some(..=50) => 1e-9,
        _ => 1e-13,
    };
    assert!(before < most, "{place} {sizes:?} ends at {before}");
}

#[test]
fn no_difference_of_numbers_is_too_large_to_be_seen() {
    for sizes in SIZES {
        let [before, after] = sizes.map(normal);
        let reference = Sample::new(&before);
        let p_values = |test: Named, changed: &[Sample]| {
            let p_value = |current| test.1(&reference, current).unwrap().p_value;
            falls(test.0, sizes, changed.iter().map(p_value));
        };
        let shifted = [0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 30.0, 1e6];
        let shifted = shifted.map(|by| Sample::new(&each(&after, |value| value + by)));
        for test in SHIFTS {
            p_values(test, &shifted);
        }
        let wider = [1.0, 1.25, 1.5, 2.0, 4.0, 10.0, 1e3, 1e9];
        let wider = wider.map(|by| Sample::new(&each(&after, |value| value * by)));
        if sizes.iter().min() >= Some(&1000) {
            for test in WIDTHS {
                p_values(test, &wider);
            }
        }
    }
}

#[test]
fn no_difference_of_categories_is_too_large_to_be_seen() {
    let tests: [OfCounts; 5] = [
        ("chi2", Counts::chi_squared),
        ("chi2, corrected", Counts::chi_squared_corrected),
        ("g", Counts::g),
        ("fisher", Counts::fisher),
        ("z", Counts::z),
    ];
    for n in [100_u64, 1000, 100_000, 10_000_000, 1_000_000_000] {
        let tables = [50, 51, 55, 60, 80, 99, 100].map(|share| {
            let of_one = n / 100 * share;
            Counts::new(vec![n / 2, n / 2], vec![of_one, n - of_one])
        });
        for (name, test) in tests {
            let p_values = tables.iter().map(|table| test(table).unwrap().p_value);
            falls(name, [n as usize; 2], p_values);
        }
    }
}

#[test]
fn a_verdict_sees_half_a_deviation_at_any_size() {
    for sizes in SIZES
        .into_iter()
        .filter(|sizes| sizes.iter().min() >= Some(&1000))
    {
        let before = normal(sizes[0]);
        let after = each(&before, |value| value + 0.5);
        let features = [verdict::Feature::new(
            "a",
            Column::Numbers(&before),
            Column::Numbers(&after),
        )];
        let judged = Policy::default().judge(&features);
        assert_eq!(judged[0].verdict, Verdict::Drift, "{sizes:?}");
    }
}

#[test]
fn a_p_value_is_one_whatever_the_values_are() {
    let tests: [Named; 8] = [
        ("ks, exact", |a, b| ks::exact(a, b)),
        ("anderson, table", |a, b| anderson_darling::test(a, b)),
        ("cvm, asymptotic", |a, b| cramer_von_mises::asymptotic(a, b)),
        ("mannwhitney, less", |a, b| {
            mann_whitney::auto(a, b, Side::Less)
        }),
        ("mannwhitney, exact", |a, b| {
            mann_whitney::exact(a, b, Side::Both)
        }),
        ("epps", epps_singleton::test),
        ("epps, pooled", epps_singleton::pooled),
        ("levene", t_test::levene),
    ];
    let mut random = fastrand::Rng::with_seed(3);
    let (mut defined, mut undefined) = (0, 0);
    for round in 0..1200 {
        let of = [0, 1].map(|_| {
            let n = random.usize(..[3, 8, 20, 60][round % 4]);
            let (kind, scale) = (random.u8(..8), 10_f64.powi(random.i32(-320..309)));
            let value = |random: &mut fastrand::Rng| match kind {
                0 => random.f64(),
                1 => f64::from(random.u8(..3)),
                2 => 1.0,
                3 => random.f64() * scale,
                4 => *random.choice(&[f64::MAX, f64::MIN, 0.0, -0.0]).unwrap(),
                5 => *random
                    .choice(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.5])
                    .unwrap(),
                6 => 1e15 + f64::from(random.u8(..4)),
                _ => random.f64().ln() / random.f64(),
            };
            let values: Vec<f64> = (0..n).map(|_| value(&mut random)).collect();
            values
        });
        let [a, b] = of.each_ref().map(|values| Sample::new(values));
        for (name, test) in tests.into_iter().chain(SHIFTS) {
            match test(&a, &b) {
                Ok(Test { p_value, .. }) => {
                    assert!(
                        (0.0..=1.0).contains(&p_value),
                        "{name}: {p_value} of {of:?}"
                    );
                    defined += 1;
                }
                Err(_) => undefined += 1,
            }
        }
    }
    assert!(defined.min(undefined) > 6000, "{defined} {undefined}");
}
