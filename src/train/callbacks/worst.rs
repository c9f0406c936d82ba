//! The examples that the model got most wrong, as a picture.
//!
//! Chosen in the loop, drawn off it. Most wrong is the one whose right class got the least probability.

use super::Pixels;
use crate::figure::{self, Tile};
use crate::train::predictions::argmax;
use crate::train::{Control, EpochEnd, Hook, HookError, Session, Split};

/// Draws, every epoch, the held-out examples that the model got most wrong, each with its label and
/// what the model said: `worst_examples` in the run `eval`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::{Pixels, WorstExamples};
/// let session = modelpulse::Session::create(dir.path())?;
/// let pixels = Pixels { pixels: vec![0; 64].into(), width: 8, height: 8, max_value: 16 };
/// let hook = WorstExamples::new(&session, pixels, vec!["cat".into(), "dog".into()]).count(4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WorstExamples {
    session: Session,
    eval: Pixels,
    class_names: Vec<String>,
    count: usize,
}

/// An example, what it is, what the model took it for, and how sure it was of either.
#[derive(Debug, Clone, PartialEq)]
struct Wrong {
    index: usize,
    label: usize,
    prediction: usize,
    score: f32,
    right_score: f32,
}

impl WorstExamples {
    /// Logs eight examples of the held-out images `eval` to `session`.
    pub fn new(session: &Session, eval: Pixels, class_names: Vec<String>) -> Self {
        Self {
            session: session.clone(),
            eval,
            class_names,
            count: 8,
        }
    }

    /// Logs `count` examples.
    pub fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    fn worst(&self, end: &EpochEnd<'_>) -> Vec<Wrong> {
        let wrong = |(index, label, scores): (usize, usize, &[f32])| {
            let prediction = argmax(scores);
            let (score, right_score) = (*scores.get(prediction)?, *scores.get(label)?);
            Some(Wrong {
                index,
                label,
                prediction,
                score,
                right_score,
            })
        };
        let mut all: Vec<Wrong> = end.eval.predictions.iter().filter_map(wrong).collect();
        // A NaN, of whatever sign, is as wrong as can be.
        let badness = |wrong: &Wrong| {
            if wrong.right_score.is_nan() {
                f32::NEG_INFINITY
            } else {
                wrong.right_score
            }
        };
        all.sort_by(|a, b| {
            badness(a)
                .total_cmp(&badness(b))
                .then(a.index.cmp(&b.index))
        });
        all.truncate(self.count);
        all
    }
}

impl Hook for WorstExamples {
    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        let worst = self.worst(end);
        if worst.is_empty() {
            return Ok(Control::Continue);
        }
        let (eval, names) = (self.eval.clone(), self.class_names.clone());
        let draw = move || {
            let name = |class: usize| super::class_name(&names, class);
            let size = eval.width * eval.height;
            let tile = |wrong: &Wrong| {
                Some(Tile {
                    pixels: eval
                        .pixels
                        .get(wrong.index * size..(wrong.index + 1) * size)?,
                    width: eval.width,
                    height: eval.height,
                    max_value: eval.max_value,
                    caption: format!(
                        "label {} ({:.2})\nsaid {} ({:.2})",
                        name(wrong.label),
                        wrong.right_score,
                        name(wrong.prediction),
                        wrong.score
                    ),
                })
            };
            let tiles: Vec<Tile<'_>> = worst.iter().filter_map(tile).collect();
            let picture = figure::captioned_grid(&tiles, 4)?;
            super::image_of(&picture)
        };
        self.session
            .run(Split::Eval.run())
            .log_with("worst_examples", end.epoch, draw);
        Ok(Control::Continue)
    }
}
