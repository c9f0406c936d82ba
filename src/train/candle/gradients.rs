//! The gradients of an update, over one batch or several.
//!
//! A mean over the items of all of its batches, however many each of them has: as of one large batch.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor};

use super::checkpoint::Named;
use super::{Clip, Parameters};
use crate::train::{HookError, TensorVisitor, Tensors};

/// The gradients of one batch.
#[derive(Debug)]
pub struct Gradients<'a> {
    parameters: &'a Parameters,
    store: Option<&'a GradStore>,
}

impl<'a> Gradients<'a> {
    /// The gradients of `parameters` that `store` holds; none without a store.
    pub fn new(parameters: &'a Parameters, store: Option<&'a GradStore>) -> Self {
        Self { parameters, store }
    }
}

impl Tensors for Gradients<'_> {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> std::result::Result<(), HookError> {
        for (name, var) in self.parameters.named() {
            if let Some(gradient) = self.store.and_then(|store| store.get(var.as_tensor())) {
                super::tensors::show(&name, gradient, visit)?;
            }
        }
        Ok(())
    }
}

/// What the gradients of an update have come to.
#[derive(Debug, Default)]
pub(super) struct Update {
    store: Option<GradStore>,
    /// A batch of this update was skipped, and so the update is.
    skipped: bool,
}

impl Update {
    /// Adds the gradients of `loss`, the mean of a batch, that counts as `share` of the update.
    pub(super) fn add(&mut self, parameters: &Parameters, loss: &Tensor, share: f64) -> Result<()> {
        if share == 1.0 {
            self.store = Some(loss.backward()?);
            return Ok(());
        }
        let mut store = loss.affine(share, 0.0)?.backward()?;
        if let Some(before) = &self.store {
            for var in parameters.vars() {
                let sum = match (before.get(&var), store.get(&var)) {
                    (Some(before), Some(this)) => (before + this)?,
                    (Some(before), None) => before.clone(),
                    (None, _) => continue,
                };
                store.insert(&var, sum);
            }
        }
        self.store = Some(store);
        Ok(())
    }

    pub(super) fn skip(&mut self) {
        self.store = None;
        self.skipped = true;
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.skipped
    }

    /// The next update begins.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn store(&self) -> Option<&GradStore> {
        self.store.as_ref()
    }

    pub(super) fn clip(&mut self, clip: Clip, parameters: &Parameters) -> Result<()> {
        if let Some(store) = &mut self.store {
            clip.apply(store, &parameters.vars())?;
        }
        Ok(())
    }

    /// The gradients by name, for a checkpoint within an epoch.
    pub(super) fn gradients(&self, parameters: &Parameters) -> Named {
        let named = parameters.named().into_iter();
        named
            .filter_map(|(name, var)| Some((name, self.store.as_ref()?.get(&var)?.clone())))
            .collect()
    }

    /// What such a checkpoint keeps besides.
    pub(super) fn state(&self) -> Result<Named> {
        let skipped = Tensor::new(u8::from(self.skipped), &Device::Cpu)?;
        Ok(Named::from([("skipped".to_owned(), skipped)]))
    }

    /// Goes on from what a checkpoint kept.
    pub(super) fn restore(
        &mut self,
        parameters: &Parameters,
        mut gradients: Named,
        state: &Named,
    ) -> Result<()> {
        self.clear();
        if let Some(skipped) = state.get("skipped") {
            self.skipped = skipped.to_scalar::<u8>()? != 0;
        }
        if gradients.is_empty() {
            return Ok(());
        }
        // A store cannot be made empty; this one knows of nothing but its own scalar.
        let mut store = Tensor::zeros((), DType::F32, &Device::Cpu)?.backward()?;
        for (name, var) in parameters.named() {
            if let Some(gradient) = gradients.remove(&name) {
                store.insert(&var, gradient.to_device(var.device())?);
            }
        }
        self.store = Some(store);
        Ok(())
    }
}
