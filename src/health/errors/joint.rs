//! How labels and classes are confused, as far as a model is confident, and the rows that this gives away.
//!
//! Everything is a count of whole rows, so the answer does not depend on the order of rows but for ties.

use super::Labelled;
use super::mislabeled::CLOSE;
use super::rounding::preserving_sum;

/// How many rows of each label (row of the matrix) are truly of each class (column), as far as a model is confident.
///
/// A row is counted for the class whose probability reaches its threshold: the mean probability of that class over the
/// rows that are labelled with it. Of several, the likeliest counts; a row that reaches none is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfidentJoint {
    /// What was counted, but at least 1 on the diagonal.
    pub counted: Vec<Vec<u64>>,
    /// The counts brought to the number of rows with each label.
    pub calibrated: Vec<Vec<u64>>,
    /// The rows that are counted off the diagonal.
    pub off_diagonal: Vec<usize>,
}

impl Labelled<'_> {
    /// How labels and classes are confused, as far as the model is confident.
    #[must_use]
    pub fn confident_joint(&self) -> ConfidentJoint {
        let classes = self.scores.classes();
        let thresholds = self.thresholds();
        let mut counted = vec![vec![0; classes]; classes];
        let mut off_diagonal = Vec::new();
        for (row, &label) in self.labels.iter().enumerate() {
            let reached =
                |&class: &usize| self.scores.probability(row, class) >= thresholds[class] - CLOSE;
            let mut confident = (0..classes).filter(reached);
            let class = match (confident.next(), confident.next()) {
                (None, _) => continue,
                (Some(only), None) => only,
                _ => self.scores.likeliest(row, label, 0.0),
            };
            counted[label][class] += 1;
            if class != label {
                off_diagonal.push(row);
            }
        }
        for (class, row) in counted.iter_mut().enumerate() {
            row[class] = row[class].max(1);
        }
        let calibrated = self.calibrated(&counted);
        ConfidentJoint {
            counted,
            calibrated,
            off_diagonal,
        }
    }

    /// Of each class the mean probability over the rows labelled with it; out of reach without such rows.
    fn thresholds(&self) -> Vec<f64> {
        let classes = self.scores.classes();
        let (mut sums, mut counts) = (vec![0.0; classes], vec![0u64; classes]);
        for (row, &label) in self.labels.iter().enumerate() {
            sums[label] += self.scores.probability(row, label);
            counts[label] += 1;
        }
        let means = sums.iter().zip(&counts).map(|(sum, &count)| match count {
            0 => 2.0,
            count => (sum / count as f64).max(2.0 * CLOSE),
        });
        means.collect()
    }

    fn label_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.scores.classes()];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// Counts brought to as many rows as each label has.
    fn calibrated(&self, counted: &[Vec<u64>]) -> Vec<Vec<u64>> {
        let labels = self.label_counts();
        let mut scaled: Vec<Vec<f64>> = counted
            .iter()
            .zip(&labels)
            .map(|(row, &label)| {
                let sum = row.iter().sum::<u64>().max(1) as f64;
                row.iter()
                    .map(|&count| count as f64 / sum * label as f64)
                    .collect()
            })
            .collect();
        let all: f64 = scaled.iter().flatten().sum();
        for cell in scaled.iter_mut().flatten() {
            *cell = *cell / all.max(f64::MIN_POSITIVE) * self.labels.len() as f64;
        }
        let whole = scaled.iter().map(|row| preserving_sum(row));
        whole
            .map(|row| row.into_iter().map(|cell| cell.max(0) as u64).collect())
            .collect()
    }

    /// Of each label (row) and each class (column), how many rows may be taken for wrong: the joint, but at least one row
    /// of each class is right.
    fn prunable(&self) -> Vec<Vec<u64>> {
        let mut counts = self.confident_joint().calibrated;
        for (label, row) in counts.iter_mut().enumerate() {
            if row[label] > 0 {
                continue;
            }
            // The one that is right is taken evenly from what is not.
            let wrong = row.iter().filter(|&&count| count > 0).count();
            let less = 1.0 / (wrong.max(2) - 1) as f64;
            for count in &mut *row {
                *count = (*count as f64 - less).max(0.0) as u64;
            }
            row[label] = 1;
        }
        counts
    }

    fn rows_by_label(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.scores.classes()];
        for (row, &label) in self.labels.iter().enumerate() {
            rows[label].push(row);
        }
        rows
    }

    /// Of each label and other class, the rows where the class's probability is furthest above the label's.
    pub(super) fn widest_margins(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for ((label, rows), counts) in self.rows_by_label().iter().enumerate().zip(self.prunable())
        {
            for (class, count) in counts.into_iter().enumerate() {
                // The last row of a label stays.
                if class == label || count == 0 || rows.len() < 2 {
                    continue;
                }
                let margin = |row: usize| {
                    self.scores.probability(row, label) - self.scores.probability(row, class)
                };
                found.extend(lowest(rows, count as usize, margin));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Of each label, the rows with the lowest probability of it.
    pub(super) fn lowest_confidences(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for ((label, rows), counts) in self.rows_by_label().iter().enumerate().zip(self.prunable())
        {
            let wrong = (rows.len() as u64).saturating_sub(counts[label]) as usize;
            if wrong > 0 && rows.len() > 1 {
                found.extend(lowest(rows, wrong, |row| {
                    self.scores.probability(row, label)
                }));
            }
        }
        found.sort_unstable();
        found
    }
}

/// The `count` rows with the lowest values, the first of equal ones.
fn lowest(rows: &[usize], count: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut valued: Vec<(f64, usize)> = rows.iter().map(|&row| (value(row), row)).collect();
    let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if count < valued.len() {
        valued.select_nth_unstable_by(count, order);
        valued.truncate(count);
    }
    valued.into_iter().map(|(_, row)| row).collect()
}
