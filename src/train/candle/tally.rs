//! What a split comes to over its batches.
//!
//! Sums and outputs stay on the device, detached from the graph, and are pulled once, at the end.

use std::time::Instant;

use candle_core::{DType, Tensor};
use candle_nn::{loss::cross_entropy, ops::softmax};

use super::{LabelledTensors, TrainError};
use crate::train::classification::classification_metrics;
use crate::train::{Outcome, Predictions};

pub(super) fn pull(scalar: &Tensor) -> candle_core::Result<f64> {
    scalar.to_dtype(DType::F64)?.to_scalar()
}

/// What a split has come to so far, on the device.
pub(super) struct Tally {
    classes: usize,
    loss_sum: Tensor,
    outputs: Vec<Tensor>,
}

impl Tally {
    pub(super) fn new(data: &LabelledTensors, classes: usize) -> candle_core::Result<Self> {
        Ok(Self {
            classes,
            loss_sum: Tensor::zeros((), DType::F64, data.device())?,
            outputs: Vec::new(),
        })
    }

    /// Adds a batch, and returns its mean loss, still in the graph.
    pub(super) fn add(&mut self, logits: &Tensor, targets: &Tensor) -> Result<Tensor, TrainError> {
        let (items, classes) = (targets.dim(0)?, self.classes);
        if logits.dims() != [items, classes] {
            return Err(TrainError::Output {
                got: logits.dims().to_vec(),
                items,
                classes,
            });
        }
        let loss = cross_entropy(logits, targets)?;
        let weighted = loss
            .detach()
            .to_dtype(DType::F64)?
            .affine(items as f64, 0.0)?;
        self.loss_sum = (&self.loss_sum + weighted)?;
        self.outputs.push(logits.detach());
        Ok(loss)
    }

    /// Pulls it all; `indices` are those of the items that were added, in that order, and maybe more.
    pub(super) fn outcome(
        self,
        data: &LabelledTensors,
        mut indices: Vec<u32>,
        since: Instant,
    ) -> Result<Outcome, TrainError> {
        let logits = Tensor::cat(&self.outputs, 0)?;
        indices.truncate(logits.dim(0)?);
        let scores = softmax(&logits.to_dtype(DType::F32)?, 1)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let labels = indices
            .iter()
            .map(|&index| data.labels()[index as usize] as usize)
            .collect();
        let loss = pull(&self.loss_sum)? / indices.len() as f64;
        let time = since.elapsed();
        let indices = indices.into_iter().map(|index| index as usize).collect();
        // The lengths fit: one row of scores an item was checked at each batch.
        let predictions =
            Predictions::new(self.classes, labels, scores, indices).unwrap_or_default();
        let mut metrics = classification_metrics(&predictions);
        metrics.insert("loss".to_owned(), loss);
        Ok(Outcome {
            metrics,
            items: predictions.len(),
            predictions,
            time,
        })
    }
}
