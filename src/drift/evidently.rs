//! What Evidently 0.7 would say: its tests, thresholds and verdicts, defects included. To move from it, and to compare;
//! [`verdict`](super::verdict) is what can be believed.
//!
//! Known of it: χ² and G take the reference for exact, so they alarm in 7–75 % of cases in which nothing has changed;
//! Mann–Whitney sees only what has grown; the Wasserstein distance counts deviations below 0.001 as 0.001; the default
//! test changes between 1,000 and 1,001 rows; missing values are dropped and not looked at.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::chunks::{between, linear_edges};
use super::data::mann_whitney::{self, Side};
use super::data::sample::sum;
use super::data::{
    Categories, Counts, Sample, anderson_darling, cramer_von_mises, epps_singleton, ks, t_test,
    transport,
};
use super::{Column, Undefined};

/// A test of Evidently's.
///
/// ```
/// use modelpulse::drift::{Column, evidently::Method};
///
/// let numbers: Vec<f64> = (0..100).map(f64::from).collect();
/// let column = Column::Numbers(&numbers);
/// let method = Method::default_for(&column, &column);
/// assert_eq!((method, method.threshold()), (Method::Ks, 0.05));
/// assert_eq!(method.score(&column, &column), Ok(1.0));
/// assert!(!method.drifted(1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Kolmogorov–Smirnov.
    Ks,
    /// Wasserstein distance in deviations of the reference.
    Wasserstein,
    /// Population stability index.
    Psi,
    /// Jensen–Shannon distance.
    JensenShannon,
    /// Kullback–Leibler divergence.
    Kl,
    /// Hellinger distance.
    Hellinger,
    /// Anderson–Darling.
    AndersonDarling,
    /// Cramér–von Mises.
    CramerVonMises,
    /// Energy distance.
    Energy,
    /// Mann–Whitney, one-sided.
    MannWhitney,
    /// Student's t.
    T,
    /// Epps–Singleton.
    EppsSingleton,
    /// χ² of the current sample, with the shares of the reference as if they were known.
    ChiSquared,
    /// Z of two shares.
    Z,
    /// G of the current sample, with the counts of the reference as if they were known.
    G,
    /// Fisher's exact test.
    Fisher,
}

impl Method {
    /// What Evidently takes if nothing is said.
    #[must_use]
    pub fn default_for(reference: &Column<'_>, current: &Column<'_>) -> Self {
        let counts = counts(reference, current);
        let distinct = counts.reference().len();
        let [rows, _] = counts.totals();
        let numbers = matches!(reference, Column::Numbers(_)) && distinct > 5;
        match (rows <= 1000, numbers) {
            (true, true) => Self::Ks,
            (false, true) => Self::Wasserstein,
            (true, false) if distinct > 2 => Self::ChiSquared,
            (true, false) => Self::Z,
            (false, false) => Self::JensenShannon,
        }
    }

