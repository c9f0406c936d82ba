//! A multi-layer perceptron: linear layers with ReLU between them.
//!
//! Its parameters are `layer0.weight`, `layer0.bias`, `layer1.weight` … in the order of the layers.

use candle_core::{Module, Result, Tensor};
use candle_nn::{Linear, VarBuilder, linear};

use super::Pass;
use crate::train::Split;

/// Linear layers with ReLU between them; the output is logits.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use modelpulse::train::candle::{Mlp, Parameters};
/// let parameters = Parameters::seeded(1);
/// let model = Mlp::new(&[64, 32, 10], parameters.builder(DType::F32, &Device::Cpu))?;
/// let logits = model.forward(&Tensor::zeros((5, 64), DType::F32, &Device::Cpu)?)?;
/// assert_eq!(logits.dims(), [5, 10]);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mlp {
    layers: Vec<Linear>,
    sizes: Vec<usize>,
}

impl Mlp {
    /// Layers between consecutive `sizes`: inputs, hidden layers, classes.
    ///
    /// # Errors
    /// Whatever candle fails with while it makes the parameters.
    pub fn new(sizes: &[usize], builder: VarBuilder<'_>) -> Result<Self> {
        let layer = |(index, pair): (usize, &[usize])| match pair {
            [from, to] => linear(*from, *to, builder.pp(format!("layer{index}"))),
            _ => candle_core::bail!("a layer is between two sizes"),
        };
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(layer)
            .collect::<Result<_>>()?;
        Ok(Self {
            layers,
            sizes: sizes.to_vec(),
        })
    }

    /// The logits; `pass` is shown what the units of each hidden layer came to, as `layer0`, `layer1` …
    ///
    /// # Errors
    /// Whatever candle fails with.
    pub fn forward_in(&self, inputs: &Tensor, pass: &Pass) -> Result<Tensor> {
        let mut outputs = inputs.flatten_from(1)?;
        for (index, layer) in self.layers.iter().enumerate() {
            outputs = layer.forward(&outputs)?;
            if index + 1 < self.layers.len() {
                outputs = outputs.relu()?;
                pass.record(&format!("layer{index}"), &outputs);
            }
        }
        Ok(outputs)
    }

    /// Inputs, hidden layers, classes.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }
}

impl Module for Mlp {
    fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        self.forward_in(inputs, &Pass::new(Split::Eval))
    }
}
