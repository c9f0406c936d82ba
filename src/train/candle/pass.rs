//! One pass through a model: how it is to behave, and what its layers came to.
//!
//! What is recorded is detached from the graph, so that it changes nothing of the training.

use std::cell::RefCell;

use candle_core::Tensor;

use crate::train::Split;

/// What a model is told when it is called.
///
/// ```
/// use candle_core::{Device, Result, Tensor};
/// use modelpulse::train::{Split, candle::Pass};
/// fn forward(inputs: &Tensor, pass: &Pass) -> Result<Tensor> {
///     let hidden = inputs.relu()?;
///     pass.record("hidden", &hidden);
///     hidden.sqr()
/// }
/// let inputs = Tensor::new(&[[1_f32, -2.0]], &Device::Cpu)?;
/// let outputs = forward(&inputs, &Pass::new(Split::Eval))?;
/// assert_eq!(outputs.to_vec2::<f32>()?, [[1.0, 0.0]]);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Pass {
    split: Split,
    recorded: Option<RefCell<Vec<(String, Tensor)>>>,
}

impl Pass {
    /// A pass over `split` of which nobody wants the activations.
    pub fn new(split: Split) -> Self {
        Self {
            split,
            recorded: None,
        }
    }

    /// A pass that records activations, if they are `wanted`.
    pub(super) fn recording(split: Split, wanted: bool) -> Self {
        Self {
            split,
            recorded: wanted.then(RefCell::default),
        }
    }

    /// The split that the inputs are of.
    pub fn split(&self) -> Split {
        self.split
    }

    /// Whether the model learns from this pass: dropout drops, batch normalisation counts.
    pub fn is_training(&self) -> bool {
        self.split == Split::Train
    }

    /// Shows hooks what a layer came to, one row an item; costs nothing where no hook wants to see it.
    pub fn record(&self, name: &str, activations: &Tensor) {
        if let Some(recorded) = &self.recorded {
            let activations = (name.to_owned(), activations.detach());
            recorded.borrow_mut().push(activations);
        }
    }

    /// What was recorded, in its order.
    pub(super) fn into_recorded(self) -> Vec<(String, Tensor)> {
        self.recorded.map(RefCell::into_inner).unwrap_or_default()
    }
}
