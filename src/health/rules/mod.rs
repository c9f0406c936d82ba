//! Rules that become alerts: what must not be, for how long, and on which series.
//!
//! From a rule and events alone follows when its alerts change, in a live run and in a replay alike.

mod condition;
mod engine;
mod history;
mod instance;
mod machine;
mod rule;
mod series;
mod set;
mod span;
mod transition;

pub use condition::{Comparison, Condition, Measure, ParseConditionError};
pub use engine::{ALERTS, Alerts};
pub use machine::State;
pub use rule::{Clock, Rule, Severity, When};
pub use series::SeriesPattern;
pub use set::{RuleSet, RuleSetError};
pub use span::Span;
pub use transition::Transition;
