//! Tensors without a framework: a name, a shape, and values row by row.
//!
//! Values are shown as they are held: single precision as `f32`, which holds 16-bit floats exactly too,
//! anything wider as `f64`.

use super::HookError;

/// The values of a tensor, row by row.
///
/// ```
/// use modelpulse::train::Values;
/// let values = Values::from(&[1.5_f32, -2.0][..]);
/// assert_eq!((values.len(), values.iter().sum::<f64>()), (2, -0.5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values<'a> {
    /// Single precision, or half: that fits in it exactly.
    F32(&'a [f32]),
    /// Double precision, or integers.
    F64(&'a [f64]),
}

impl<'a> Values<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Each value.
    pub fn iter(self) -> impl Iterator<Item = f64> + 'a {
        let (single, double): (&[f32], &[f64]) = match self {
            Self::F32(values) => (values, &[]),
            Self::F64(values) => (&[], values),
        };
        let single = single.iter().map(|&value| f64::from(value));
        single.chain(double.iter().copied())
    }
}

impl Values<'_> {
    /// The Euclidean norm, summed in double precision.
    ///
    /// ```
    /// use modelpulse::train::Values;
    /// assert_eq!(Values::F32(&[3.0, -4.0]).norm(), 5.0);
    /// ```
    pub fn norm(self) -> f64 {
        match self {
            Self::F32(values) => sum_of_squares(values),
            Self::F64(values) => sum_of_squares(values),
        }
        .sqrt()
    }

    /// How many are NaN or infinite.
    ///
    /// ```
    /// use modelpulse::train::Values;
    /// assert_eq!(Values::F64(&[f64::NAN, 1.0, f64::INFINITY]).not_finite(), 2);
    /// ```
    pub fn not_finite(self) -> usize {
        match self {
            Self::F32(values) => values.iter().filter(|value| !value.is_finite()).count(),
            Self::F64(values) => values.iter().filter(|value| !value.is_finite()).count(),
        }
    }
}

/// In eight sums, so that no addition waits for the one before.
fn sum_of_squares<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    let mut sums = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            let value: f64 = value.into();
            *sum += value * value;
        }
    }
    let rest = rest.iter().map(|&value| {
        let value: f64 = value.into();
        value * value
    });
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::F64(values)
    }
}

/// Takes the name, the shape and the values of a tensor.
pub type TensorVisitor<'a> = dyn FnMut(&str, &[usize], Values<'_>) + 'a;

/// Named tensors, of whatever framework.
///
/// ```
/// use modelpulse::train::{HookError, TensorVisitor, Tensors};
/// struct Line { slope: f64, intercept: f64 }
/// impl Tensors for Line {
///     fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
///         visit("intercept", &[], [self.intercept][..].into());
///         visit("slope", &[], [self.slope][..].into());
///         Ok(())
///     }
/// }
/// let mut names = Vec::new();
/// Line { slope: 2.0, intercept: 1.0 }.visit(&mut |name, _, _| names.push(name.to_owned()))?;
/// assert_eq!(names, ["intercept", "slope"]);
/// # Ok::<(), HookError>(())
/// ```
pub trait Tensors {
    /// Calls `visit` with each tensor, ordered by name.
    ///
    /// # Errors
    /// Whatever the framework fails with while it reads the values.
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError>;
}

/// No tensors: for a loop that has none to show.
///
/// ```
/// use modelpulse::train::{NoTensors, Tensors};
/// NoTensors.visit(&mut |name, _, _| panic!("there is no {name}")).unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTensors;

impl Tensors for NoTensors {
    fn visit(&self, _: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        Ok(())
    }
}

impl std::fmt::Debug for dyn Tensors + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tensors")
    }
}
