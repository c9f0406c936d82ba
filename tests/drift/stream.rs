//! Verdicts on an endless stream: how often they are wrong, and what they see.

use fastrand::Rng;
use modelpulse::drift::Column;
use modelpulse::drift::profile::{Field, Profile};
use modelpulse::drift::stream::{Seen, StreamPolicy};

/// From a normal distribution, by twelve uniform numbers: no library says it otherwise.
fn normal(random: &mut Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

fn profile(rows: &[f64], width: usize) -> Profile {
    let names = (0..width).map(|at| Field::numbers(at.to_string()));
    let mut profile = Profile::new(names).unwrap();
    profile.update_rows(rows).unwrap();
    profile
}

fn policy(level: f64, tolerated: f64) -> StreamPolicy {
    let mut policy = StreamPolicy::default();
    (policy.level, policy.tolerated) = (level, tolerated);
    policy
}

/// The share of chunks that are said to have drifted, each of a reference of its own.
fn alarms(
    chunks: usize,
    sizes: [usize; 2],
    policy: StreamPolicy,
    mut draw: impl FnMut(&mut Rng, bool) -> Vec<f64>,
) -> f64 {
    let mut random = Rng::with_seed(3);
    let mut alarms = 0;
    for _ in 0..chunks {
        let [reference, chunk] = [0, 1].map(|side| {
            let rows = (0..sizes[side]).flat_map(|_| draw(&mut random, side == 1));
            let rows: Vec<f64> = rows.collect();
            let width = rows.len() / sizes[side];
            profile(&rows, width)
        });
        let seen = policy.judge(&reference, &chunk);
        alarms += usize::from(seen.iter().any(|seen| seen.drifted));
    }
    alarms as f64 / chunks as f64
}

#[test]
fn false_alarms_are_at_most_as_frequent_as_the_level_says() {
    let level = 0.05;
    // Nothing is tolerated, and nothing happens: continuous, with ties, nearly all equal.
    let smooth = |random: &mut Rng, _: bool| (0..8).map(|_| normal(random)).collect();
    let tied = |random: &mut Rng, _: bool| (0..8).map(|_| f64::from(random.u8(..4))).collect();
    let rare = |random: &mut Rng, _: bool| {
        (0..8)
            .map(|_| f64::from(u8::from(random.f64() < 0.02)))
            .collect()
    };
    for (name, share) in [
        (
            "smooth",
            alarms(600, [300, 100], policy(level, 0.0), smooth),
        ),
        ("tied", alarms(600, [300, 100], policy(level, 0.0), tied)),
        ("rare", alarms(600, [1000, 50], policy(level, 0.0), rare)),
    ] {
        // Of 600, chance makes it 0.9 % more or less.
        assert!(share <= level + 0.01, "{name}: {share}");
    }
    // As far apart as is tolerated, in every feature: a share of 0.5 is one of 0.6.
    let apart = |random: &mut Rng, current: bool| {
        let share = if current { 0.6 } else { 0.5 };
        (0..8)
            .map(|_| random.f64() - f64::from(u8::from(random.f64() < share)))
            .collect()
    };
    let share = alarms(600, [300, 100], policy(level, 0.1), apart);
    assert!(share <= level + 0.01, "tolerated: {share}");
    // Without tolerance, the same is seen.
    assert!(alarms(100, [3000, 1000], policy(level, 0.0), apart) > 0.9);
}

#[test]
fn missing_rates_and_categories_keep_the_level_too() {
    let mut random = Rng::with_seed(5);
    let mut policy = policy(0.05, 0.0);
    policy.tolerated_missing = 0.02;
    let names = ["a", "b", "c", "d", "e"];
    let mut judge = |missing: [f64; 2], shift: usize| -> Vec<Seen> {
        let [reference, chunk] =
            [(600, missing[0], 0), (150, missing[1], shift)].map(|(rows, missing, shift)| {
                let fields = [Field::numbers("x"), Field::categories("y")];
                let mut profile = Profile::new(fields).unwrap();
                let numbers: Vec<f64> = (0..rows)
                    .map(|_| match random.f64() < missing {
                        true => f64::NAN,
                        false => random.f64(),
                    })
                    .collect();
                let texts: Vec<Option<&str>> = (0..rows)
                    .map(|_| Some(names[(random.usize(..4) + shift * random.usize(..2)).min(4)]))
                    .collect();
                let columns = [Column::Numbers(&numbers), Column::Categories(&texts)];
                profile.update(&columns).unwrap();
                profile
            });
        policy.judge(&reference, &chunk)
    };
    let quiet = (0..600).filter(|_| judge([0.05, 0.07], 0).iter().any(|seen| seen.drifted));
    let share = quiet.count() as f64 / 600.0;
    assert!(share <= 0.05, "{share}");
    for _ in 0..20 {
        let seen = judge([0.0, 0.2], 1);
        assert!(seen[0].missing_drifted && seen[0].drifted, "{seen:?}");
        assert!(
            !seen[1].missing_drifted && seen[1].out_of_range_rate > 0.0,
            "{seen:?}"
        );
    }
    assert!(judge([0.3, 0.0], 0)[0].missing_drifted);
}

#[test]
fn what_has_too_few_values_or_changed_its_kind_is_told_apart() {
    let reference = profile(&(0..100).map(f64::from).collect::<Vec<_>>(), 1);
    let few = profile(&[500.0; 29], 1);
    let seen = StreamPolicy::default().judge(&reference, &few);
    assert_eq!((seen[0].score, seen[0].drifted), (None, false));
    let enough = profile(&[500.0; 30], 1);
    let seen = StreamPolicy::default().judge(&reference, &enough);
    assert_eq!((seen[0].score, seen[0].drifted), (Some(1.0), true));
    let mut texts = Profile::new([Field::categories("0")]).unwrap();
    texts
        .update(&[Column::Categories(&[Some("a"); 40])])
        .unwrap();
    assert!(StreamPolicy::default().judge(&reference, &texts)[0].drifted);
}

/// Held-out rows that come again and again are no new distribution for the monitor, though tests of no difference see one
/// in the few that there are: 50 chunks of each of 8 splits.
#[test]
fn rows_that_come_again_and_again_are_no_drift() {
    let mut random = Rng::with_seed(11);
    let digits = modelpulse::datasets::Dataset::digits();
    let all = [digits.train(), digits.eval()];
    let pixels: Vec<&[u8]> = all
        .iter()
        .flat_map(|images| images.pixels().chunks_exact(64))
        .collect();
    let mut scores = Vec::new();
    for split in 0..8 {
        let mut rows = pixels.clone();
        random.shuffle(&mut rows);
        let (held_out, trained) = rows.split_at(359);
        let flat = |rows: &[&[u8]]| -> Vec<f64> {
            rows.iter()
                .flat_map(|row| row.iter().copied())
                .map(f64::from)
                .collect()
        };
        let reference = profile(&flat(trained), 64);
        for chunk in 0..50 {
            let rows: Vec<&[u8]> = (0..200).map(|_| held_out[random.usize(..359)]).collect();
            let seen = StreamPolicy::default().judge(&reference, &profile(&flat(&rows), 64));
            let drifted = seen.iter().find(|seen| seen.drifted);
            assert_eq!(drifted, None, "split {split}, chunk {chunk}");
            scores.extend(seen.iter().filter_map(|seen| seen.score));
        }
    }
    // That they are quiet is not for want of scores.
    let largest = scores.iter().copied().fold(0.0, f64::max);
    assert!(scores.len() == 8 * 50 * 64 && largest > 0.1, "{largest}");
}
