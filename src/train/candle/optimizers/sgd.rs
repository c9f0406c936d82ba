//! Stochastic gradient descent with momentum and weight decay.
//!
//! Without either it is candle's [`candle_nn::SGD`], bit for bit.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::Optimizer;

use super::{ResumableOptimizer, State, named, named_of, scalar};
use crate::train::candle::Parameters;

/// The settings of [`Sgd`].
///
/// ```
/// use modelpulse::train::candle::SgdConfig;
/// let config = SgdConfig { momentum: 0.9, nesterov: true, ..SgdConfig::default() };
/// assert_eq!(config.learning_rate, 0.01);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdConfig {
    /// The step size.
    pub learning_rate: f64,
    /// How much of the last step is kept, from 0 to below 1.
    pub momentum: f64,
    /// How much less of a gradient goes into the momentum.
    pub dampening: f64,
    /// Added to each gradient, times the parameter.
    pub weight_decay: f64,
    /// Looks ahead by the momentum.
    pub nesterov: bool,
}

/// A learning rate of 0.01, and nothing else.
impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
        }
    }
}

/// Stochastic gradient descent, by the formulas of PyTorch's
/// [`torch.optim.SGD`](https://pytorch.org/docs/stable/generated/torch.optim.SGD.html):
///
/// g ← g + λ θ; b ← μ b + (1 - τ) g, at first b ← g; g ← g + μ b with Nesterov's, else g ← b; θ ← θ - lr g
///
/// ```
/// use candle_core::{Device, Var};
/// use candle_nn::Optimizer;
/// use modelpulse::train::candle::{Sgd, SgdConfig};
/// let x = Var::new(1_f64, &Device::Cpu)?;
/// let config = SgdConfig { momentum: 0.5, ..SgdConfig::default() };
/// let mut optimizer = Sgd::new(vec![x.clone()], config)?;
/// optimizer.backward_step(&x.sqr()?)?;
/// assert_eq!(x.to_scalar::<f64>()?, 0.98);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sgd {
    vars: Vec<Momentum>,
    config: SgdConfig,
}

#[derive(Debug)]
struct Momentum {
    name: String,
    var: Var,
    /// None before the first step, and without momentum.
    buffer: Option<Tensor>,
}

impl Sgd {
    /// Learns `parameters`, whose names its state bears.
    ///
    /// # Errors
    /// Nothing yet; as [`Optimizer::new`].
    pub fn of(parameters: &Parameters, config: SgdConfig) -> Result<Self> {
        Ok(Self::with(named_of(parameters), config))
    }

    fn with(vars: Vec<(String, Var)>, config: SgdConfig) -> Self {
        let new = |(name, var)| Momentum {
            name,
            var,
            buffer: None,
        };
        let vars = vars.into_iter().map(new).collect();
        Self { vars, config }
    }

    /// The settings.
    pub fn config(&self) -> &SgdConfig {
        &self.config
    }
}

impl Optimizer for Sgd {
    type Config = SgdConfig;

    fn new(vars: Vec<Var>, config: SgdConfig) -> Result<Self> {
        Ok(Self::with(named(vars), config))
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let SgdConfig {
            learning_rate,
            momentum,
            dampening,
            weight_decay,
            nesterov,
        } = self.config;
        for Momentum { var, buffer, .. } in &mut self.vars {
            let Some(gradient) = gradients.get(var) else {
                continue;
            };
            let theta = var.as_detached_tensor();
            let mut gradient = gradient.detach();
            if weight_decay != 0.0 {
                gradient = (gradient + (&theta * weight_decay)?)?;
            }
            if momentum != 0.0 {
                let next = match &*buffer {
                    Some(buffer) => ((buffer * momentum)? + (&gradient * (1.0 - dampening))?)?,
                    None => gradient.clone(),
                };
                gradient = if nesterov {
                    (gradient + (&next * momentum)?)?
                } else {
                    next.clone()
                };
                *buffer = Some(next);
            }
            var.set(&(theta - (gradient * learning_rate)?)?)?;
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.config.learning_rate = rate;
    }
}

impl ResumableOptimizer for Sgd {
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        let rate = scalar(self.config.learning_rate)?;
        state.insert("learning_rate".to_owned(), rate);
        for Momentum { name, buffer, .. } in &self.vars {
            if let Some(buffer) = buffer {
                state.insert(format!("momentum/{name}"), buffer.clone());
            }
        }
        Ok(state)
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let reader = State(state);
        let rate = reader.number("learning_rate")?;
        let momentum = |Momentum { name, var, .. }: &Momentum| {
            let tensor = format!("momentum/{name}");
            // A parameter that has had no gradient has no momentum.
            let buffer = match state.contains_key(&tensor) {
                true => Some(reader.like(&tensor, var)?),
                false => None,
            };
            Ok(Momentum {
                name: name.clone(),
                var: var.clone(),
                buffer,
            })
        };
        self.vars = self.vars.iter().map(momentum).collect::<Result<_>>()?;
        self.config.learning_rate = rate;
        Ok(())
    }
}
