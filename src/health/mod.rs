//! Whether a model is healthy: rules over the events of a session, live or replayed.
//!
//! A rule decides from the event alone, never from the clock, so an old log gives the same answers
//! as the live run did.

mod rule;
mod watch;

pub use rule::{Breach, ParseRuleError, Rule};
pub use watch::Watch;
