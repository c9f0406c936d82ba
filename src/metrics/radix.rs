//! Sorting scores.
//!
//! Scores have no NaN and no -0.0 here; then the order of their keys, unsigned integers, is the order of the numbers.

/// Below this many, a comparison sort is faster.
const FEW: usize = 1 << 11;
const BITS: u32 = 11;
const BUCKETS: usize = 1 << BITS;
const PASSES: usize = 6;

/// The integer whose order among such is that of the number.
pub(crate) fn key(score: f64) -> u64 {
    let bits = score.to_bits();
    bits ^ ((bits as i64 >> 63) as u64 | 1 << 63)
}

/// The number of a key.
pub(crate) fn number(key: u64) -> f64 {
    f64::from_bits(key ^ (((!key) as i64 >> 63) as u64 | 1 << 63))
}

/// The keys of the numbers, sorted: least significant digit first, leaving out digits in which all agree.
pub(crate) fn sorted_keys(numbers: impl Iterator<Item = f64>) -> Vec<u64> {
    // As many as there can be: some may be left out, which the lower bound knows nothing of.
    let mut keys = Vec::with_capacity(numbers.size_hint().1.unwrap_or(0));
    keys.extend(numbers.map(key));
    sorted(keys)
}

fn sorted(mut keys: Vec<u64>) -> Vec<u64> {
    if keys.len() < FEW {
        keys.sort_unstable();
        return keys;
    }
    let digit = |key: u64, pass: usize| (key >> (BITS * pass as u32)) as usize & (BUCKETS - 1);
    let mut counts = vec![[0usize; BUCKETS]; PASSES];
    for &key in &keys {
        for (pass, counts) in counts.iter_mut().enumerate() {
            counts[digit(key, pass)] += 1;
        }
    }
    let mut other = vec![0; keys.len()];
    for (pass, counts) in counts.iter_mut().enumerate() {
        if counts.contains(&keys.len()) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &key in &keys {
            let place = &mut counts[digit(key, pass)];
            other[*place] = key;
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut other);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;

    #[test]
    fn keys_keep_the_order_and_the_number() {
        let rising = [
            f64::NEG_INFINITY,
            -1e300,
            -1.0,
            -5e-324,
            0.0,
            5e-324,
            0.5,
            1.0,
            f64::INFINITY,
        ];
        let keys: Vec<u64> = rising.iter().map(|&score| key(score)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(
            keys.iter()
                .zip(rising)
                .all(|(&key, score)| number(key) == score)
        );
    }

    #[test]
    fn many_are_sorted_as_few_are() {
        let mut random = SplitMix::new(3);
        for modulus in [u64::MAX, 1 << 40, 7] {
            let keys: Vec<u64> = (0..10_000).map(|_| random.next() % modulus).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            assert_eq!(sorted(keys), expected);
        }
    }
}
