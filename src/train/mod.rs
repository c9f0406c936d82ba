//! Logging from a training loop: [`Session`] for any loop, [`Hook`] for a trainer's.
//!
//! One directory a session. Its runs `train` and `eval` count epochs, `batch` counts global steps;
//! two axes never meet in one run, since readers void a run's values by step when it resumes.

pub mod callbacks;
mod classification;
mod epoch;
mod hook;
mod kinds;
mod monitor;
mod schedule;
mod session;

#[cfg(feature = "candle")]
pub mod candle;

pub use classification::{classification_metrics, confusion_matrix};
pub use epoch::{Epoch, EpochReport, Means};
pub use hook::{
    BatchEnd, Control, EpochEnd, EpochStart, FitEnd, FitStart, Hook, HookError, Needs, NoTensors,
    Outcome, Predictions, Split, TensorVisitor, Tensors,
};
pub use monitor::{Mode, Monitor};
pub use schedule::{ReduceOnPlateau, Schedule, ScheduleError};
pub use session::{Instant, Run, Session, SessionBuilder};
