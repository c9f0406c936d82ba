//! What a model said of each item of a split, and what was right.
//!
//! The lengths fit together, or there are no predictions.

/// What a model said of each item of a split, and what was right.
///
/// ```
/// use modelpulse::train::Predictions;
/// let classes = Predictions::new(2, vec![1], vec![0.3, 0.7], vec![0]).unwrap();
/// assert_eq!(classes.iter().next(), Some((0, 1, &[0.3, 0.7][..])));
/// let numbers = Predictions::numbers(1, vec![2.5], vec![2.25], vec![0]).unwrap();
/// assert_eq!(numbers.rows().next(), Some((0, &[2.5][..], &[2.25][..])));
/// assert_eq!((numbers.classes(), numbers.len()), (0, 1));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    width: usize,
    targets: Targets,
    outputs: Vec<f32>,
    indices: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq)]
enum Targets {
    Classes(Vec<usize>),
    Numbers(Vec<f32>),
}

impl Default for Targets {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

impl Predictions {
    /// Of a classifier: `labels` holds the right class of each item, `scores` one row of `classes`
    /// probabilities for each, `indices` which item of the split it is. `None` unless the lengths fit together.
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
            width: classes,
            targets: Targets::Classes(labels),
            outputs: scores,
            indices,
        })
    }

    /// Of a model that gives `width` numbers an item: `targets` holds a row of those that were right,
    /// `outputs` a row of those that the model said, `indices` which item of the split it is. For several
    /// labels an item the numbers are 0 or 1, and probabilities. `None` unless the lengths fit together.
    pub fn numbers(
        width: usize,
        targets: Vec<f32>,
        outputs: Vec<f32>,
        indices: Vec<usize>,
    ) -> Option<Self> {
        let count = indices.len().checked_mul(width)?;
        let fits = width > 0 && targets.len() == count && outputs.len() == count;
        fits.then_some(Self {
            width,
            targets: Targets::Numbers(targets),
            outputs,
            indices,
        })
    }

    /// The number of classes; 0 for predictions that are no classifier's.
    pub fn classes(&self) -> usize {
        match self.targets {
            Targets::Classes(_) => self.width,
            Targets::Numbers(_) => 0,
        }
    }

    /// How many numbers the model gave for each item.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The right class of each item; none if they are no classifier's.
    pub(super) fn labels(&self) -> &[usize] {
        match &self.targets {
            Targets::Classes(labels) => labels,
            Targets::Numbers(_) => &[],
        }
    }

    /// What the model said, one row behind the other.
    pub(super) fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// Index in the split, right class and probabilities of each item; nothing if they are no classifier's.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        let rows = self.outputs.chunks_exact(self.width.max(1));
        let items = self.indices.iter().zip(self.labels()).zip(rows);
        items.map(|((&index, &label), scores)| (index, label, scores))
    }

    /// Index in the split, what was right and what the model said of each item; nothing if they are a
    /// classifier's.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &[f32], &[f32])> {
        let targets: &[f32] = match &self.targets {
            Targets::Classes(_) => &[],
            Targets::Numbers(targets) => targets,
        };
        let width = self.width.max(1);
        let rows = targets
            .chunks_exact(width)
            .zip(self.outputs.chunks_exact(width));
        let items = self.indices.iter().zip(rows);
        items.map(|(&index, (targets, outputs))| (index, targets, outputs))
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
