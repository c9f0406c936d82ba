//! Rank correlation of truths and predictions.
//!
//! Both are of ranks only, so neither the order of samples nor any monotone change of scale matters. Weights are not
//! taken: there is no one definition with them.

use super::radix::key;
use super::{Answer, Undefined};

/// Spearman's ρ: Pearson's correlation of the ranks, ties having their mean rank.
pub(super) fn spearman(a: &[f64], b: &[f64]) -> Answer {
    if a.len() < 2 {
        return Err(Undefined::TooFewSamples);
    }
    let (a, b) = (ranks(a), ranks(b));
    // Twice the ranks are whole numbers, and so is twice their mean.
    let mean = (a.len() + 1) as f64;
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let (spread_a, spread_b) = (sum(&a, &a), sum(&b, &b));
    if spread_a == 0.0 || spread_b == 0.0 {
        return Err(Undefined::Constant);
    }
    Ok(sum(&a, &b) / (spread_a.sqrt() * spread_b.sqrt()))
}

/// Twice the rank of each value from 1 up.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let keys: Vec<u64> = values.iter().map(|&value| key(value + 0.0)).collect();
    order.sort_unstable_by_key(|&i| keys[i]);
    let mut ranks = vec![0.0; values.len()];
    let mut first = 1;
    for ties in order.chunk_by(|&i, &j| keys[i] == keys[j]) {
        for &i in ties {
            ranks[i] = (2 * first + ties.len() - 1) as f64;
        }
        first += ties.len();
    }
    ranks
}

/// Kendall's τ-b in O(n log n): pairs out of order are counted while merging (W. R. Knight, 1966,
/// doi 10.1080/01621459.1966.10480879).
pub(super) fn kendall(a: &[f64], b: &[f64]) -> Answer {
    if a.len() < 2 {
        return Err(Undefined::TooFewSamples);
    }
    let keys = a.iter().zip(b).map(|(&a, &b)| (key(a + 0.0), key(b + 0.0)));
    let mut pairs: Vec<(u64, u64)> = keys.collect();
    pairs.sort_unstable();
    let ties_a = tied(pairs.chunk_by(|x, y| x.0 == y.0));
    let ties_both = tied(pairs.chunk_by(|x, y| x == y));
    let mut second: Vec<u64> = pairs.into_iter().map(|pair| pair.1).collect();
    let mut room = second.clone();
    let discordant = inversions(&mut second, &mut room);
    let ties_b = tied(second.chunk_by(|x, y| x == y));
    let n = a.len() as u128;
    let all = n * (n - 1) / 2;
    if ties_a == all || ties_b == all {
        return Err(Undefined::Constant);
    }
    let concordant = all + ties_both - ties_a - ties_b - discordant;
    let surplus = concordant as f64 - discordant as f64;
    Ok(surplus / (((all - ties_a) as f64).sqrt() * ((all - ties_b) as f64).sqrt()))
}

/// The number of pairs within chunks.
fn tied<'a, T: 'a>(chunks: impl Iterator<Item = &'a [T]>) -> u128 {
    let sizes = chunks.map(|chunk| chunk.len() as u128);
    sizes.map(|size| size * (size - 1) / 2).sum()
}

/// Sorts, and counts the pairs that were out of order.
fn inversions(values: &mut [u64], room: &mut [u64]) -> u128 {
    let half = values.len() / 2;
    if half == 0 {
        return 0;
    }
    let (left, right) = values.split_at_mut(half);
    let (left_room, right_room) = room.split_at_mut(half);
    let mut count = inversions(left, left_room) + inversions(right, right_room);
    let (mut i, mut j) = (0, 0);
    for place in room.iter_mut() {
        if j == right.len() || i < half && left[i] <= right[j] {
            *place = left[i];
            i += 1;
        } else {
            *place = right[j];
            j += 1;
            count += (half - i) as u128;
        }
    }
    values.copy_from_slice(room);
    count
}
