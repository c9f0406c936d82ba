//! Chunk after chunk of an endless stream against a reference: verdicts that stay rare where nothing happens.
//!
//! A stream is looked at again and again, and data that a model meets are never quite those that it learned from. So
//! two things differ from a [`verdict`](super::verdict) on two tables: what is asked is not whether a difference is
//! there, but whether it is larger than what is tolerated; and the bounds hold in the far tail, for any distribution,
//! where the level must be small because there is no end of chunks.

use super::data::{Distribution, ks};
use super::profile::{Categories, Feature, Numbers, Profile, Role};
use crate::metrics::significance::discovery_levels;

/// How chunks of a stream are judged.
///
/// For each feature, the distance to the reference is the largest difference of the distribution functions (of
/// categories, the total variation). Its p-value is the chance of a distance as large as that if the true one were as
/// large as is tolerated: `2 exp(-2 n m / (n + m) (distance - tolerated)²)` for `n` and `m` values, the inequality of
/// Dvoretzky, Kiefer and Wolfowitz (P. Massart, 1990, doi 10.1214/aop/1176990746; F. Wei and R. M. Dudley, 2012,
/// doi 10.1016/j.spl.2011.11.012, for two samples). Ties make it smaller still. For `k` categories, `2ᵏ - 2` takes the
/// place of 2, as there are so many sets of them whose shares may differ; for many, McDiarmid's inequality is better.
/// The p-value of a missing rate is that of the likelihood ratio, by Chernoff's bound.
///
/// **How often it is wrong.** Over all features and their missing rates together, by Benjamini and Hochberg, a chunk that
/// differs by no more than is tolerated is said to have drifted with a chance of at most `level`, however many features
/// there are. With 10⁻⁴, the default, a stream without drift gives one false alarm in 10,000 chunks or fewer, and none in
/// its first 50 with a chance of 99.5 % or more. The level does not shrink as the stream grows older: a drift after a
/// year is found as soon as one on the first day.
///
/// **What it sees.** With chunks of 200 values and a large reference, a single feature is found to have drifted where
/// the distance is about 0.05 + √(ln(2 × features / level) / 400): 0.21 for one feature, 0.24 for 64; for a normal
/// feature, a shift by 0.6 standard deviations. With chunks of 2000, 0.10 and 0.11: a shift by 0.28.
///
/// ```
/// use modelpulse::drift::profile::{Field, Profile};
/// use modelpulse::drift::stream::StreamPolicy;
///
/// let mut reference = Profile::new([Field::numbers("x"), Field::numbers("y")])?;
/// let rows = |shift: f64| (0..400).flat_map(move |i| [f64::from(i * 7919 % 400), f64::from(i) + shift]);
/// reference.update_rows(&rows(0.0).collect::<Vec<f64>>())?;
/// let mut chunk = reference.fresh();
/// chunk.update_rows(&rows(150.0).collect::<Vec<f64>>())?;
/// let seen = StreamPolicy::default().judge(&reference, &chunk);
/// assert_eq!(seen.iter().map(|feature| feature.drifted).collect::<Vec<_>>(), [false, true]);
/// assert!(seen[1].score.is_some_and(|score| (score - 0.375).abs() < 1e-9));
/// assert_eq!(seen[1].out_of_range_rate, 0.375);
/// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct StreamPolicy {
    /// How often a chunk without drift may be said to have drifted.
    pub level: f64,
    /// Below so many values in a chunk nothing is said of a feature.
    pub min_values: usize,
    /// The distance of distributions that is tolerated, of 0..=1.
    pub tolerated: f64,
    /// The difference of missing rates that is tolerated, of 0..=1.
    pub tolerated_missing: f64,
}

impl Default for StreamPolicy {
    /// A false alarm in 10,000 chunks; 30 values; distances of 0.05 and missing rates that differ by 0.02 are tolerated:
    /// what is no effect for a [`Policy`](super::verdict::Policy) is none here.
    fn default() -> Self {
        Self {
            level: 1e-4,
            min_values: 30,
            tolerated: 0.05,
            tolerated_missing: 0.02,
        }
    }
}

/// What is seen of a feature in a chunk.
///
/// ```
/// use modelpulse::drift::stream::Seen;
/// fn worst(seen: &[Seen]) -> Option<&Seen> {
///     seen.iter().max_by(|a, b| a.score.unwrap_or(0.0).total_cmp(&b.score.unwrap_or(0.0)))
/// }
/// # assert!(worst(&[]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Seen {
    /// The feature.
    pub name: String,
    /// The distance to the reference, of 0..=1; none where there are too few values.
    pub score: Option<f64>,
    /// The p-value of that, over all features.
    pub p_value: Option<f64>,
    /// Whether its distribution or its missing rate has drifted.
    pub drifted: bool,
    /// Whether its missing rate has.
    pub missing_drifted: bool,
    /// The share of values that are missing; NaN of none.
    pub missing_rate: f64,
    /// The share of values beyond the ends of the reference, or of categories that it has not; NaN of none.
    pub out_of_range_rate: f64,
}

