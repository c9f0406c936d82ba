//! The areas under the ROC curves of many classes, of rows that are there once: nothing is kept, and only what is out of
//! order is sorted.

use super::class_scores::mean;
use super::{Answer, Undefined};

/// The mean over the classes of the area under the ROC curve of each against the rest, of those that have one: bit for
/// bit that of [`MulticlassMetrics::roc_auc_ovr`](super::MulticlassMetrics::roc_auc_ovr), in a small part of its time.
///
/// `scores` has a row a label, of `classes` numbers, none of them NaN; labels are below `classes`.
pub(crate) fn macro_roc_auc(classes: usize, labels: &[usize], scores: &[f32]) -> Answer {
    if labels.is_empty() {
        return Err(Undefined::NoSamples);
    }
    let rows = || {
        labels
            .iter()
            .copied()
            .zip(scores.chunks_exact(classes.max(1)))
    };
    let mut counts = vec![0; classes];
    let mut lowest = vec![f32::INFINITY; classes];
    for (label, scores) in rows() {
        counts[label] += 1;
        lowest[label] = lowest[label].min(scores[label]);
    }
    // A class's score of a row of another class is in order where it is below all that the class gives its own rows. Once
    // a model has learned something nearly all are.
    let mut rivals = vec![Vec::new(); classes];
    let mut highest = vec![f32::NEG_INFINITY; classes];
    for (label, scores) in rows() {
        let not_below = scores
            .iter()
            .zip(&lowest)
            .map(|(score, lowest)| score >= lowest);
        // One is the row's own.
        if not_below.map(u32::from).sum::<u32>() == 1 {
            continue;
        }
        for (class, (&score, &lowest)) in scores.iter().zip(&lowest).enumerate() {
            if class != label && score >= lowest {
                rivals[class].push(score);
                highest[class] = highest[class].max(score);
            }
        }
    }
    let mut own = vec![Vec::new(); classes];
    for (label, scores) in rows() {
        if scores[label] <= highest[label] {
            own[label].push(scores[label]);
        }
    }
    let areas = own
        .iter_mut()
        .zip(&rivals)
        .zip(counts)
        .filter_map(|((own, rivals), count)| {
            // Equal numbers of both signs, which are zeros, may stand in any order.
            own.sort_unstable_by(f32::total_cmp);
            let pairs = count as u128 * (labels.len() - count) as u128;
            let lost: u64 = rivals.iter().map(|&rival| not_above(own, rival)).sum();
            let half_pairs = 2 * pairs - u128::from(lost);
            (pairs > 0).then(|| half_pairs as f64 / 2.0 / pairs as f64)
        });
    mean(areas).map_err(|_| Undefined::OneClass)
}

/// Twice how many of the sorted numbers are below one, and how many tie with it.
fn not_above(sorted: &[f32], score: f32) -> u64 {
    let below = sorted.partition_point(|it| *it < score);
    let ties = sorted[below..]
        .iter()
        .take_while(|it| **it == score)
        .count();
    (2 * below + ties) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;
    use crate::metrics::{Accumulator, Average, MulticlassBatch, MulticlassMetrics};

    #[test]
    fn it_is_what_the_accumulator_says() {
        let mut random = SplitMix::new(4);
        for (rows, classes, steps) in [
            (1, 3, 4),
            (2, 2, 4),
            (7, 3, 2),
            (500, 10, 8),
            (500, 4, 1 << 20),
        ] {
            let labels: Vec<usize> = (0..rows).map(|_| random.below(classes)).collect();
            let scores: Vec<f32> = (0..rows * classes)
                .map(|_| random.below(steps) as f32 / steps as f32)
                .collect();
            let wide: Vec<f64> = scores.iter().copied().map(f64::from).collect();
            let mut metrics = MulticlassMetrics::new(classes);
            metrics
                .update(MulticlassBatch::new(&labels, &wide))
                .unwrap();
            let expected = metrics.roc_auc_ovr(Average::Macro);
            assert_eq!(macro_roc_auc(classes, &labels, &scores), expected);
        }
        assert_eq!(macro_roc_auc(3, &[], &[]), Err(Undefined::NoSamples));
    }
}
