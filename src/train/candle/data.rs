//! Labelled data as tensors, in batches whose order a seed decides.
//!
//! Every item is in exactly one batch of an epoch; the last batch may be smaller.

use candle_core::{DType, Device, Result, Tensor};
use rand::seq::SliceRandom;

use super::{Purpose, generator};

/// Inputs with the right class of each.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use modelpulse::train::candle::LabelledTensors;
/// let inputs = Tensor::zeros((3, 4), candle_core::DType::F32, &Device::Cpu)?;
/// let data = LabelledTensors::new(inputs, vec![0, 1, 0])?;
/// assert_eq!(data.len(), 3);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabelledTensors {
    inputs: Tensor,
    labels: Vec<u32>,
    targets: Tensor,
}

impl LabelledTensors {
    /// `inputs` of shape `[items, …]`, and `labels`, one an item, counted from 0.
    ///
    /// # Errors
    /// Where the numbers of items differ, or the device has no room.
    pub fn new(inputs: Tensor, labels: Vec<u32>) -> Result<Self> {
        let items = inputs.dim(0)?;
        if items != labels.len() {
            candle_core::bail!("{items} inputs with {} labels", labels.len());
        }
        let targets = Tensor::from_slice(&labels, items, inputs.device())?;
        Ok(Self {
            inputs,
            labels,
            targets,
        })
    }

    /// Grey images of one byte a pixel, `size` bytes each, scaled so that `max_value` is 1.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_bytes(
        pixels: &[u8],
        size: usize,
        max_value: u8,
        labels: &[u8],
        device: &Device,
    ) -> Result<Self> {
        let scale = 1.0 / f64::from(max_value.max(1));
        let shape = (pixels.len() / size.max(1), size);
        let inputs = Tensor::from_slice(pixels, shape, device)?
            .to_dtype(DType::F32)?
            .affine(scale, 0.0)?;
        Self::new(inputs, labels.iter().map(|&label| label.into()).collect())
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }

    pub(super) fn device(&self) -> &Device {
        self.inputs.device()
    }

    /// The items `indices`: inputs and targets.
    pub(super) fn select(&self, indices: &[u32]) -> Result<(Tensor, Tensor)> {
        let indices = Tensor::from_slice(indices, indices.len(), self.device())?;
        Ok((
            self.inputs.index_select(&indices, 0)?,
            self.targets.index_select(&indices, 0)?,
        ))
    }

    /// `count` items from `start` on, without a copy.
    pub(super) fn slice(&self, start: usize, count: usize) -> Result<(Tensor, Tensor)> {
        Ok((
            self.inputs.narrow(0, start, count)?,
            self.targets.narrow(0, start, count)?,
        ))
    }

    /// All indices, in the order of this epoch.
    pub(super) fn order(&self, seed: u64, epoch: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.shuffle(&mut generator(seed, Purpose::Order { epoch }));
        order
    }
}
