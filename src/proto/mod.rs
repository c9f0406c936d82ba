//! The messages of TensorBoard's log files, as far as its pages read them.
//!
//! The files beside this one are generated from `proto/*.proto` and checked in,
//! never edited: the test `generated_code_is_current` in `tests/proto.rs`
//! generates them again and compares. After a change of a schema,
//! `MODELPULSE_BLESS=1 cargo test --no-default-features --test proto` writes
//! them.
//!
//! Binary fields are [`Bytes`](prost::bytes::Bytes), which are cheap to clone;
//! maps are ordered, so that equal messages have equal encodings. A field that
//! no schema here declares is dropped when a message is read.
#![allow(
    clippy::large_enum_variant,
    reason = "the large kinds of value, tensors above all, are the common ones"
)]

/// Hyperparameters of an experiment and of its runs.
pub mod hparams;
/// Meshes and point clouds.
pub mod mesh;
/// Settings of the page of embeddings.
pub mod projector;
/// Everything else; the one package whose messages need no prefix.
mod tensorboard;
/// Values without a schema, as hyperparameters use them.
pub mod wkt;

pub use tensorboard::*;
