//! The areas under the ROC curves of many classes, of rows that are there once: nothing is kept, and only what is of a
//! class is sorted.

use super::class_scores::mean;
use super::{Answer, Undefined};

/// The mean over the classes of the area under the ROC curve of each against the rest, of those that have one: bit for
/// bit that of [`MulticlassMetrics::roc_auc_ovr`](super::MulticlassMetrics::roc_auc_ovr), in a third of its time.
///
/// `scores` has a row a label, of `classes` numbers, none of them NaN; labels are below `classes`.
pub(crate) fn macro_roc_auc(classes: usize, labels: &[usize], scores: &[f32]) -> Answer {
    if labels.is_empty() {
        return Err(Undefined::NoSamples);
    }
    let rows = || labels.iter().zip(scores.chunks_exact(classes.max(1)));
    let mut own = vec![Vec::new(); classes];
    for (&label, scores) in rows() {
        own[label].push(scores[label]);
    }
    // Equal numbers of both signs, which are zeros, may stand in any order.
    own.iter_mut()
        .for_each(|own| own.sort_unstable_by(f32::total_cmp));
    let lowest: Vec<f32> = own
        .iter()
        .map(|own| own.first().copied().unwrap_or(f32::INFINITY))
        .collect();
    // Counted in half pairs: a row of another class adds 2 for each own score above its, and 1 for each that ties.
    let all: Vec<u64> = own.iter().map(|own| 2 * own.len() as u64).collect();
    let mut half_pairs = vec![0; classes];
    for (&label, scores) in rows() {
        let kept = half_pairs[label];
        let each = scores.iter().zip(&lowest).zip(&all).zip(&mut half_pairs);
        for (class, (((score, lowest), all), half_pairs)) in each.enumerate() {
            // So it mostly is where a model has learned something.
            *half_pairs += if score < lowest {
                *all
            } else {
                above(&own[class], *score)
            };
        }
        half_pairs[label] = kept;
    }
    let areas = own.iter().zip(half_pairs).filter_map(|(own, half_pairs)| {
        let pairs = own.len() as u128 * (labels.len() - own.len()) as u128;
        (pairs > 0).then(|| half_pairs as f64 / 2.0 / pairs as f64)
    });
    mean(areas).map_err(|_| Undefined::OneClass)
}

/// Twice how many of the sorted numbers are above one, and how many tie with it.
fn above(sorted: &[f32], score: f32) -> u64 {
    let below = sorted.partition_point(|it| *it < score);
    let ties = sorted[below..]
        .iter()
        .take_while(|it| **it == score)
        .count();
    (2 * (sorted.len() - below) - ties) as u64
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
