//! The tests and distances by name, for who chooses one himself.

use std::fmt;

use super::data::{
    Counts, Distribution, Test, anderson_darling, bins, cramer_von_mises, ks, mann_whitney, t_test,
    transport,
};
use super::verdict::{Chosen, Finding, Policy};
use super::{Undefined, data::mann_whitney::Side};

/// A test or a distance.
///
/// ```
/// use modelpulse::drift::{Method, data::{Counts, Sample}, verdict::Policy};
///
/// let psi = Method::named("psi").unwrap();
/// assert_eq!((psi.is_distance(), psi.threshold()), (true, Some(0.2)));
/// let before: Vec<f64> = (0..100).map(f64::from).collect();
/// let after: Vec<f64> = (40..140).map(f64::from).collect();
/// let finding = Policy::default().test_numbers_by(psi, &Sample::new(&before), &Sample::new(&after))?;
/// assert!(finding.statistic > 0.2);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Kolmogorov–Smirnov, of numbers.
    Ks,
    /// Anderson–Darling, of numbers.
    AndersonDarling,
    /// Cramér–von Mises, of numbers.
    CramerVonMises,
    /// Mann–Whitney, two-sided, of numbers.
    MannWhitney,
    /// Welch's t, of numbers.
    T,
    /// Z of means, of numbers.
    Z,
    /// χ² of two samples, of categories.
    ChiSquared,
    /// G of two samples, of categories.
    G,
    /// Fisher's exact test, of two categories.
    Fisher,
    /// The population stability index; of numbers in the deciles of the reference, as the three that follow.
    Psi,
    /// The Kullback–Leibler divergence, in nats.
    Kl,
    /// The Jensen–Shannon distance, in bits.
    JensenShannon,
    /// The Hellinger distance.
    Hellinger,
    /// The total variation distance; of numbers the largest distance of the distribution functions.
    TotalVariation,
    /// The Wasserstein distance in standard deviations of the reference, of numbers.
    Wasserstein,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Ks,
        Self::AndersonDarling,
        Self::CramerVonMises,
        Self::MannWhitney,
        Self::T,
        Self::Z,
        Self::ChiSquared,
        Self::G,
        Self::Fisher,
        Self::Psi,
        Self::Kl,
        Self::JensenShannon,
        Self::Hellinger,
        Self::TotalVariation,
        Self::Wasserstein,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ks => "ks",
            Self::AndersonDarling => "anderson",
            Self::CramerVonMises => "cvm",
            Self::MannWhitney => "mannwhitney",
            Self::T => "t",
            Self::Z => "z",
            Self::ChiSquared => "chi2",
            Self::G => "g",
            Self::Fisher => "fisher",
            Self::Psi => "psi",
            Self::Kl => "kl",
            Self::JensenShannon => "js",
            Self::Hellinger => "hellinger",
            Self::TotalVariation => "tvd",
            Self::Wasserstein => "wasserstein",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether it has no p-value: large ones are drift.
    #[must_use]
    pub fn is_distance(self) -> bool {
        self.threshold().is_some()
    }

    /// From which distance on it is usually called drift; none of tests.
    #[must_use]
    pub fn threshold(self) -> Option<f64> {
        match self {
            Self::Psi => Some(0.2),
            Self::Kl | Self::JensenShannon | Self::Hellinger => Some(0.1),
            Self::TotalVariation | Self::Wasserstein => Some(0.1),
            _ => None,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ks => "Kolmogorov–Smirnov",
            Self::AndersonDarling => "Anderson–Darling",
            Self::CramerVonMises => "Cramér–von Mises",
            Self::MannWhitney => "Mann–Whitney",
            Self::T => "Welch's t",
            Self::Z => "Z",
            Self::ChiSquared => "χ²",
            Self::G => "G",
            Self::Fisher => "Fisher's exact",
            Self::Psi => "PSI",
            Self::Kl => "Kullback–Leibler",
            Self::JensenShannon => "Jensen–Shannon",
            Self::Hellinger => "Hellinger",
            Self::TotalVariation => "total variation",
            Self::Wasserstein => "Wasserstein",
        })
    }
}

/// So many bins numbers are put in.
const BINS: usize = 10;

impl Policy {
    /// As [`test_numbers`](Self::test_numbers), by a method of one's own choice.
    ///
    /// # Errors
    ///
    /// As there; [`Undefined::Categories`] too for a method that is not for numbers.
    pub fn test_numbers_by(
        &self,
        method: Method,
        reference: &impl Distribution,
        current: &impl Distribution,
    ) -> Result<Finding, Undefined> {
        if reference.len().min(current.len()) < self.min_values {
            return Err(Undefined::TooFew);
        }
        let effect = ks::Distance::of(reference, current)?.distance;
        let error = reference.error() + current.error();
        let tested = |test: Test| {
            let mut finding = Finding::new(Chosen::Asked(method), test, effect);
            finding.error = error;
            finding
        };
        let distance = match method {
            Method::Ks => return ks::auto(reference, current).map(tested),
            Method::AndersonDarling => {
                return anderson_darling::asymptotic(reference, current).map(tested);
            }
            Method::CramerVonMises => {
                return cramer_von_mises::auto(reference, current).map(tested);
            }
            Method::MannWhitney => {
                return mann_whitney::auto(reference, current, Side::Both).map(tested);
            }
            Method::T => return t_test::welch(reference, current).map(tested),
            Method::Z => return t_test::z(reference, current).map(tested),
            Method::TotalVariation => effect,
            Method::Wasserstein => {
                let deviation = reference.deviation();
                if deviation <= 0.0 {
                    return Err(Undefined::Constant);
                }
                transport::wasserstein(reference, current)? / deviation
            }
            Method::Psi | Method::Kl | Method::JensenShannon | Method::Hellinger => {
                let edges = bins::quantiles(reference, BINS);
                method.distance(&bins::counts(&edges, reference, current))?
            }
            Method::ChiSquared | Method::G | Method::Fisher => return Err(Undefined::Categories),
        };
        Ok(Finding::of_distance(method, distance, effect, error))
    }

    /// As [`test_counts`](Self::test_counts), by a method of one's own choice.
    ///
    /// # Errors
    ///
    /// As there; [`Undefined::Categories`] too for a method that is not for categories.
    pub fn test_counts_by(&self, method: Method, counts: &Counts) -> Result<Finding, Undefined> {
        if counts.totals().into_iter().min() < Some(self.min_values as u64) {
            return Err(Undefined::TooFew);
        }
        let effect = counts.total_variation()?;
        let tested = |test: Test| Finding::new(Chosen::Asked(method), test, effect);
        match method {
            Method::ChiSquared => counts.chi_squared().map(tested),
            Method::G => counts.g().map(tested),
            Method::Fisher => counts.fisher().map(tested),
            method => {
                let distance = method.distance(counts)?;
                Ok(Finding::of_distance(method, distance, effect, 0.0))
            }
        }
    }
}

impl Method {
    fn distance(self, counts: &Counts) -> Result<f64, Undefined> {
        match self {
            Self::Psi => counts.psi(),
            Self::Kl => counts.kl(),
            Self::JensenShannon => counts.jensen_shannon_bits(),
            Self::Hellinger => counts.hellinger(),
            Self::TotalVariation => counts.total_variation(),
            _ => Err(Undefined::Categories),
        }
    }
}
