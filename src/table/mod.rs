//! Tables of columns, from CSV, Parquet and JSON lines, a batch of rows at a time.
//!
//! Whatever the format, a value that is missing is null and a value that does not fit its column's kind is an error
//! with the place where it stands; nothing is coerced without a word. A table does not know what is computed on it.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("predictions.csv");
//! std::fs::write(&path, "label,score\n1,0.9\n0,\n")?;
//! use modelpulse::table::{Kind, Table, Values};
//!
//! let table = Table::open(&path)?;
//! assert_eq!(table.schema().kind("score"), Some(Kind::Float));
//! for batch in table.read(&["score"])? {
//!     let batch = batch?;
//!     let score = batch.column(0);
//!     assert!(matches!(score.values(), Values::Float(scores) if scores[0] == 0.9));
//!     assert!(score.is_null(1));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod bare;
mod builder;
mod cell;
mod column;
mod csv;
mod error;
mod infer;
mod json_lines;
pub(crate) mod lines;
#[cfg(feature = "parquet")]
mod parquet;
mod roles;
mod schema;
mod source;

#[cfg(feature = "evaluate")]
pub(crate) use cell::timestamp_text as time_text;
pub use column::{Batch, Column, Strings, Values};
pub use error::{Place, TableError};
pub use roles::{Role, Roles};
pub use schema::{Field, Kind, Schema};
pub use source::{Batches, Format, Options, Table};
