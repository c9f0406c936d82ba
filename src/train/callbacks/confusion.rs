//! The confusion matrix as a picture.
//!
//! Counted in the loop, drawn off it.

use crate::figure;
use crate::train::classification::confusion_matrix;
use crate::train::{Control, EpochEnd, Hook, HookError, Session, Split};

/// Draws, every epoch, the confusion matrix of the held-out split: `confusion_matrix` in the run `eval`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::ConfusionMatrices;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = ConfusionMatrices::new(&session, vec!["cat".into(), "dog".into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ConfusionMatrices {
    session: Session,
    class_names: Vec<String>,
}

impl ConfusionMatrices {
    /// Logs to `session`, with one name a class.
    pub fn new(session: &Session, class_names: Vec<String>) -> Self {
        Self {
            session: session.clone(),
            class_names,
        }
    }
}

impl Hook for ConfusionMatrices {
    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        if !end.eval.predictions.is_empty() {
            let matrix = confusion_matrix(&end.eval.predictions);
            let names = self.class_names.clone();
            self.session.run(Split::Eval.run()).log_with(
                "confusion_matrix",
                end.epoch,
                move || {
                    let picture = figure::confusion_matrix(&matrix, &names)?;
                    super::image_of(&picture)
                },
            );
        }
        Ok(Control::Continue)
    }
}
