//! Clipping: what a gradient is held to before the optimizer sees it.
//!
//! As PyTorch's `clip_grad_value_` and `clip_grad_norm_`. A NaN stays one: clipping hides no broken gradient.

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var};

/// How gradients are clipped.
///
/// ```
/// use candle_core::{Device, Var};
/// use modelpulse::train::candle::Clip;
/// let weights = Var::new(&[3_f64, 4.], &Device::Cpu)?;
/// let loss = (weights.sqr()?.sum_all()? * 0.5)?;
/// let mut gradients = loss.backward()?;
/// let norm = Clip::Norm(1.0).apply(&mut gradients, &[weights.clone()])?;
/// assert_eq!(norm, Some(5.0));
/// let clipped = gradients.get(&weights).unwrap().to_vec1::<f64>()?;
/// assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    /// Each number of each gradient is held between -limit and limit.
    Value(f64),
    /// All gradients are scaled by one number, so that the Euclidean norm of all their numbers together is
    /// at most this. Where the norm is NaN, all become NaN; where it is infinite, they become 0, and NaN
    /// where they are infinite themselves.
    Norm(f64),
}

/// What PyTorch adds to the norm before it divides by it.
const EPSILON: f64 = 1e-6;

impl Clip {
    /// Clips the gradients of `vars`, in place; returns the norm before, where it clips by norm: that
    /// waits for a GPU.
    ///
    /// # Errors
    /// Whatever candle fails with.
    pub fn apply(self, gradients: &mut GradStore, vars: &[Var]) -> Result<Option<f64>> {
        match self {
            Self::Value(limit) => {
                replace(gradients, vars, |gradient| gradient.clamp(-limit, limit))?;
                Ok(None)
            }
            Self::Norm(limit) => {
                let norm = global_norm(gradients, vars)?;
                let scale = limit / (norm + EPSILON);
                if scale < 1.0 || scale.is_nan() {
                    replace(gradients, vars, |gradient| gradient * scale)?;
                }
                Ok(Some(norm))
            }
        }
    }
}

fn replace(
    gradients: &mut GradStore,
    vars: &[Var],
    with: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    for var in vars {
        if let Some(gradient) = gradients.get(var) {
            let clipped = with(gradient)?;
            gradients.insert(var, clipped);
        }
    }
    Ok(())
}

/// The Euclidean norm of all gradients of `vars` together; one wait for the device.
fn global_norm(gradients: &GradStore, vars: &[Var]) -> Result<f64> {
    let mut sum: Option<Tensor> = None;
    for gradient in vars.iter().filter_map(|var| gradients.get(var)) {
        // Half precision ends at 65,504, and a sum of squares soon passes that.
        let wide = match gradient.dtype() {
            DType::F64 => gradient.clone(),
            _ => gradient.to_dtype(DType::F32)?,
        };
        let squares = wide.sqr()?.sum_all()?.to_dtype(DType::F64)?;
        sum = Some(match sum {
            Some(sum) => (sum + squares)?,
            None => squares,
        });
    }
    match sum {
        Some(sum) => Ok(sum.to_scalar::<f64>()?.sqrt()),
        None => Ok(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn clipped(clip: Clip, values: &[f32]) -> Vec<f32> {
        let var = Var::zeros(values.len(), DType::F32, &Device::Cpu).unwrap();
        let values = Tensor::new(values, &Device::Cpu).unwrap();
        let mut store = (&values * var.as_tensor())
            .and_then(|product| product.sum_all()?.backward())
            .unwrap();
        clip.apply(&mut store, std::slice::from_ref(&var)).unwrap();
        store.get(&var).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_nan_outlives_clipping() {
        let values = clipped(Clip::Value(1.0), &[f32::NAN, 5.0, -f32::INFINITY]);
        assert!(values[0].is_nan());
        assert_eq!(values[1..], [1.0, -1.0]);
        let all = clipped(Clip::Norm(1.0), &[f32::NAN, 5.0]);
        assert!(all.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn small_gradients_stay_as_they_are_bit_for_bit() {
        for clip in [Clip::Value(10.0), Clip::Norm(10.0)] {
            assert_eq!(clipped(clip, &[0.1, -0.7]), [0.1, -0.7]);
        }
    }

    #[test]
    fn a_norm_beyond_half_precision_is_still_a_number() {
        let var = Var::ones(4, DType::F16, &Device::Cpu).unwrap();
        let mut store = (var.as_tensor() * 3e4)
            .and_then(|product| product.sum_all()?.backward())
            .unwrap();
        let norm = Clip::Norm(1.0).apply(&mut store, &[var]).unwrap().unwrap();
        assert!((norm / 6e4 - 1.0).abs() < 1e-3, "{norm}");
    }
}
