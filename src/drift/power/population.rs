//! What samples are drawn from, and how it changes.

use std::fmt;

use crate::metrics::random::SplitMix;

/// What values are drawn from.
///
/// ```
/// use modelpulse::drift::power::Population;
/// assert_eq!(Population::Exponential.to_string(), "exponential");
/// assert!(Population::Exponential.is_continuous() && !Population::Two(0.1).is_continuous());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Population {
    /// Standard normal numbers.
    Normal,
    /// Exponential numbers of mean and deviation 1: skewed.
    Exponential,
    /// Normal numbers rounded to quarters of a deviation: some thirty kinds, many ties.
    Rounded,
    /// So many kinds, each half as likely as the one before; the last two are equally so.
    Kinds(u32),
    /// Two kinds; the second has this rate.
    Two(f64),
    /// Rows of so many normal numbers, each two correlated by one half.
    Together(u32),
}

impl Population {
    /// Whether no two values are equal.
    #[must_use]
    pub fn is_continuous(self) -> bool {
        matches!(self, Self::Normal | Self::Exponential | Self::Together(_))
    }

    /// Whether its values are kinds, of which more or less makes no sense.
    #[must_use]
    pub fn is_of_kinds(self) -> bool {
        matches!(self, Self::Kinds(_) | Self::Two(_))
    }

    /// Whether it is of several features.
    #[must_use]
    pub fn is_of_several(self) -> bool {
        matches!(self, Self::Together(_))
    }

    /// A sample after a change: so many values, or rows one behind the other.
    pub(super) fn sample(self, change: Change, random: &mut SplitMix, length: usize) -> Vec<f64> {
        let Self::Together(width) = self else {
            return (0..length).map(|_| self.draw(change, random)).collect();
        };
        let mut values = Vec::with_capacity(length * width as usize);
        let root = 0.5_f64.sqrt();
        for _ in 0..length {
            let shared = normal(random);
            for _ in 0..width {
                let (own, mut common) = (normal(random), shared);
                if change == Change::Untied {
                    common = normal(random);
                }
                values.push(change.moved(root * (own + common), 0.0));
            }
        }
        values
    }

    fn draw(self, change: Change, random: &mut SplitMix) -> f64 {
        match self {
            Self::Normal | Self::Together(_) => change.moved(normal(random), 0.0),
            Self::Exponential => change.moved(-(1.0 - random.unit()).ln(), 1.0),
            Self::Rounded => (change.moved(normal(random), 0.0) * 4.0).round() / 4.0,
            Self::Kinds(kinds) => {
                let kind = random.next().leading_zeros().min(kinds - 1);
                f64::from(if change.replaced(random) {
                    kinds - 1
                } else {
                    kind
                })
            }
            Self::Two(rate) => {
                let second = random.unit() < rate;
                f64::from(u8::from(second || change.replaced(random)))
            }
        }
    }
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Exponential => f.write_str("exponential"),
            Self::Rounded => f.write_str("normal, rounded to σ/4"),
            Self::Kinds(kinds) => write!(f, "{kinds} kinds, each half as likely as the last"),
            Self::Two(rate) => write!(f, "two kinds, one of {} %", rate * 100.0),
            Self::Together(width) => write!(f, "{width} features together"),
        }
    }
}

/// What has changed in the current sample.
///
/// ```
/// use modelpulse::drift::power::Change;
/// assert_eq!(Change::Shift(0.25).to_string(), "shifted by 0.25 σ");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing: each alarm is a false one.
    None,
    /// Numbers are so many standard deviations larger.
    Shift(f64),
    /// Numbers are so many times as far from their mean.
    Spread(f64),
    /// This share of values has become the last kind.
    Replaced(f64),
    /// The features of a row are no longer correlated; each is what it was.
    Untied,
}

impl Change {
    /// A value of deviation 1 around `mean`.
    fn moved(self, value: f64, mean: f64) -> f64 {
        match self {
            Self::Shift(deviations) => value + deviations,
            Self::Spread(factor) => (value - mean) * factor + mean,
            Self::None | Self::Replaced(_) | Self::Untied => value,
        }
    }

    fn replaced(self, random: &mut SplitMix) -> bool {
        matches!(self, Self::Replaced(share) if random.unit() < share)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no change"),
            Self::Shift(deviations) => write!(f, "shifted by {deviations} σ"),
            Self::Spread(factor) => write!(f, "spread {factor} times as wide"),
            Self::Replaced(share) => write!(f, "{} % become the rarest kind", share * 100.0),
            Self::Untied => f.write_str("no longer correlated"),
        }
    }
}

/// A standard normal number (G. E. P. Box and M. E. Muller, 1958, doi 10.1214/aoms/1177706645).
pub(super) fn normal(random: &mut SplitMix) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}
