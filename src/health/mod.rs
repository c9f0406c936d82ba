//! Whether a model is healthy: rules over the events of a session, live or replayed.
//!
//! A rule decides from events alone, never from the clock, so an old log gives the same answers as the
//! live run did.

mod rules;

pub use rules::{
    ALERTS, Alerts, Clock, Comparison, Condition, Measure, ParseConditionError, Rule, RuleSet,
    RuleSetError, SeriesPattern, Severity, Span, State, Transition, Unexported, When, metric_of,
};
#[cfg(feature = "rules")]
pub use rules::{Mismatch, RuleFile, RuleFileError, Scenario};
