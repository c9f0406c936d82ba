//! Which alerts are on, for whoever is asked how the model is.
//!
//! It is told of transitions, and knows no rule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::health::{Severity, State, Transition};

/// The alerts that are on; cheap to clone, all clones show the same.
///
/// ```
/// use modelpulse::{flow::{Event, Sink}, health::{AlertBoard, Alerts, RuleSet}};
/// let board = AlertBoard::default();
/// let shown = board.clone();
/// let rules = RuleSet::new(vec!["eval/accuracy < 0.9".parse()?])?;
/// let mut alerts = Alerts::new(rules, move |transition| board.note(transition));
/// alerts.accept(&[Event::new("eval", "accuracy", 0, 1.0, 0.5)])?;
/// assert_eq!(shown.firing().len(), 1);
/// alerts.accept(&[Event::new("eval", "accuracy", 1, 2.0, 0.95)])?;
/// assert_eq!(shown.firing().len(), 0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct AlertBoard {
    on: Arc<Mutex<BTreeMap<(String, String), Transition>>>,
}

impl AlertBoard {
    /// Takes note of a change.
    pub fn note(&self, transition: &Transition) {
        // What an absence is ended by may be of another run than what it began as.
        let began = transition.began.as_deref().unwrap_or(transition);
        let path = began.run.path_of(began.tag.as_str());
        let key = (transition.rule.to_string(), path);
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if transition.to == State::Firing {
            on.insert(key, transition.clone());
        } else {
            on.remove(&key);
        }
    }

    /// The alerts that are firing, by rule and series.
    pub fn firing(&self) -> Vec<Transition> {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.values().cloned().collect()
    }

    /// Whether one of them is critical.
    pub fn is_critical(&self) -> bool {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.values()
            .any(|transition| transition.severity == Severity::Critical)
    }
}
