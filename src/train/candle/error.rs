//! Why a fit could not begin or go on.

use std::path::PathBuf;

use crate::train::{HookError, HookFailure, Split};

/// Why a fit could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A hook failed, and that was to [end](crate::train::OnError::Abort) the fit.
    #[error(transparent)]
    Hook(#[from] HookFailure),
    /// candle failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// The checkpoint to resume from could not be read, or is of another model.
    #[error("cannot resume from {}: {source}", path.display())]
    Resume {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        source: HookError,
    },
    /// A setting that cannot be: 0 epochs, batches of 0 items.
    #[error("{setting} must be at least 1")]
    Setting {
        /// Which.
        setting: &'static str,
    },
    /// A split without items.
    #[error("the {} split has no items", split.run())]
    Empty {
        /// Which split.
        split: Split,
    },
    /// A label that the model has no class for.
    #[error("item {item} of the {} split has label {label}; the model has {classes} classes, counted from 0", split.run())]
    Label {
        /// Which split.
        split: Split,
        /// Which item, counted from 0.
        item: usize,
        /// Its label.
        label: u32,
        /// The model's classes.
        classes: usize,
    },
    /// Targets that are not what the task learns.
    #[error("the targets of the {} split are {got}, the task needs {expected}", split.run())]
    Targets {
        /// Which split.
        split: Split,
        /// What the targets are.
        got: String,
        /// What they have to be.
        expected: String,
    },
    /// The model's output does not have one row an item, of as many numbers as the task has.
    #[error("the model's output has shape {got:?}, expected [{items}, {outputs}]")]
    Output {
        /// The output's shape.
        got: Vec<usize>,
        /// Items of the batch.
        items: usize,
        /// Numbers an item.
        outputs: usize,
    },
}
