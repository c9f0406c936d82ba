//! What the model makes of a sample of inputs, for TensorBoard's projector.
//!
//! The layers are read during the evaluation, so it costs no other pass through the model.

use super::Pixels;
use crate::log::Embedding;
use crate::train::{
    Control, EpochEnd, EvalBatch, EvalStart, FitStart, Hook, HookError, Needs, Session, Split,
};

/// Writes an embedding of a sample of the held-out items, each with its label and what the model said: what a
/// layer came to on each, or the scores of the classes where the model records no layer. Every 5th epoch and at
/// the last one planned, to the directory of the run `eval`; a later one takes the place of the one before.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::{Pixels, Projector};
/// let session = modelpulse::Session::create(dir.path())?;
/// let pixels = Pixels { pixels: vec![0; 64].into(), width: 8, height: 8, max_value: 16 };
/// let hook = Projector::new(&session).layer("hidden").labels(vec!["cat".into()]).pictures(pixels);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Projector {
    session: Session,
    layer: Option<String>,
    class_names: Vec<String>,
    pictures: Option<Pixels>,
    sample: usize,
    every: usize,
    epochs: usize,
    /// Name of the layer, its width, and what it came to, of the items from 0 on.
    rows: Option<(String, usize, Vec<f32>)>,
}

impl Projector {
    /// Writes the last layer that the model records, of the first 1000 held-out items.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            layer: None,
            class_names: Vec::new(),
            pictures: None,
            sample: 1000,
            every: 5,
            epochs: 0,
            rows: None,
        }
    }

    /// Writes the layer of this name.
    pub fn layer(mut self, name: impl Into<String>) -> Self {
        self.layer = Some(name.into());
        self
    }

    /// The names of the classes; a class without one bears its number.
    pub fn labels(mut self, class_names: Vec<String>) -> Self {
        self.class_names = class_names;
        self
    }

    /// The held-out images, in the order of the split: each point shows its own.
    pub fn pictures(mut self, eval: Pixels) -> Self {
        self.pictures = Some(eval);
        self
    }

    /// How many items, from the first on.
    pub fn sample(mut self, items: usize) -> Self {
        self.sample = items.max(1);
        self
    }

    /// Writes every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs.max(1);
        self
    }

    fn due(&self, epoch: usize) -> bool {
        let ended = epoch + 1;
        ended.is_multiple_of(self.every) || ended == self.epochs
    }

    fn take(&mut self, name: String, width: usize, values: &[f32]) {
        let (_, _, rows) = match &mut self.rows {
            Some(kept) if kept.0 == name && kept.1 == width => kept,
            kept => kept.insert((name, width, Vec::new())),
        };
        let left = (self.sample * width).saturating_sub(rows.len());
        rows.extend(values.iter().take(left));
    }

    fn write(&self, at: &EpochEnd<'_>) -> Result<(), HookError> {
        let predictions = &at.eval.predictions;
        let (name, width, rows) = match &self.rows {
            Some((name, width, rows)) => (name.clone(), *width, rows.clone()),
            None => {
                let scores = predictions.iter().take(self.sample);
                let scores = scores.flat_map(|(_, _, scores)| scores.to_vec()).collect();
                ("scores".to_owned(), predictions.classes(), scores)
            }
        };
        if rows.is_empty() || width == 0 {
            return Ok(());
        }
        let points = rows.len() / width;
        let mut embedding = Embedding::new(name, width, &rows)?;
        // The held-out items are in the order of the split.
        if predictions.len() >= points {
            let name = |class: usize| super::class_name(&self.class_names, class);
            let said = |scores: &[f32]| crate::train::predictions::argmax(scores);
            let items = || predictions.iter().take(points);
            embedding = embedding
                .column("label", items().map(|(_, label, _)| name(label)))?
                .column("said", items().map(|(_, _, scores)| name(said(scores))))?;
        }
        if let Some(pictures) = &self.pictures
            && let Some(bytes) = pictures.bytes(points)
        {
            let size = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
            let (width, height) = (size(pictures.width), size(pictures.height));
            embedding = embedding.grey_thumbnails(width, height, &bytes)?;
        }
        Ok(self.session.run(Split::Eval.run()).embedding(&embedding)?)
    }
}

impl Hook for Projector {
    fn epoch_needs(&self, epoch: usize) -> Needs {
        match self.due(epoch) {
            true => Needs::ACTIVATIONS,
            false => Needs::NOTHING,
        }
    }

    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        self.epochs = at.epochs;
        Ok(Control::Continue)
    }

    fn eval_start(&mut self, _: &EvalStart<'_>) -> Result<Control, HookError> {
        self.rows = None;
        Ok(Control::Continue)
    }

    fn eval_batch(&mut self, at: &EvalBatch<'_>) -> Result<Control, HookError> {
        if !self.due(at.epoch) || at.first >= self.sample {
            return Ok(Control::Continue);
        }
        let mut last: Option<(String, usize, Vec<f32>)> = None;
        at.activations.visit(&mut |name, shape, values| {
            let wanted = self.layer.as_ref().is_none_or(|layer| layer == name);
            if wanted && shape.first() == Some(&at.items) && at.items > 0 {
                let width = values.len() / at.items;
                let values = values.iter().map(|value| value as f32).collect();
                last = Some((name.to_owned(), width, values));
            }
        })?;
        match (last, &self.layer) {
            (Some((name, width, values)), _) => self.take(name, width, &values),
            (None, Some(layer)) => {
                return Err(
                    format!("the model records no layer '{layer}' with a row an item").into(),
                );
            }
            (None, None) => {}
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if self.due(at.epoch) {
            self.write(at)?;
        }
        Ok(Control::Continue)
    }
}