impl StreamPolicy {
    /// Judges a chunk by the features that it has in common with the reference, in the order of that. Columns that are no
    /// features are left out.
    #[must_use]
    pub fn judge(&self, reference: &Profile, chunk: &Profile) -> Vec<Seen> {
        let features = reference.features().iter();
        let features = features.filter(|feature| feature.field().role() == Role::Feature);
        let (mut seen, mut missing) = (Vec::new(), Vec::new());
        for before in features {
            let Some(after) = chunk.feature(before.name()) else {
                continue;
            };
            let (looked, p_missing) = self.look(before, after);
            seen.push(looked);
            missing.push(p_missing);
        }
        let all = seen.iter_mut().flat_map(|seen| seen.p_value.as_mut());
        let mut all: Vec<&mut f64> = all.chain(missing.iter_mut().flatten()).collect();
        discovery_levels(&mut all);
        for (seen, p_missing) in seen.iter_mut().zip(missing) {
            let below = |p_value: Option<f64>| p_value.is_some_and(|p_value| p_value <= self.level);
            seen.missing_drifted = below(p_missing);
            seen.drifted = below(seen.p_value) || seen.missing_drifted;
        }
        seen
    }

    /// What is seen of one, before the others are known, and the p-value of its missing rate.
    fn look(&self, before: &Feature, after: &Feature) -> (Seen, Option<f64>) {
        let counts = [before, after].map(|side| [side.missing(), side.missing() + side.count()]);
        let [absent, rows] = counts[1];
        let enough = |count: u64| count >= self.min_values as u64;
        let any = enough(counts[0][1]) && enough(rows) && counts.iter().any(|side| side[0] > 0);
        let p_missing = any.then(|| rates_beyond(counts, self.tolerated_missing));
        let sides = [before.count(), after.count()];
        let (score, p_value, out_of_range_rate) = match (
            (before.numbers(), after.numbers()),
            (before.categories(), after.categories()),
        ) {
            ((Some(before), Some(after)), _) => self.numbers(before, after),
            (_, (Some(before), Some(after))) => self.categories(before, after),
            // Of another kind altogether.
            _ => (1.0, 0.0, 1.0),
        };
        let told = sides.iter().all(|&count| enough(count));
        let seen = Seen {
            name: before.name().to_owned(),
            score: told.then_some(score),
            p_value: told.then_some(p_value),
            drifted: false,
            missing_drifted: false,
            missing_rate: absent as f64 / rows as f64,
            out_of_range_rate,
        };
        (seen, p_missing)
    }

    fn numbers(&self, before: &Numbers, after: &Numbers) -> (f64, f64, f64) {
        let (before, after) = (before.distribution(), after.distribution());
        let distance = ks::Distance::of(&before, &after).map_or(0.0, |it| it.distance);
        let off = before.error() + after.error();
        let sizes = [before.len() as f64, after.len() as f64];
        let x = excess(distance - off - self.tolerated, sizes);
        let outside = before.ends().map_or(0, |(least, most)| {
            after.below(least) + (after.len() - after.upto(most))
        });
        let out_of_range_rate = outside as f64 / sizes[1];
        (
            distance,
            (2.0 * (-2.0 * x * x).exp()).min(1.0),
            out_of_range_rate,
        )
    }

    fn categories(&self, before: &Categories, after: &Categories) -> (f64, f64, f64) {
        let (counts, off) = before.against(after);
        let distance = counts.total_variation().unwrap_or(0.0);
        let sizes = [before.count() as f64, after.count() as f64];
        let all = counts.reference().iter().zip(counts.current());
        let kinds = all.filter(|(a, b)| **a + **b > 0).count().max(2) as f64;
        let x = excess(distance - off - self.tolerated, sizes);
        let by_sets = kinds * std::f64::consts::LN_2 - 2.0 * x * x;
        // The distance of two samples of one distribution is not 0, but at most this on average.
        let on_average = (kinds - 1.0).sqrt() / 2.0;
        let by_mean = -2.0 * (x - on_average).max(0.0).powi(2);
        let new = after.iter().filter(|(name, _)| before.of(name) == 0);
        let unseen: u64 = new.map(|(_, count)| count).sum();
        let out_of_range_rate = if before.is_exact() {
            unseen as f64 / sizes[1]
        } else {
            0.0
        };
        (
            distance,
            by_sets.min(by_mean).exp().min(1.0),
            out_of_range_rate,
        )
    }
}

/// A distance in units of what chance makes of it for two samples of these sizes.
fn excess(distance: f64, [n, m]: [f64; 2]) -> f64 {
    distance.max(0.0) * (n * m / (n + m)).sqrt()
}

/// A bound of the chance that rates are as far apart as these, if they were no farther than is tolerated: of each side,
/// how many of how many.
fn rates_beyond([[few, of], [more, all]]: [[u64; 2]; 2], tolerated: f64) -> f64 {
    let (n, m) = (of as f64, all as f64);
    let (before, after) = (few as f64 / n, more as f64 / m);
    if (after - before).abs() <= tolerated {
        return 1.0;
    }
    // The pair of rates that explains both sides best. It lies between them.
    let by = tolerated.copysign(after - before);
    let cost = |rate: f64| n * divergence(before, rate) + m * divergence(after, rate + by);
    let (mut low, mut high) = (before.min(after - by), before.max(after - by));
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        if cost(low + third) < cost(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    (2.0 * (-cost((low + high) / 2.0)).exp()).min(1.0)
}

/// Of one rate from another, in nats.
fn divergence(rate: f64, from: f64) -> f64 {
    let part = |of: f64, from: f64| match of > 0.0 {
        true => of * (of / from).ln(),
        false => 0.0,
    };
    part(rate, from) + part(1.0 - rate, 1.0 - from)
}
