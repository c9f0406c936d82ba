//! Tables or [profiles](crate::drift::profile) compared, column by column: what has drifted, how well the model will do,
//! and a report of it.
//!
//! Two tables are compared value by value; once one side is a profile, so is the other.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let (old, new) = (dir.path().join("old.csv"), dir.path().join("new.csv"));
//! use modelpulse::drift::verdict::Verdict;
//! use modelpulse::health::drift_report::{DriftCheck, page};
//!
//! let table = |shift: i32| -> String {
//!     let rows = (0..200).map(|i| format!("{},{}\n", i * 7919 % 200 + shift, ["fr", "de"][i as usize % 2]));
//!     "age,country\n".to_owned() + &rows.collect::<String>()
//! };
//! std::fs::write(&old, table(0))?;
//! std::fs::write(&new, table(40))?;
//! let report = DriftCheck::new().compare(&old, &new)?;
//! assert_eq!(report.verdict(), Verdict::Drift);
//! assert_eq!(report.drifted().map(|column| column.name()).collect::<Vec<_>>(), ["age"]);
//! assert!(page::html(&report).contains("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod column;
mod compat;
mod error;
mod histogram;
mod load;
mod log;
pub mod page;
mod performance;
mod report;
mod side;

pub use check::{DriftCheck, Progress};
pub use compat::{Compat, CompatScore};
pub use error::DriftReportError;
pub use histogram::{Bins, Histogram};
pub use performance::{ChunkPerformance, Performance};
pub use report::{Column, Quality, Report, Summary};
