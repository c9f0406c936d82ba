//! What observations tell on, to whoever listens: each new observation, and each label that meets one.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::FeatureRow;

/// Something new of an observation.
///
/// ```
/// use modelpulse::{health::{Heard, Observations}, train::Task};
/// let live = Observations::new(Task::Binary);
/// let (sender, told) = std::sync::mpsc::channel();
/// live.listen(move |heard| {
///     if let Heard::Labelled { id, label, .. } = heard {
///         let _ = sender.send(((*id).to_owned(), *label));
///     }
/// });
/// live.observe("a", vec![0.9])?;
/// live.label("a", 1.0)?;
/// assert_eq!(told.try_recv()?, ("a".to_owned(), 1.0));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// An observation.
    Observed {
        /// Its id.
        id: &'a str,
        /// What the model said.
        outputs: &'a [f32],
        /// What it was asked, where that is known.
        features: Option<&'a FeatureRow>,
    },
    /// The first label of an observation.
    Labelled {
        /// The observation's id.
        id: &'a str,
        /// What the model had said.
        outputs: &'a [f32],
        /// What is right.
        label: f32,
    },
}

type Listener = Box<dyn FnMut(&Heard<'_>) + Send>;

/// Those who listen.
#[derive(Clone, Default)]
pub(super) struct Listeners(Arc<Mutex<Vec<Listener>>>);

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listeners")
    }
}

impl Listeners {
    pub(super) fn add(&self, listener: Listener) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(listener);
    }

    pub(super) fn tell(&self, heard: &Heard<'_>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for listener in all.iter_mut() {
            listener(heard);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.is_empty()
    }
}
