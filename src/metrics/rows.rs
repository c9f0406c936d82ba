//! Samples of many classes as they came, and the rankings that they make.

use super::ranking::Side;
use super::{MulticlassBatch, Ranking, Undefined};

/// Labels and scores; all were checked.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    classes: usize,
    labels: Vec<u32>,
    /// Row-major, `classes` a label.
    scores: Vec<f64>,
    /// One a label, or none at all where each weighs 1.
    weights: Vec<f64>,
}

impl Rows {
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes,
            labels: Vec::new(),
            scores: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Takes samples that were checked.
    pub(super) fn push_checked(&mut self, batch: MulticlassBatch<'_>) {
        if let Some(weights) = batch.weights {
            self.weights.resize(self.labels.len(), 1.0);
            self.weights.extend_from_slice(weights);
        }
        // In range, and there are fewer than 2^32 classes: their matrix would not fit memory.
        let labels = batch.labels.iter().map(|&label| label as u32);
        self.labels.extend(labels);
        self.scores.extend_from_slice(batch.scores);
        self.weigh_all();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if !other.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
            self.weights.extend_from_slice(&other.weights);
        }
        self.labels.extend_from_slice(&other.labels);
        self.scores.extend_from_slice(&other.scores);
        self.weigh_all();
    }

    fn weigh_all(&mut self) {
        if !self.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
        }
    }

    /// Puts the score of row `row` on a side.
    fn put(&self, side: &mut Side, row: usize, score: f64) {
        match self.weights.get(row) {
            Some(&weight) => side.push_weighted(score, weight),
            None => side.push(score),
        }
    }

    /// The row, the label and the score of `class`, of all rows.
    fn column(&self, class: usize) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        assert!(class < self.classes, "there is no class {class}");
        let column = self.scores.iter().skip(class).step_by(self.classes);
        let rows = self.labels.iter().zip(column).enumerate();
        rows.map(|(row, (&label, &score))| (row, label as usize, score))
    }

    /// The scores of `class`, of the samples that are of it and of those that are not.
    pub(super) fn one_vs_rest(&self, class: usize) -> Ranking {
        let mut sides = [Side::default(), Side::default()];
        for (row, label, score) in self.column(class) {
            self.put(&mut sides[usize::from(label == class)], row, score);
        }
        let [negatives, positives] = sides;
        Ranking::of(positives, negatives)
    }

    /// All scores of all samples, those of the true classes being the positives.
    pub(super) fn all_in_one(&self) -> Ranking {
        let mut sides = [Side::default(), Side::default()];
        for (cell, &score) in self.scores.iter().enumerate() {
            let (row, class) = (cell / self.classes, cell % self.classes);
            let own = self.labels[row] as usize == class;
            self.put(&mut sides[usize::from(own)], row, score);
        }
        let [negatives, positives] = sides;
        Ranking::of(positives, negatives)
    }

    /// The area under the ROC curve of each of some classes (rows) against each other one, by the scores of the first;
    /// on the diagonal there is 0.
    pub(super) fn one_vs_one(&self, classes: &[usize]) -> Result<Vec<Vec<f64>>, Undefined> {
        let mut areas = Vec::with_capacity(classes.len());
        for &class in classes {
            let mut sides = vec![Side::default(); self.classes];
            for (row, label, score) in self.column(class) {
                self.put(&mut sides[label], row, score);
            }
            let own = std::mem::take(&mut sides[class]);
            let mut ranking = Ranking::of(own, Side::default());
            let mut row = Vec::with_capacity(classes.len());
            for &other in classes {
                if other == class {
                    row.push(0.0);
                    continue;
                }
                ranking.set_negatives(std::mem::take(&mut sides[other]));
                row.push(ranking.roc_auc()?);
            }
            areas.push(row);
        }
        Ok(areas)
    }
}
