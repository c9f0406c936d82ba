//! AdamW: Adam with decoupled weight decay.
//!
//! Bit for bit candle's [`candle_nn::AdamW`], whose state cannot be read.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::{Optimizer, ParamsAdamW};

use super::{ResumableOptimizer, State, named, named_of, scalar, whole};
use crate::train::candle::Parameters;

/// AdamW, by the formulas of PyTorch's
/// [`torch.optim.AdamW`](https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html), after
/// Loshchilov and Hutter, [Decoupled Weight Decay Regularization](https://arxiv.org/abs/1711.05101):
///
/// θ ← θ (1 - lr λ); m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²;
/// θ ← θ - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
///
/// t counts the steps of the optimizer, as in candle; PyTorch counts those in which the parameter had a
/// gradient.
///
/// ```
/// use candle_core::{Device, Var};
/// use candle_nn::Optimizer;
/// use modelpulse::train::candle::AdamW;
/// let x = Var::new(1_f64, &Device::Cpu)?;
/// let mut optimizer = AdamW::new(vec![x.clone()], Default::default())?;
/// optimizer.set_learning_rate(0.1);
/// for _ in 0..200 {
///     optimizer.backward_step(&(x.as_tensor() - 3.0)?.sqr()?)?;
/// }
/// assert!((x.to_scalar::<f64>()? - 3.0).abs() < 0.05);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct AdamW {
    vars: Vec<Moments>,
    steps: usize,
    params: ParamsAdamW,
}

#[derive(Debug)]
struct Moments {
    name: String,
    var: Var,
    first: Tensor,
    second: Tensor,
}

impl Moments {
    fn new((name, var): (String, Var)) -> Result<Self> {
        let zeros = var.zeros_like()?;
        Ok(Self {
            name,
            var,
            first: zeros.clone(),
            second: zeros,
        })
    }
}

impl AdamW {
    /// Learns `parameters`, whose names its state bears.
    ///
    /// # Errors
    /// Whatever candle fails with.
    pub fn of(parameters: &Parameters, params: ParamsAdamW) -> Result<Self> {
        Self::with(named_of(parameters), params)
    }

    fn with(vars: Vec<(String, Var)>, params: ParamsAdamW) -> Result<Self> {
        Ok(Self {
            vars: vars.into_iter().map(Moments::new).collect::<Result<_>>()?,
            steps: 0,
            params,
        })
    }

    /// The settings.
    pub fn params(&self) -> &ParamsAdamW {
        &self.params
    }
}

impl Optimizer for AdamW {
    type Config = ParamsAdamW;

    fn new(vars: Vec<Var>, params: ParamsAdamW) -> Result<Self> {
        Self::with(named(vars), params)
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        self.steps += 1;
        let ParamsAdamW {
            lr,
            beta1,
            beta2,
            eps,
            weight_decay,
        } = self.params;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (scale_first, scale_second) = (
            1.0 / (1.0 - beta1.powi(steps)),
            1.0 / (1.0 - beta2.powi(steps)),
        );
        for Moments {
            var, first, second, ..
        } in &mut self.vars
        {
            let Some(gradient) = gradients.get(var) else {
                continue;
            };
            // A gradient may still hang on the graph that it came from; a moment that did would keep it.
            let gradient = gradient.detach();
            // In candle's order, so that every rounding is the same.
            *first = ((&*first * beta1)? + (&gradient * (1.0 - beta1))?)?;
            *second = ((&*second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            let decayed = (var.as_detached_tensor() * (1.0 - lr * weight_decay))?;
            let spread = ((&*second * scale_second)?.sqrt()? + eps)?;
            let step = ((&*first * scale_first)? / spread)?;
            var.set(&(decayed - (step * lr)?)?)?;
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.params.lr
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.params.lr = rate;
    }
}

impl ResumableOptimizer for AdamW {
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        state.insert("step".to_owned(), whole(self.steps)?);
        state.insert("learning_rate".to_owned(), scalar(self.params.lr)?);
        for moments in &self.vars {
            // Never written to in place, so a shared one is as good as a copy.
            let Moments { name, .. } = moments;
            state.insert(format!("first_moment/{name}"), moments.first.clone());
            state.insert(format!("second_moment/{name}"), moments.second.clone());
        }
        Ok(state)
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let state = State(state);
        let (steps, rate) = (state.count("step")?, state.number("learning_rate")?);
        let moments = |Moments { name, var, .. }: &Moments| {
            Ok(Moments {
                name: name.clone(),
                var: var.clone(),
                first: state.like(&format!("first_moment/{name}"), var)?,
                second: state.like(&format!("second_moment/{name}"), var)?,
            })
        };
        self.vars = self.vars.iter().map(moments).collect::<Result<_>>()?;
        (self.steps, self.params.lr) = (steps, rate);
        Ok(())
    }
}
