//! Training from outside: formulas beside PyTorch's numbers, hooks along whole fits, checkpoints, and what real
//! trainings log, as TensorBoard reads it.
//!
//! `tests/run` installs what the foreign reader needs.
#![cfg(feature = "candle")]

mod failing;
mod formulas;
mod resume;
mod support;
mod tasks;
mod trace;

#[path = "../built/mod.rs"]
#[cfg(feature = "cli")]
mod built;
#[cfg(feature = "cli")]
mod callbacks;
#[cfg(feature = "cli")]
mod doctor;
#[cfg(feature = "cli")]
mod examples;
#[cfg(feature = "cli")]
mod findings;
#[cfg(feature = "cli")]
mod nan;
#[cfg(feature = "cli")]
mod read;
#[cfg(feature = "cli")]
mod starving;
#[cfg(feature = "cli")]
mod steering;
