//! How good predictions are: a table of labels and scores, measured by all metrics of its task.
//!
//! Rows stream through in batches. What each column is for and what the model does is found out, save where it is said;
//! a row that cannot be measured is an error or is counted, never dropped without a word.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("predictions.csv");
//! std::fs::write(&path, "country,label,score\nde,1,0.9\nde,0,0.2\nfr,1,0.4\nfr,0,0.1\n")?;
//! use modelpulse::health::evaluation::{Evaluator, Task};
//!
//! let evaluation = Evaluator::new().slices(["country"], 1).evaluate(&path)?;
//! assert_eq!(evaluation.task, Task::Binary);
//! assert_eq!(evaluation.metric("accuracy"), Some(Ok(0.75)));
//! assert_eq!(evaluation.slices.unwrap().worst[0].name(), "country = fr");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod category;
mod columns;
mod compare;
mod curves;
mod dimension;
mod error;
mod evaluator;
mod intervals;
mod label_errors;
mod log;
mod measure;
mod outcome;
pub mod page;
mod plan;
mod progress;
mod rows;
mod slicing;
mod task;

pub use compare::{Comparison, MetricChange, PairedTest};
pub use curves::{Charts, Curve, Scatter, ScoreHistogram};
pub use error::EvaluationError;
pub use evaluator::Evaluator;
pub use label_errors::{LabelError, LabelErrors};
pub use outcome::{ClassOutcome, Evaluation, lower_is_better};
pub use plan::Plan;
pub use progress::Progress;
pub use rows::RowCounts;
pub use slicing::{SliceOutcome, SlicesOutcome};
pub use task::Task;
