//! The practical limit of counting values into the buckets of a histogram.
//!
//! Two passes that vector instructions of any x86-64 or ARM processor do; only the increments are one
//! by one.

/// Buckets of a histogram, as many as TensorBoard's own writer makes.
pub(crate) const BUCKETS: usize = 30;

/// Left bound, right bound and count of buckets of equal width, of values that are all finite.
pub(crate) fn buckets(values: &[f32]) -> [[f64; 3]; BUCKETS] {
    let (lanes, rest) = values.as_chunks::<16>();
    let lesser = |a: f32, b: f32| if a < b { a } else { b };
    let greater = |a: f32, b: f32| if a > b { a } else { b };
    let (mut least, mut most) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16]);
    for lane in lanes {
        least = std::array::from_fn(|i| lesser(lane[i], least[i]));
        most = std::array::from_fn(|i| greater(lane[i], most[i]));
    }
    let all = |lanes: [f32; 16]| lanes.into_iter().chain(rest.iter().copied());
    let min = all(least).fold(f32::INFINITY, f32::min);
    let max = all(most).fold(f32::NEG_INFINITY, f32::max);
    let width = (max - min) / BUCKETS as f32;
    let scale = if width > 0.0 { 1.0 / width } else { 0.0 };
    // Rounded and not cut off, which vector instructions of any age do: beside 1.5 × 2^23 no fraction
    // has room, and the bucket stands in the lowest bits. A value on a bound goes to the right.
    let bucket = |value: f32| {
        let place = ((value - min) * scale - (0.5 - 2e-6)).min((BUCKETS - 1) as f32);
        (place + 12_582_912.0).to_bits() as u8
    };
    // Tables enough that neighbours in one bucket do not wait for each other's increment.
    let (mut counts, mut places) = ([[0_u32; 32]; 8], [0; 64]);
    let (blocks, rest) = values.as_chunks::<64>();
    for block in blocks {
        for (place, &value) in places.iter_mut().zip(block) {
            *place = bucket(value);
        }
        for eight in places.as_chunks::<8>().0 {
            for (counts, &place) in counts.iter_mut().zip(eight) {
                counts[usize::from(place % 32)] += 1;
            }
        }
    }
    rest.iter()
        .for_each(|&value| counts[0][usize::from(bucket(value) % 32)] += 1);
    let bound = |index: usize| match index {
        BUCKETS => f64::from(max),
        index => f64::from(min) + f64::from(width) * index as f64,
    };
    std::array::from_fn(|index| {
        let count: u32 = counts.iter().map(|table| table[index]).sum();
        [bound(index), bound(index + 1), f64::from(count)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_its_bucket() {
        let values: Vec<f32> = (0..=300).map(|i| i as f32 / 10.0).collect();
        let buckets = buckets(&values);
        // The last bucket has its right bound, too.
        let counts = buckets.map(|[_, _, count]| count);
        assert_eq!(counts[..29], [10.0; 29]);
        assert_eq!(counts[29], 11.0);
        assert_eq!((buckets[0][0], buckets[29][1]), (0.0, 30.0));
    }

    #[test]
    fn equal_values_share_a_bucket() {
        assert_eq!(buckets(&[7.0; 100])[0], [7.0, 7.0, 100.0]);
    }
}
