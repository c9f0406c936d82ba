//! Categories: how often each is in two samples, and what tests and distances make of that.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::sample::{steps, sum};
use super::t_test::normal_survival;
use super::{Distribution, Test, Undefined};
use crate::metrics::significance::Hypergeometric;

/// The categories of two samples, in order, with their [`Counts`].
///
/// ```
/// use modelpulse::drift::data::Categories;
///
/// let categories = Categories::of(["a", "b", "a"], ["b", "c"]);
/// assert_eq!(categories.names(), ["a", "b", "c"]);
/// assert_eq!(categories.counts().current(), [0, 1, 1]);
/// assert_eq!(categories.new_ones().collect::<Vec<_>>(), [&"c"]);
/// assert_eq!(categories.vanished().collect::<Vec<_>>(), [&"a"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Categories<T> {
    names: Vec<T>,
    counts: Counts,
}

impl<T: Ord> Categories<T> {
    /// Counts them.
    #[must_use]
    pub fn of(
        reference: impl IntoIterator<Item = T>,
        current: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut counted: BTreeMap<T, [u64; 2]> = BTreeMap::new();
        for name in reference {
            counted.entry(name).or_default()[0] += 1;
        }
        for name in current {
            counted.entry(name).or_default()[1] += 1;
        }
        let counts = Counts::new(
            counted.values().map(|both| both[0]).collect(),
            counted.values().map(|both| both[1]).collect(),
        );
        Self {
            names: counted.into_keys().collect(),
            counts,
        }
    }

    /// The categories.
    #[must_use]
    pub fn names(&self) -> &[T] {
        &self.names
    }

    /// How often each is there.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Those that are only in the current sample.
    pub fn new_ones(&self) -> impl Iterator<Item = &T> {
        self.only_in(&self.counts.current, &self.counts.reference)
    }

    /// Those that are only in the reference.
    pub fn vanished(&self) -> impl Iterator<Item = &T> {
        self.only_in(&self.counts.reference, &self.counts.current)
    }

    fn only_in<'a>(&'a self, here: &'a [u64], there: &'a [u64]) -> impl Iterator<Item = &'a T> {
        let counts = here.iter().zip(there);
        let named = self.names.iter().zip(counts);
        named
            .filter(|(_, (here, there))| **here > 0 && **there == 0)
            .map(|(name, _)| name)
    }
}

/// How often each of some categories is in two samples.
///
/// ```
/// use modelpulse::drift::data::Counts;
///
/// let counts = Counts::new(vec![40, 60], vec![55, 45]);
/// let test = counts.chi_squared()?;
/// assert!((test.statistic - 4.511_278).abs() < 1e-6);
/// assert!((test.p_value - 0.033_672).abs() < 1e-6);
/// assert!((counts.total_variation()? - 0.15).abs() < 1e-12);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    reference: Vec<u64>,
    current: Vec<u64>,
}

/// What stands for the share of a category that is in one sample only, in [`Counts::psi`] and [`Counts::kl`].
pub const NONE: f64 = 1e-4;

impl Counts {
    /// Of categories in the same order; what one has more than the other counts 0.
    #[must_use]
    pub fn new(mut reference: Vec<u64>, mut current: Vec<u64>) -> Self {
        let length = reference.len().max(current.len());
        reference.resize(length, 0);
        current.resize(length, 0);
        Self { reference, current }
    }

    /// Each distinct number is a category.
    #[must_use]
    pub fn of_numbers(reference: &impl Distribution, current: &impl Distribution) -> Self {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for step in steps(reference, current) {
            a.push(step.here[0] as u64);
            b.push(step.here[1] as u64);
        }
        Self::new(a, b)
    }

    /// Of the reference.
    #[must_use]
    pub fn reference(&self) -> &[u64] {
        &self.reference
    }

    /// Of the current sample.
    #[must_use]
    pub fn current(&self) -> &[u64] {
        &self.current
    }

    /// How many values each sample has.
    #[must_use]
    pub fn totals(&self) -> [u64; 2] {
        [&self.reference, &self.current].map(|counts| counts.iter().sum())
    }

