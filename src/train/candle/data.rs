//! Inputs and targets as tensors, in batches whose order a seed decides.
//!
//! Every item is in exactly one batch of an epoch; the last batch may be smaller.

use candle_core::{DType, Device, Result, Tensor};
use rand::seq::SliceRandom;

use super::{Purpose, TrainError, generator};
use crate::train::{Split, Task};

/// Inputs with what is right for each: a class, labels, or numbers.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use modelpulse::train::candle::LabelledTensors;
/// let inputs = Tensor::zeros((3, 4), candle_core::DType::F32, &Device::Cpu)?;
/// let data = LabelledTensors::new(inputs.clone(), vec![0, 1, 0])?;
/// assert_eq!(data.len(), 3);
/// let prices = Tensor::new(&[1.5_f32, 2.0, 0.25], &Device::Cpu)?;
/// assert_eq!(LabelledTensors::with_targets(inputs, prices)?.len(), 3);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabelledTensors {
    inputs: Tensor,
    targets: Tensor,
    /// The targets, where they are classes.
    labels: Vec<u32>,
}

impl LabelledTensors {
    /// `inputs` of shape `[items, …]`, and `labels`, one class an item, counted from 0.
    ///
    /// # Errors
    /// Where the numbers of items differ, or the device has no room.
    pub fn new(inputs: Tensor, labels: Vec<u32>) -> Result<Self> {
        let targets = Tensor::from_slice(&labels, labels.len(), inputs.device())?;
        Self::with_targets(inputs, targets)
    }

    /// `inputs` of shape `[items, …]`, and `targets` of shape `[items]` or `[items, outputs]`: numbers, or 0
    /// and 1 a label; where they are `u32` of shape `[items]`, classes.
    ///
    /// # Errors
    /// Where the numbers of items differ, or the targets are on another device.
    pub fn with_targets(inputs: Tensor, targets: Tensor) -> Result<Self> {
        let (items, labelled) = (inputs.dim(0)?, targets.dim(0)?);
        if items != labelled {
            candle_core::bail!("{items} inputs with {labelled} labels");
        }
        let labels = match (targets.dtype(), targets.rank()) {
            (DType::U32, 1) => targets.to_vec1()?,
            _ => Vec::new(),
        };
        Ok(Self {
            inputs,
            targets,
            labels,
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
        self.inputs.dims().first().copied().unwrap_or(0)
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The targets of the items `indices`, as numbers, a row an item.
    pub(super) fn numbers(&self, indices: &[u32]) -> Result<Vec<f32>> {
        let rows = Tensor::from_slice(indices, indices.len(), self.device())?;
        let targets = self.targets.index_select(&rows, 0)?;
        targets.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
    }

    pub(super) fn device(&self) -> &Device {
        self.inputs.device()
    }

    /// Whether the targets are what `task` learns.
    pub(super) fn check(&self, task: Task, split: Split) -> std::result::Result<(), TrainError> {
        if self.is_empty() {
            return Err(TrainError::Empty { split });
        }
        let dims = self.targets.dims();
        let refuse = |expected: String| {
            let got = format!("{:?} of shape {dims:?}", self.targets.dtype());
            Err(TrainError::Targets {
                split,
                got,
                expected,
            })
        };
        let Some(classes) = task.classes() else {
            let (items, outputs) = (self.len(), task.outputs());
            let fits = dims == [items, outputs] || (outputs == 1 && dims == [items]);
            return match fits {
                true => Ok(()),
                false => refuse(format!("numbers of shape [{items}, {outputs}]")),
            };
        };
        if self.labels.is_empty() {
            return refuse("classes: U32, one an item".to_owned());
        }
        let mut labels = self.labels.iter();
        match labels.position(|&label| label as usize >= classes) {
            Some(item) => Err(TrainError::Label {
                split,
                item,
                label: self.labels[item],
                classes,
            }),
            None => Ok(()),
        }
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