    /// The name by which Evidently registers it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ks => "ks",
            Self::Wasserstein => "wasserstein",
            Self::Psi => "psi",
            Self::JensenShannon => "jensenshannon",
            Self::Kl => "kl_div",
            Self::Hellinger => "hellinger",
            Self::AndersonDarling => "anderson",
            Self::CramerVonMises => "cramer_von_mises",
            Self::Energy => "ed",
            Self::MannWhitney => "mannw",
            Self::T => "t_test",
            Self::EppsSingleton => "es",
            Self::ChiSquared => "chisquare",
            Self::Z => "z",
            Self::G => "g_test",
            Self::Fisher => "fisher_exact",
        }
    }

    /// The test of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Ks,
        Self::Wasserstein,
        Self::Psi,
        Self::JensenShannon,
        Self::Kl,
        Self::Hellinger,
        Self::AndersonDarling,
        Self::CramerVonMises,
        Self::Energy,
        Self::MannWhitney,
        Self::T,
        Self::EppsSingleton,
        Self::ChiSquared,
        Self::Z,
        Self::G,
        Self::Fisher,
    ];

    /// Whether its score is a distance, of which large ones are drift, and not a p-value.
    #[must_use]
    pub fn is_distance(self) -> bool {
        matches!(
            self,
            Self::Wasserstein
                | Self::Psi
                | Self::JensenShannon
                | Self::Kl
                | Self::Hellinger
                | Self::Energy
        )
    }

    /// Evidently's own threshold.
    #[must_use]
    pub fn threshold(self) -> f64 {
        match self {
            Self::Ks
            | Self::MannWhitney
            | Self::T
            | Self::EppsSingleton
            | Self::ChiSquared
            | Self::Z => 0.05,
            _ => 0.1,
        }
    }

    /// Whether a score is drift; NaN is none.
    #[must_use]
    pub fn drifted(self, score: f64) -> bool {
        if self.is_distance() {
            score >= self.threshold()
        } else if self == Self::CramerVonMises {
            score <= self.threshold()
        } else {
            score < self.threshold()
        }
    }

    /// The score: a distance or a p-value.
    ///
    /// # Errors
    ///
    /// [`Undefined`] where there is none: mostly where Evidently raises an error or answers NaN.
    pub fn score(self, reference: &Column<'_>, current: &Column<'_>) -> Result<f64, Undefined> {
        let counts = || counts(reference, current);
        match self {
            Self::Psi => psi(&binned(reference, current)?),
            Self::JensenShannon => binned(reference, current)?.jensen_shannon(),
            Self::Kl => kl(&binned(reference, current)?),
            Self::ChiSquared => chi_squared(&counts()),
            Self::G => g(&counts()),
            Self::Z => z(&counts()),
            Self::Fisher => {
                let counts = counts();
                let [n, m] = counts.totals();
                if n == m {
                    counts.fisher().map(|test| test.p_value)
                } else {
                    Err(Undefined::Sizes)
                }
            }
            Self::Hellinger => hellinger(reference, current),
            _ => {
                let (Column::Numbers(a), Column::Numbers(b)) = (reference, current) else {
                    return Err(Undefined::Categories);
                };
                self.of_numbers(&Sample::new(a), &Sample::new(b))
            }
        }
    }

    fn of_numbers(self, a: &Sample, b: &Sample) -> Result<f64, Undefined> {
        let test = match self {
            Self::Wasserstein => {
                return Ok(transport::wasserstein(a, b)? / a.deviation().max(0.001));
            }
            Self::Energy => return transport::energy(a, b),
            Self::AndersonDarling => anderson_darling::test(a, b),
            Self::CramerVonMises => cramer_von_mises::auto(a, b),
            Self::MannWhitney => mann_whitney::auto(a, b, Side::Less),
            Self::T => t_test::student(a, b),
            Self::EppsSingleton => epps_singleton::test(a, b),
            _ => ks::auto(a, b),
        };
        Ok(test?.p_value)
    }
}

/// Each value is a category.
fn counts(reference: &Column<'_>, current: &Column<'_>) -> Counts {
    match (reference, current) {
        (Column::Numbers(a), Column::Numbers(b)) => {
            Counts::of_numbers(&Sample::new(a), &Sample::new(b))
        }
        _ => {
            let categories = Categories::of(reference.names(), current.names());
            categories.counts().clone()
        }
    }
}

/// Numbers of more than 20 kinds in bins of both samples, by Sturges's rule; else each value is a category.
fn binned(reference: &Column<'_>, current: &Column<'_>) -> Result<Counts, Undefined> {
    if let (Column::Numbers(a), Column::Numbers(b)) = (reference, current) {
        let (a, b) = (Sample::new(a), Sample::new(b));
        if a.distinct() > 20 {
            let edges = sturges(&a, &b, (a.len() + b.len()) as f64)?;
            return Ok(Counts::new(between(&edges, &a), between(&edges, &b)));
        }
    }
    Ok(counts(reference, current))
}

/// Edges over both samples, for so many values.
fn sturges(a: &Sample, b: &Sample, n: f64) -> Result<Vec<f64>, Undefined> {
    if !(a.is_finite() && b.is_finite()) {
        return Err(Undefined::Infinite);
    }
    let ends = |sample: &Sample| {
        sample
            .values()
            .first()
            .copied()
            .zip(sample.values().last().copied())
    };
    let (a, b) = ends(a).zip(ends(b)).ok_or(Undefined::TooFew)?;
    let (first, last) = (a.0.min(b.0), a.1.max(b.1));
    Ok(linear_edges(first, last, (last - first) / (n.log2() + 1.0)))
}

