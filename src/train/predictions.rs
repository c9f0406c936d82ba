//! What a model said of each item of a split, and what was right.
//!
//! The lengths fit together, or there are no predictions.

/// What a classifier said of each item of a split, and what was right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    classes: usize,
    labels: Vec<usize>,
    scores: Vec<f32>,
    indices: Vec<usize>,
}

impl Predictions {
    /// `labels` holds the right class of each item, `scores` one row of `classes` probabilities for
    /// each, `indices` which item of the split it is. `None` unless the lengths fit together.
    pub fn new(
        classes: usize,
        labels: Vec<usize>,
        scores: Vec<f32>,
        indices: Vec<usize>,
    ) -> Option<Self> {
        let fits = classes > 0
            && scores.len() == labels.len().checked_mul(classes)?
            && indices.len() == labels.len();
        fits.then_some(Self {
            classes,
            labels,
            scores,
            indices,
        })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Index in the split, right class and probabilities of each item.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        let rows = self.scores.chunks_exact(self.classes);
        self.indices
            .iter()
            .zip(&self.labels)
            .zip(rows)
            .map(|((&index, &label), scores)| (index, label, scores))
    }
}

/// The class with the highest score; the first of several; NaN never wins, except where all are NaN.
pub(crate) fn argmax(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] || (scores[best].is_nan() && !score.is_nan()) {
            best = class;
        }
    }
    best
}
