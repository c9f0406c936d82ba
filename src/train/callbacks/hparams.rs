//! The hyperparameters, once.
//!
//! A resumed fit does not log them again.

use crate::summary;
use crate::train::{Control, EpochStart, Hook, HookError, Session, State};

/// Logs the hyperparameters when the first epoch begins; the session's end says how it ended.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::summary::HParams;
/// use modelpulse::train::callbacks;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hparams = HParams::new().set("learning_rate", 0.003).metric("eval", "epoch_accuracy");
/// let hook = callbacks::HParams::new(&session, hparams);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct HParams {
    session: Session,
    hparams: summary::HParams,
    logged: bool,
}

impl HParams {
    /// Logs `hparams` to `session`.
    pub fn new(session: &Session, hparams: summary::HParams) -> Self {
        Self {
            session: session.clone(),
            hparams,
            logged: false,
        }
    }
}

impl Hook for HParams {
    fn state(&self) -> State {
        let mut state = State::new();
        state.set("logged", f64::from(self.logged));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.logged = state.number("logged") == Some(1.0);
        Ok(())
    }

    fn epoch_start(&mut self, _: &EpochStart<'_>) -> Result<Control, HookError> {
        if !std::mem::replace(&mut self.logged, true) {
            self.session.hparams(&self.hparams);
        }
        Ok(Control::Continue)
    }
}
