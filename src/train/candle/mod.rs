//! The trainer for candle models: drives hooks over any model that is a closure over tensors.
//!
//! One seed, one result: parameters, batches and their order come from it alone, so that series
//! outside `time/` and `resource/` are bit-identical from run to run, whatever the number of threads.
//!
//! On a CPU candle 0.11 counts the machine's cores at each matrix product, in a file of the system that grows with them,
//! unless the environment variable `RAYON_NUM_THREADS` says how many threads it takes. Set it where the products are
//! small.

mod checkpoint;
mod clip;
mod data;
mod error;
mod fit;
mod fitted;
mod gradients;
mod loss;
mod mlp;
mod optimizers;
mod parameters;
mod pass;
mod report;
mod tally;
mod tensors;
mod trainer;

pub use checkpoint::CheckpointInfo;
pub use clip::Clip;
pub use data::LabelledTensors;
pub use error::TrainError;
pub use gradients::Gradients;
pub use mlp::Mlp;
pub use optimizers::{AdamW, ResumableOptimizer, Sgd, SgdConfig};
pub use parameters::Parameters;
pub use pass::Pass;
pub use report::{EpochOutcome, FitReport};
pub use trainer::Trainer;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a generator is for; generators of one seed and different purposes are independent.
#[derive(Debug, Clone, Copy)]
enum Purpose<'a> {
    /// The first values of the parameter of this name.
    Parameter(&'a str),
    /// The order of the data in this epoch.
    Order { epoch: usize },
}

/// A generator whose numbers are the same on every machine and in every version of its crate.
fn generator(seed: u64, purpose: Purpose<'_>) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(match purpose {
        Purpose::Parameter(name) => u64::from(crate::record::crc32c(name.as_bytes())),
        Purpose::Order { epoch } => 1 << 63 | epoch as u64,
    });
    generator
}
