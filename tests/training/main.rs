//! Training from outside: formulas beside PyTorch's numbers, and what real trainings log, as TensorBoard reads
//! it.
//!
//! `tests/run` installs what the foreign reader needs.
#![cfg(feature = "candle")]

mod formulas;

#[cfg(feature = "cli")]
mod callbacks;
#[cfg(feature = "cli")]
mod findings;
#[cfg(feature = "cli")]
mod nan;
#[cfg(feature = "cli")]
mod read;
#[cfg(feature = "cli")]
mod steering;
