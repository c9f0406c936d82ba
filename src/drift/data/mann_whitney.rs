//! The Mann–Whitney test: whether values of one sample tend to be larger than those of the other.

use super::sample::steps;
use super::t_test::normal_survival;
use super::{Distribution, Test, Undefined, at_least};

/// What would be extreme.
///
/// ```
/// use modelpulse::drift::data::{Sample, mann_whitney::{self, Side}};
///
/// let (low, high) = (Sample::new(&[1.0, 2.0, 3.0]), Sample::new(&[4.0, 5.0, 6.0, 7.0]));
/// let test = mann_whitney::exact(&low, &high, Side::Both)?;
/// assert_eq!(test.statistic, 0.0);
/// assert!((test.p_value - 2.0 / 35.0).abs() < 1e-12);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// The reference tends to be smaller or larger.
    #[default]
    Both,
    /// The reference tends to be smaller.
    Less,
    /// The reference tends to be larger.
    Greater,
}

/// The test with the exact p-value if a sample has at most eight values and none are equal, else the asymptotic one.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn auto(
    reference: &impl Distribution,
    current: &impl Distribution,
    side: Side,
) -> Result<Test, Undefined> {
    let few = reference.len().min(current.len()) <= 8;
    if few && steps(reference, current).all(|step| step.ties() == 1.0) {
        exact(reference, current, side)
    } else {
        asymptotic(reference, current, side)
    }
}

/// The test with the normal approximation, corrected for ties and continuity. The statistic is U of the reference.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn asymptotic(
    reference: &impl Distribution,
    current: &impl Distribution,
    side: Side,
) -> Result<Test, Undefined> {
    let (u, ties) = statistic(reference, current)?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let all = n + m;
    let spread = (n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))).sqrt();
    let above = side.toward(u, n * m) - n * m / 2.0 - 0.5;
    let tail = if spread > 0.0 {
        normal_survival(above / spread)
    } else {
        1.0
    };
    Ok(side.test(u, tail))
}

/// The test with its exact p-value, by counting orders; without ties. O(n m) numbers: for small samples.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn exact(
    reference: &impl Distribution,
    current: &impl Distribution,
    side: Side,
) -> Result<Test, Undefined> {
    let (u, _) = statistic(reference, current)?;
    let (n, m) = (reference.len(), current.len());
    // The chance of each U: the generating function is a Gaussian binomial coefficient, built factor by factor.
    let mut chances = vec![0.0; n * m + 1];
    chances[0] = 1.0;
    for i in 1..=n.min(m) {
        let larger = n.max(m) + i;
        for at in (larger..chances.len()).rev() {
            chances[at] -= chances[at - larger];
        }
        for at in i..chances.len() {
            chances[at] += chances[at - i];
        }
        let factor = i as f64 / larger as f64;
        chances.iter_mut().for_each(|chance| *chance *= factor);
    }
    let from = side.toward(u, (n * m) as f64).ceil() as usize;
    // By symmetry the tail is summed where it is small.
    let tail: f64 = chances[..=(n * m).saturating_sub(from)].iter().sum();
    Ok(side.test(u, tail))
}

impl Side {
    /// The statistic of which large values are extreme.
    fn toward(self, u: f64, product: f64) -> f64 {
        match self {
            Self::Both => u.max(product - u),
            Self::Less => product - u,
            Self::Greater => u,
        }
    }

    fn test(self, statistic: f64, tail: f64) -> Test {
        let sides = if self == Self::Both { 2.0 } else { 1.0 };
        Test {
            statistic,
            p_value: (sides * tail).clamp(0.0, 1.0),
        }
    }
}

/// U of the reference, and the sum of t³ - t over groups of t equal values.
fn statistic(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<(f64, f64), Undefined> {
    at_least(1, reference, current)?;
    let (mut u, mut ties) = (0.0, 0.0);
    for step in steps(reference, current) {
        u += step.here[0] as f64 * (step.below[1] as f64 + step.here[1] as f64 / 2.0);
        let equal = step.ties();
        ties += equal * equal * equal - equal;
    }
    Ok((u, ties))
}
