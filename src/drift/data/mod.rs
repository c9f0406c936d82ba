//! Data drift of one feature: tests and distances between two samples.
//!
//! A test answers with a [`Test`]: a statistic and the chance of one as extreme, were both samples of one distribution.
//! A distance is a number. Either is refused with an [`Undefined`] where the samples do not define it; nothing stands in
//! for it. Samples are a [`Sample`] of numbers, a [`Distribution`] of a profile or [`Counts`] of categories; missing
//! values are left out and counted.
//!
//! | numbers | |
//! |---|---|
//! | [`ks`] | Kolmogorov–Smirnov: exact, asymptotic |
//! | [`anderson_darling`] | Anderson–Darling of two samples |
//! | [`cramer_von_mises`] | Cramér–von Mises: exact, asymptotic |
//! | [`mann_whitney`] | Mann–Whitney: exact, asymptotic, either side or both |
//! | [`t_test`] | Student's and Welch's t, Z, Levene's around the median |
//! | [`epps_singleton`] | Epps–Singleton: characteristic functions |
//! | [`transport`] | Wasserstein and energy distance |
//! | [`bins`] | numbers in bins, as [`Counts`] |
//!
//! | categories | |
//! |---|---|
//! | [`Counts`] | χ², G, Fisher's exact test, Z of two shares; PSI, KL, Jensen–Shannon, Hellinger, total variation |

pub mod anderson_darling;
pub mod bins;
mod categories;
pub mod cramer_von_mises;
mod distribution;
pub(crate) mod eigen;
pub mod epps_singleton;
mod kolmogorov;
pub mod ks;
pub mod mann_whitney;
mod quadratic;
pub(crate) mod sample;
pub mod t_test;
pub mod transport;

pub use categories::{Categories, Counts, NONE};
pub(crate) use distribution::Known;
pub use distribution::{Distribution, Weighted};
pub use sample::Sample;

use super::Undefined;

/// What a test says.
///
/// ```
/// use modelpulse::drift::data::{Sample, ks};
///
/// let reference = Sample::new(&[0.1, 0.4, 0.7, 1.1, 1.9]);
/// let current = Sample::new(&[2.0, 2.2, 2.4, 2.9, 3.0, 3.3]);
/// let test = ks::exact(&reference, &current)?;
/// assert_eq!(test.statistic, 1.0);
/// assert!((test.p_value - 2.0 / 462.0).abs() < 1e-12);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic.
    pub statistic: f64,
    /// The chance of a statistic as extreme if both samples are of one distribution.
    pub p_value: f64,
}

/// Both samples have at least so many values.
fn at_least(
    needed: usize,
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<(), Undefined> {
    if reference.len().min(current.len()) < needed {
        return Err(Undefined::TooFew);
    }
    Ok(())
}

/// The same, and all are finite.
fn finite(
    needed: usize,
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<(), Undefined> {
    at_least(needed, reference, current)?;
    if reference.is_finite() && current.is_finite() {
        Ok(())
    } else {
        Err(Undefined::Infinite)
    }
}

/// The p-value of a statistic: none where sums were too large for a number, 0 where nothing varies that a difference could
/// be held against.
fn tested(statistic: f64, survival: impl FnOnce(f64) -> f64) -> Result<Test, Undefined> {
    // Distributions do not take what is no number.
    let p_value = match statistic {
        _ if statistic.is_nan() => f64::NAN,
        _ if statistic.is_infinite() => 0.0,
        _ => survival(statistic),
    };
    if p_value.is_nan() {
        return Err(Undefined::Infinite);
    }
    Ok(Test { statistic, p_value })
}