/// The shares of both, where one of 0 counts as 0.0001, or, if there are others as small, as a millionth of the least.
fn filled(counts: &Counts) -> Result<[Vec<f64>; 2], Undefined> {
    let fill = |counts: &[u64]| {
        let all: u64 = counts.iter().sum();
        if all == 0 {
            return Err(Undefined::TooFew);
        }
        let shares = counts.iter().map(|&count| count as f64 / all as f64);
        let present = shares.clone().filter(|&share| share > 0.0);
        let least = present.fold(f64::INFINITY, f64::min);
        let none = if least <= 0.0001 { least / 1e6 } else { 0.0001 };
        Ok(shares
            .map(|share| if share == 0.0 { none } else { share })
            .collect())
    };
    Ok([fill(counts.reference())?, fill(counts.current())?])
}

fn psi(counts: &Counts) -> Result<f64, Undefined> {
    let [reference, current] = filled(counts)?;
    let shares = reference.iter().zip(&current);
    Ok(sum(shares.map(|(p, q)| (p - q) * (p / q).ln())))
}

fn kl(counts: &Counts) -> Result<f64, Undefined> {
    let [reference, current] = filled(counts)?;
    let all = [&reference, &current].map(|shares| sum(shares.iter().copied()));
    let shares = reference.iter().zip(&current);
    let terms = shares
        .map(|(p, q)| (p / all[0], q / all[1]))
        .map(|(p, q)| p * (p / q).ln());
    Ok(sum(terms))
}

fn hellinger(reference: &Column<'_>, current: &Column<'_>) -> Result<f64, Undefined> {
    let counts = if let (Column::Numbers(a), Column::Numbers(b)) = (reference, current) {
        let (a, b) = (Sample::new(a), Sample::new(b));
        // Bins for as many values as there are kinds.
        let kinds = Counts::of_numbers(&a, &b).reference().len();
        let edges = sturges(&a, &b, kinds as f64)?;
        Counts::new(between(&edges, &a), between(&edges, &b))
    } else {
        counts(reference, current)
    };
    counts.hellinger()
}

/// The counts of the current sample, and what the reference would have them.
fn expected(counts: &Counts) -> Result<impl Iterator<Item = (f64, f64)> + '_, Undefined> {
    let [n, m] = counts.totals().map(|total| total as f64);
    if n == 0.0 || m == 0.0 {
        return Err(Undefined::TooFew);
    }
    let pairs = counts.current().iter().zip(counts.reference());
    Ok(pairs.map(move |(&seen, &before)| (seen as f64, before as f64 * (m / n))))
}

fn tail(counts: &Counts, statistic: f64) -> Result<f64, Undefined> {
    let freedom = counts.reference().len() as f64 - 1.0;
    let chi = ChiSquared::new(freedom).map_err(|_| Undefined::Constant)?;
    Ok(if statistic.is_finite() {
        chi.sf(statistic)
    } else {
        0.0
    })
}

fn chi_squared(counts: &Counts) -> Result<f64, Undefined> {
    let terms = expected(counts)?.map(|(seen, expected)| (seen - expected).powi(2) / expected);
    tail(counts, terms.sum())
}

fn g(counts: &Counts) -> Result<f64, Undefined> {
    let [n, m] = counts.totals();
    if n != m {
        return Err(Undefined::Sizes);
    }
    let seen = expected(counts)?.filter(|(seen, _)| *seen > 0.0);
    tail(
        counts,
        2.0 * seen
            .map(|(seen, expected)| seen * (seen / expected).ln())
            .sum::<f64>(),
    )
}

fn z(counts: &Counts) -> Result<f64, Undefined> {
    if counts.reference().len() < 2 {
        return Ok(1.0);
    }
    // By the distribution function, so that what is small is rounded as it is there.
    let below = 1.0 - counts.z()?.p_value / 2.0;
    Ok(2.0 * (1.0 - below))
}
