//! Verdicts where nothing has changed, and where something has.

use modelpulse::drift::Column;
use modelpulse::drift::data::{Sample, anderson_darling};
use modelpulse::drift::verdict::{Chosen, Feature, Judged, Policy, Verdict};

/// Standard normal numbers, by the method of G. E. P. Box and M. E. Muller.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

/// What a sample is drawn from.
#[derive(Debug, Clone, Copy)]
enum Drawn {
    Normal,
    Exponential,
    /// Numbers of so many kinds, all as likely.
    Kinds(u32),
}

impl Drawn {
    fn sample(self, random: &mut fastrand::Rng, length: usize) -> Vec<f64> {
        let draw = |random: &mut fastrand::Rng| match self {
            Self::Normal => normal(random),
            Self::Exponential => -(1.0 - random.f64()).ln(),
            Self::Kinds(kinds) => f64::from(random.u32(0..kinds)),
        };
        (0..length).map(|_| draw(random)).collect()
    }
}

fn judge_one(reference: &[f64], current: &[f64]) -> Judged {
    let feature = Feature::new("x", Column::Numbers(reference), Column::Numbers(current));
    Policy::default().judge(&[feature]).remove(0)
}

/// The share of `rounds` in which drift is said.
fn alarms(drawn: Drawn, sizes: [usize; 2], rounds: usize, shift: f64) -> f64 {
    let mut random = fastrand::Rng::with_seed(sizes[0] as u64 * 31 + sizes[1] as u64);
    let said = (0..rounds).filter(|_| {
        let [reference, mut current] = sizes.map(|size| drawn.sample(&mut random, size));
        current.iter_mut().for_each(|value| *value += shift);
        judge_one(&reference, &current).verdict == Verdict::Drift
    });
    said.count() as f64 / rounds as f64
}

#[test]
fn what_has_changed_is_found() {
    for (drawn, sizes, shift) in [
        (Drawn::Normal, [50, 50], 1.0),
        (Drawn::Normal, [200, 200], -0.5),
        (Drawn::Exponential, [1000, 100], 0.5),
        (Drawn::Kinds(4), [300, 100], 1.0),
    ] {
        let said = alarms(drawn, sizes, 200, shift);
        assert!(said > 0.9, "{drawn:?} {sizes:?} {shift}: {said}");
    }
    // A spread that doubles, which tests of the mean do not see.
    let mut random = fastrand::Rng::with_seed(4);
    let found = (0..200).filter(|_| {
        let reference = Drawn::Normal.sample(&mut random, 200);
        let current: Vec<f64> = Drawn::Normal.sample(&mut random, 200);
        let current: Vec<f64> = current.iter().map(|value| value * 2.0).collect();
        judge_one(&reference, &current).verdict == Verdict::Drift
    });
    assert!(found.count() > 190);
}

// A tenth of a standard deviation in 50,000 values is beyond chance, and yet nothing to wake anybody for.
#[test]
fn what_is_significant_and_too_small_to_matter_is_no_drift() {
    let mut random = fastrand::Rng::with_seed(9);
    let reference = Drawn::Normal.sample(&mut random, 50_000);
    let mut current = Drawn::Normal.sample(&mut random, 50_000);
    current.iter_mut().for_each(|value| *value += 0.05);
    let judged = judge_one(&reference, &current);
    let found = judged.distribution.unwrap();
    assert!(found.p_value < 1e-6 && found.effect < 0.05, "{found:?}");
    assert_eq!(judged.verdict, Verdict::NoDrift);
}

// One row more, or one kind more, and the p-value is as good as the same: no cliff.
#[test]
fn neighbouring_sizes_have_neighbouring_p_values() {
    let mut random = fastrand::Rng::with_seed(2);
    let (mut closest, mut pairs) = (0, 0);
    for base in [999, 1000, 9_999] {
        let reference = Drawn::Normal.sample(&mut random, base + 1);
        let mut current = Drawn::Normal.sample(&mut random, base / 3);
        current.iter_mut().for_each(|value| *value += 0.1);
        let p_value = |rows: usize| {
            judge_one(&reference[..rows], &current)
                .distribution
                .unwrap()
                .p_value
        };
        let (before, after) = (p_value(base), p_value(base + 1));
        pairs += 1;
        closest += usize::from((before - after).abs() < 0.02);
    }
    assert_eq!(closest, pairs);

    // From the exact test of two kinds to χ²: at 10,000 values they say the same.
    let halves = |n: usize, ones: usize| -> Vec<f64> {
        (0..n).map(|i| f64::from(u8::from(i < ones))).collect()
    };
    let found = |n: usize, ones: [usize; 2]| {
        judge_one(&halves(n, ones[0]), &halves(n, ones[1]))
            .distribution
            .unwrap()
    };
    let (exact, approximate) = (found(5_000, [2_500, 2_600]), found(5_001, [2_500, 2_600]));
    assert_eq!(
        (exact.test, approximate.test),
        (Chosen::Fisher, Chosen::ChiSquared)
    );
    assert!(
        (exact.p_value - approximate.p_value).abs() < 0.004,
        "{exact:?} {approximate:?}"
    );
}

