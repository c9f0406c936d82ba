//! The program from outside: what it prints, what it logs, and what TensorBoard makes of that.
//!
//! `tests/run` installs what the foreign readers need.
#![cfg(feature = "cli")]

mod bad_input;
mod determinism;
mod divergence;
mod fashion_mnist;
mod kill;
mod replay;
mod resume;
mod shown;
mod steering;
mod support;
mod tensorboard;
