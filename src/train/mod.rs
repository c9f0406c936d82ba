//! Logging from a training loop: [`Session`] for any loop, [`Hook`] for one that a [`Loop`] or a trainer drives.
//!
//! One directory a session. Its runs `train` and `eval` count epochs, `batch` counts global steps;
//! two axes never meet in one run, since readers void a run's values by step when it resumes.

pub mod callbacks;
mod classification;
mod drive;
mod epoch;
mod evaluation;
mod hook;
mod kinds;
mod monitor;
mod phases;
mod predictions;
mod ranks;
mod schedule;
mod session;
mod state;
mod task;
mod task_metrics;
mod tensors;
mod trainee;

#[cfg(feature = "candle")]
pub mod candle;

pub use classification::{classification_metrics, confusion_matrix};
pub use drive::{Batch, HookFailure, Loop, LoopReport, OnError};
pub use epoch::{Epoch, EpochReport, Means};
pub use evaluation::Evaluation;
pub use hook::{
    AfterBackward, AfterLoss, AfterStep, BatchEnd, BatchStart, BeforeStep, CheckpointLoaded,
    CheckpointSaved, Control, EpochEnd, EpochStart, EvalBatch, EvalEnd, EvalStart, Exception,
    FitEnd, FitStart, Hook, HookError, Needs, Outcome, Split,
};
pub use monitor::{Mode, Monitor};
pub use phases::Phases;
pub use predictions::Predictions;
pub(crate) use predictions::argmax;
pub use ranks::Ranks;
pub use schedule::{ReduceOnPlateau, Schedule};
pub use session::{Instant, Run, Session, SessionBuilder};
pub use state::State;
pub use task::Task;
pub use task_metrics::task_metrics;
pub use tensors::{NoTensors, TensorVisitor, Tensors, Values};
pub use trainee::Trainee;