#[test]
fn over_many_features_alarms_do_not_add_up() {
    let mut random = fastrand::Rng::with_seed(3);
    let (mut rounds, mut any) = (0, 0);
    for _ in 0..150 {
        let columns: Vec<[Vec<f64>; 2]> = (0..20)
            .map(|_| [60, 60].map(|size| Drawn::Normal.sample(&mut random, size)))
            .collect();
        let features: Vec<Feature<'_>> = columns
            .iter()
            .map(|[a, b]| Feature::new("x", Column::Numbers(a), Column::Numbers(b)))
            .collect();
        let judged = Policy::default().judge(&features);
        rounds += 1;
        any += usize::from(
            judged
                .iter()
                .any(|feature| feature.verdict == Verdict::Drift),
        );
    }
    let rate = any as f64 / f64::from(rounds);
    assert!(rate <= 0.08, "{rate}");
}

#[test]
fn missing_values_are_a_signal_of_their_own() {
    let mut random = fastrand::Rng::with_seed(6);
    let mut with_holes = |rate: f64| -> Vec<f64> {
        let values = Drawn::Normal.sample(&mut random, 300);
        values
            .into_iter()
            .map(|value| if random.f64() < rate { f64::NAN } else { value })
            .collect()
    };
    let judged = judge_one(&with_holes(0.02), &with_holes(0.30));
    assert_eq!(judged.verdict, Verdict::Drift);
    assert!(
        judged.missing_drifted && !judged.distribution_drifted,
        "{judged:?}"
    );

    // All that is there is gone: there is no distribution to compare, and drift it is.
    let judged = judge_one(&with_holes(0.0), &[f64::NAN; 200]);
    assert_eq!(judged.verdict, Verdict::Drift);
    assert!(judged.distribution.is_err());
}

#[test]
fn too_little_is_said_to_be_too_little() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    assert_eq!(
        judge_one(&values, &values[..29]).verdict,
        Verdict::NotEnoughData
    );
    assert_eq!(judge_one(&values, &values[..30]).verdict, Verdict::Drift);
    assert_eq!(judge_one(&values, &[]).verdict, Verdict::NotEnoughData);

    // Names of which each is there once tell nothing of a distribution.
    let names: Vec<String> = (0..200).map(|i| format!("id {i}")).collect();
    let ids: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let feature = Feature::new(
        "id",
        Column::Categories(&ids[..100]),
        Column::Categories(&ids[100..]),
    );
    assert_eq!(
        Policy::default().judge(&[feature])[0].verdict,
        Verdict::NotEnoughData
    );

    let numbers = Feature::new("type", Column::Numbers(&values), Column::Categories(&ids));
    let judged = &Policy::default().judge(&[numbers])[0];
    assert!(judged.type_changed && judged.verdict == Verdict::Drift);
}

// In the middle of the table the p-value of the limiting distribution is that of the table, which has two digits.
#[test]
fn anderson_darling_is_what_the_table_says_it_is() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut compared = 0;
    for _ in 0..400 {
        let sample = |random: &mut fastrand::Rng, shift: f64| {
            let values = Drawn::Normal.sample(random, 200);
            Sample::new(
                &values
                    .iter()
                    .map(|value| value + shift)
                    .collect::<Vec<f64>>(),
            )
        };
        let (a, b) = (sample(&mut random, 0.0), sample(&mut random, 0.15));
        let table = anderson_darling::test(&a, &b).unwrap().p_value;
        if (0.002..0.24).contains(&table) {
            let limit = anderson_darling::asymptotic(&a, &b).unwrap().p_value;
            assert!((limit / table - 1.0).abs() < 0.1, "{limit} {table}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}
