//! Optimizers whose state can be taken and put back, which a training that resumes needs.
//!
//! Both are candle's [`Optimizer`], so they also serve one's own loop.

mod adamw;
mod sgd;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::Optimizer;

pub use adamw::AdamW;
pub use sgd::{Sgd, SgdConfig};

use super::Parameters;

/// An optimizer that a trainer can drive, and a checkpoint can hold. One of one's own that is never saved
/// needs no method: `impl ResumableOptimizer for Mine {}`.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::Optimizer;
/// use modelpulse::train::candle::{AdamW, Parameters, ResumableOptimizer};
/// let parameters = Parameters::seeded(1);
/// candle_nn::linear(2, 1, parameters.builder(DType::F32, &Device::Cpu))?;
/// let mut optimizer = AdamW::of(&parameters, Default::default())?;
/// let weight = &parameters.vars()[1];
/// optimizer.backward_step(&weight.sqr()?.sum_all()?)?;
///
/// let state = optimizer.state()?;
/// assert_eq!(state["step"].to_scalar::<i64>()?, 1);
/// assert_eq!(state["first_moment/weight"].dims(), [1, 2]);
/// let mut again = AdamW::of(&parameters, Default::default())?;
/// again.restore(&state)?;
/// # Ok::<(), candle_core::Error>(())
/// ```
pub trait ResumableOptimizer: Optimizer {
    /// What the optimizer remembers, by name; the tensors are copies. The learning rate is among it, the
    /// other settings are not.
    ///
    /// # Errors
    /// Whatever candle fails with.
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        candle_core::bail!("this optimizer does not show its state, so the fit cannot be saved")
    }

    /// Goes on from a state that [`state`](Self::state) gave, for an optimizer of the same parameters.
    ///
    /// # Errors
    /// Where a tensor is missing or does not fit; the optimizer is then as it was.
    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let _ = state;
        candle_core::bail!("this optimizer takes no state, so the fit cannot be resumed")
    }
}

/// candle's own keeps its moments to itself: it can train, but a fit with it cannot be saved.
impl ResumableOptimizer for candle_nn::AdamW {}

/// candle's own remembers nothing but its learning rate.
impl ResumableOptimizer for candle_nn::SGD {
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let rate = scalar(self.learning_rate())?;
        Ok(BTreeMap::from([("learning_rate".to_owned(), rate)]))
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.set_learning_rate(State(state).number("learning_rate")?);
        Ok(())
    }
}

/// The variables that can be learned, each with a name for its state.
fn named(vars: Vec<Var>) -> Vec<(String, Var)> {
    let named = vars.into_iter().enumerate();
    let named = named.map(|(index, var)| (index.to_string(), var));
    named.filter(|(_, var)| var.dtype().is_float()).collect()
}

fn named_of(parameters: &Parameters) -> Vec<(String, Var)> {
    let named = parameters.names().into_iter().zip(parameters.vars());
    named.filter(|(_, var)| var.dtype().is_float()).collect()
}

/// Reads a state.
struct State<'a>(&'a BTreeMap<String, Tensor>);

impl State<'_> {
    fn tensor(&self, name: &str) -> Result<&Tensor> {
        match self.0.get(name) {
            Some(tensor) => Ok(tensor),
            None => candle_core::bail!(
                "the optimizer's state has no tensor '{name}': it is of other parameters or of another optimizer"
            ),
        }
    }

    /// The tensor that belongs to `var`: of its shape and type, on its device.
    fn like(&self, name: &str, var: &Var) -> Result<Tensor> {
        let tensor = self.tensor(name)?;
        if tensor.shape() != var.shape() || tensor.dtype() != var.dtype() {
            candle_core::bail!(
                "'{name}' of the optimizer's state has shape {:?} and type {:?}, its parameter {:?} and {:?}",
                tensor.dims(),
                tensor.dtype(),
                var.dims(),
                var.dtype()
            );
        }
        tensor.to_device(var.device())
    }

    fn number(&self, name: &str) -> Result<f64> {
        self.tensor(name)?.to_dtype(DType::F64)?.to_scalar()
    }

    fn count(&self, name: &str) -> Result<usize> {
        let count = self
            .tensor(name)?
            .to_dtype(DType::I64)?
            .to_scalar::<i64>()?;
        match usize::try_from(count) {
            Ok(count) => Ok(count),
            Err(_) => candle_core::bail!("'{name}' of the optimizer's state is {count}"),
        }
    }
}

fn scalar(number: f64) -> Result<Tensor> {
    Tensor::new(number, &Device::Cpu)
}

fn whole(number: usize) -> Result<Tensor> {
    Tensor::new(i64::try_from(number).unwrap_or(i64::MAX), &Device::Cpu)
}
