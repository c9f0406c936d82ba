//! What a split comes to over its batches.
//!
//! Sums and outputs stay on the device, detached from the graph, and are pulled once, at the end.

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};

use super::loss::{pull, scores};
use super::{LabelledTensors, TrainError};
use crate::train::{Outcome, Predictions, Task, task_metrics};

/// What a split has come to so far, on the device.
#[derive(Debug)]
pub(super) struct Tally {
    task: Task,
    loss_sum: Tensor,
    outputs: Vec<Tensor>,
    since: Instant,
}

impl Tally {
    pub(super) fn new(task: Task, device: &Device) -> Result<Self> {
        Ok(Self {
            task,
            loss_sum: Tensor::zeros((), DType::F64, device)?,
            outputs: Vec::new(),
            since: Instant::now(),
        })
    }

    /// Adds a batch: its outputs, one row an item, and its mean loss.
    pub(super) fn add(&mut self, outputs: &Tensor, loss: &Tensor) -> Result<()> {
        let items = outputs.dim(0)?;
        let weighted = loss
            .detach()
            .to_dtype(DType::F64)?
            .affine(items as f64, 0.0)?;
        self.loss_sum = (&self.loss_sum + weighted)?;
        self.outputs.push(outputs.detach());
        Ok(())
    }

    /// Pulls it all; `indices` are those of the items that were added, in that order, and maybe more.
    pub(super) fn outcome(
        self,
        data: &LabelledTensors,
        mut indices: Vec<u32>,
    ) -> std::result::Result<Outcome, TrainError> {
        let task = self.task;
        let outputs = Tensor::cat(&self.outputs, 0)?;
        let items = outputs.dim(0)?;
        indices.truncate(items);
        let scores = scores(task, &outputs)?;
        let loss = pull(&self.loss_sum)? / items as f64;
        let time = self.since.elapsed();
        let items_of_split = indices.iter().map(|&index| index as usize).collect();
        // The lengths fit: each batch was checked, and the data before.
        let predictions = match task.classes() {
            Some(classes) => {
                let labels = data.labels();
                let label = |&index: &u32| labels.get(index as usize).map(|&label| label as usize);
                let labels = indices.iter().filter_map(label).collect();
                Predictions::new(classes, labels, scores, items_of_split)
            }
            None => {
                let targets = data.numbers(&indices)?;
                Predictions::numbers(task.outputs(), targets, scores, items_of_split)
            }
        };
        let predictions = predictions.unwrap_or_default();
        let mut metrics = task_metrics(task, &predictions);
        metrics.insert("loss".to_owned(), loss);
        Ok(Outcome {
            metrics,
            items,
            predictions,
            time,
        })
    }

    /// What a checkpoint within an epoch keeps.
    pub(super) fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        Ok(BTreeMap::from([
            ("loss_sum".to_owned(), self.loss_sum.clone()),
            ("outputs".to_owned(), Tensor::cat(&self.outputs, 0)?),
        ]))
    }

    /// Goes on from what a checkpoint kept.
    pub(super) fn restore(
        &mut self,
        state: &BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<()> {
        let (Some(loss_sum), Some(outputs)) = (state.get("loss_sum"), state.get("outputs")) else {
            candle_core::bail!("the checkpoint does not say what its epoch had come to");
        };
        self.loss_sum = loss_sum.to_device(device)?;
        self.outputs = vec![outputs.to_device(device)?];
        Ok(())
    }
}