    /// The shares of each category, where both samples have values.
    fn shares(&self) -> Result<impl Iterator<Item = (f64, f64)> + Clone + '_, Undefined> {
        let [n, m] = self.totals();
        if n == 0 || m == 0 {
            return Err(Undefined::TooFew);
        }
        let counts = self.reference.iter().zip(&self.current);
        Ok(counts.map(move |(&a, &b)| (a as f64 / n as f64, b as f64 / m as f64)))
    }

    /// Those that are in either sample, with what is expected of each if both are of one distribution.
    fn cells(&self) -> Result<impl Iterator<Item = [(f64, f64); 2]> + Clone + '_, Undefined> {
        let [n, m] = self.totals().map(|total| total as f64);
        if n == 0.0 || m == 0.0 {
            return Err(Undefined::TooFew);
        }
        let counts = self.reference.iter().zip(&self.current);
        let seen = counts.filter(|(a, b)| **a + **b > 0);
        Ok(seen.map(move |(&a, &b)| {
            let both = (a + b) as f64;
            [
                (a as f64, both * n / (n + m)),
                (b as f64, both * m / (n + m)),
            ]
        }))
    }

    fn chi_test(&self, statistic: f64) -> Result<Test, Undefined> {
        let freedom = self.cells()?.count() - 1;
        let tail = |chi: ChiSquared| chi.sf(statistic);
        let p_value = ChiSquared::new(freedom as f64).map_or(1.0, tail);
        Ok(Test { statistic, p_value })
    }

    /// χ² of two samples: both have their own noise. Of one category it is 0, with a p-value of 1.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn chi_squared(&self) -> Result<Test, Undefined> {
        let terms = self.cells()?.flatten();
        self.chi_test(sum(
            terms.map(|(seen, expected)| (seen - expected).powi(2) / expected)
        ))
    }

    /// χ² with Yates's correction, for two categories.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty, [`Undefined::Categories`].
    pub fn chi_squared_corrected(&self) -> Result<Test, Undefined> {
        if self.cells()?.count() > 2 {
            return Err(Undefined::Categories);
        }
        let terms = self.cells()?.flatten();
        self.chi_test(sum(terms.map(|(seen, expected)| {
            let off = (seen - expected).abs();
            (off - off.min(0.5)).powi(2) / expected
        })))
    }

    /// G, the log-likelihood ratio, of two samples.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn g(&self) -> Result<Test, Undefined> {
        let seen = self.cells()?.flatten().filter(|(seen, _)| *seen > 0.0);
        self.chi_test(2.0 * sum(seen.map(|(seen, expected)| seen * (seen / expected).ln())))
    }

    /// The counts of two categories.
    fn two(&self) -> Result<[[u64; 2]; 2], Undefined> {
        let [n, m] = self.totals();
        if n == 0 || m == 0 {
            return Err(Undefined::TooFew);
        }
        let of = |counts: &[u64]| [0, 1].map(|at| counts.get(at).copied().unwrap_or(0));
        if self.reference.len() > 2 {
            return Err(Undefined::Categories);
        }
        Ok([of(&self.reference), of(&self.current)])
    }

    /// Fisher's exact test for two categories, two-sided; the statistic is the odds ratio.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty, [`Undefined::Categories`].
    pub fn fisher(&self) -> Result<Test, Undefined> {
        let [[a, b], [c, d]] = self.two()?;
        let drawn = Hypergeometric::new(a + c, a + b, a + b + c + d);
        Ok(Test {
            statistic: (a as f64 * d as f64) / (b as f64 * c as f64),
            p_value: drawn.as_unlikely_as(a),
        })
    }

    /// Z of the shares of the second of two categories, two-sided, with the pooled variance.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty, [`Undefined::Categories`], [`Undefined::Constant`] if one category has all.
    pub fn z(&self) -> Result<Test, Undefined> {
        let [[a, b], [c, d]] = self.two()?.map(|row| row.map(|count| count as f64));
        let (n, m) = (a + b, c + d);
        let pooled = (b + d) / (n + m);
        let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
        if variance <= 0.0 {
            return Err(Undefined::Constant);
        }
        let statistic = (b / n - d / m) / variance.sqrt();
        Ok(Test {
            statistic,
            p_value: (2.0 * normal_survival(statistic.abs())).min(1.0),
        })
    }

    /// The population stability index; a share of 0 counts as [`NONE`], as is usual.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn psi(&self) -> Result<f64, Undefined> {
        let shares = self.shares()?.map(filled);
        Ok(sum(shares.map(|(p, q)| (p - q) * (p / q).ln())))
    }

    /// The Kullback–Leibler divergence of the reference from the current sample, in nats; a share of 0 counts as
    /// [`NONE`].
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn kl(&self) -> Result<f64, Undefined> {
        let shares = self.shares()?.map(filled);
        // Of shares that sum to one again.
        let all = [
            sum(shares.clone().map(|(p, _)| p)),
            sum(shares.clone().map(|(_, q)| q)),
        ];
        let shares = shares.map(|(p, q)| (p / all[0], q / all[1]));
        Ok(sum(shares.map(|(p, q)| p * (p / q).ln())).max(0.0))
    }

    /// The Jensen–Shannon distance: the root of the divergence in nats, of 0..=√ln 2.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn jensen_shannon(&self) -> Result<f64, Undefined> {
        let terms = self.shares()?.flat_map(|(p, q)| {
            let middle = (p + q) / 2.0;
            [p, q].map(|share| {
                if share > 0.0 {
                    share * (share / middle).ln()
                } else {
                    0.0
                }
            })
        });
        Ok((sum(terms) / 2.0).max(0.0).sqrt())
    }

    /// The same in bits: of 0..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn jensen_shannon_bits(&self) -> Result<f64, Undefined> {
        Ok(self.jensen_shannon()? / std::f64::consts::LN_2.sqrt())
    }

    /// The Hellinger distance, of 0..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn hellinger(&self) -> Result<f64, Undefined> {
        // Not 1 - Σ √(p q), which loses what is small.
        let terms = self.shares()?.map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2));
        Ok((sum(terms) / 2.0).min(1.0).sqrt())
    }

    /// The total variation distance, half the sum of differences, of 0..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn total_variation(&self) -> Result<f64, Undefined> {
        Ok(sum(self.shares()?.map(|(p, q)| (p - q).abs())) / 2.0)
    }

    /// The largest difference of shares.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn largest_difference(&self) -> Result<f64, Undefined> {
        let differences = self.shares()?.map(|(p, q)| (p - q).abs());
        Ok(differences.fold(0.0, f64::max))
    }

    /// Cramér's V: the effect size of χ², of 0..=1.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn cramers_v(&self) -> Result<f64, Undefined> {
        if self.cells()?.count() < 2 {
            return Ok(0.0);
        }
        let [n, m] = self.totals();
        Ok((self.chi_squared()?.statistic / (n + m) as f64).sqrt())
    }
}

fn filled((p, q): (f64, f64)) -> (f64, f64) {
    let fill = |share: f64| if share == 0.0 { NONE } else { share };
    (fill(p), fill(q))
}
