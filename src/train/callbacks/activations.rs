//! Units that answer nothing: which part of each layer is 0 for every held-out item.
//!
//! What a unit comes to is only compared with 0, batch by batch.

use std::collections::BTreeMap;

use crate::train::{
    Control, EpochEnd, EvalBatch, EvalStart, Hook, HookError, Needs, Session, Split,
};

/// Logs, every epoch, which part of the units of each layer that the model records was 0 for every held-out item, as
/// `dead_units/…`, to the run `eval`: dead ReLUs. A layer's units are its last dimension of two, the second
/// dimension of more (channels).
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::{Hook, Needs, callbacks::Activations};
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = Activations::new(&session).every(5);
/// assert!(hook.epoch_needs(10).has(Needs::ACTIVATIONS) && hook.epoch_needs(11) == Needs::NOTHING);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Activations {
    session: Session,
    every: usize,
    /// Of each layer, which units were anything but 0.
    alive: BTreeMap<String, Vec<bool>>,
}

impl Activations {
    /// Logs to `session`, every epoch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 1,
            alive: BTreeMap::new(),
        }
    }

    /// Logs every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs.max(1);
        self
    }
}

impl Hook for Activations {
    fn epoch_needs(&self, epoch: usize) -> Needs {
        super::every(self.every, epoch, Needs::ACTIVATIONS)
    }

    fn eval_start(&mut self, _: &EvalStart<'_>) -> Result<Control, HookError> {
        self.alive.clear();
        Ok(Control::Continue)
    }

    fn eval_batch(&mut self, at: &EvalBatch<'_>) -> Result<Control, HookError> {
        if !at.epoch.is_multiple_of(self.every) {
            return Ok(Control::Continue);
        }
        at.activations.visit(&mut |name, shape, values| {
            let &[_, units, ref rest @ ..] = shape else {
                return;
            };
            let size: usize = rest.iter().product();
            if units == 0 || size == 0 {
                return;
            }
            let alive = self.alive.entry(name.to_owned()).or_default();
            alive.resize(units, false);
            for (index, value) in values.iter().enumerate() {
                // A NaN is not 0.
                if value != 0.0 {
                    alive[index / size % units] = true;
                }
            }
        })?;
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let mut instant = self.session.instant();
        for (layer, alive) in std::mem::take(&mut self.alive) {
            let dead = alive.iter().filter(|&&alive| !alive).count();
            let share = dead as f64 / alive.len() as f64;
            let tag = format!("dead_units/{layer}");
            instant.scalar(Split::Eval.run(), &tag, at.epoch, share);
        }
        Ok(Control::Continue)
    }
}
