//! Rules that become alerts: what must not be, for how long, and on which series.
//!
//! From a rule and events alone follows when its alerts change, in a live run and in a replay alike.

mod condition;
mod engine;
#[cfg(feature = "rules")]
mod file;
mod history;
mod instance;
mod machine;
mod promql;
mod rule;
#[cfg(feature = "rules")]
mod scenario;
mod session;
mod set;
mod span;
mod story;
mod transition;

pub use crate::flow::SeriesPattern;
pub use condition::{Comparison, Condition, Measure, ParseConditionError};
pub use engine::Alerts;
#[cfg(feature = "rules")]
pub use file::{Notify, RuleFile, RuleFileError};
pub use machine::State;
pub(in crate::health) use promql::drift_metric;
pub use promql::{Unexported, metric_of};
pub use rule::{Clock, Rule, Severity, When};
#[cfg(feature = "rules")]
pub use scenario::{Mismatch, Scenario};
pub use set::{RuleSet, RuleSetError};
pub use span::Span;
pub use story::ALERTS;
pub use transition::Transition;
