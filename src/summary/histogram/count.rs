//! Counting numbers into buckets of equal width, as fast as the processor can.
//!
//! Each precision counts in its own numbers; what it cannot divide is left to the slow way, which
//! takes anything.

/// A number that a histogram can count.
pub trait Sample: Copy {
    /// The number at double precision.
    fn to_f64(self) -> f64;

    /// Counts `values` into `counts.len()` buckets of equal width, and returns the exact bounds;
    /// `None` unless all values are finite, not all equal, and their range can be divided at this
    /// precision.
    #[doc(hidden)]
    fn count(values: &[Self], counts: &mut [u64]) -> Option<(f64, f64)> {
        let _ = (values, counts);
        None
    }
}

macro_rules! samples {
    ($count:ident: $($number:ty),*) => {$(
        impl Sample for $number {
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }

            fn count(values: &[Self], counts: &mut [u64]) -> Option<(f64, f64)> {
                $count(values, counts)
            }
        }
    )*};
    ($($number:ty),*) => {$(
        impl Sample for $number {
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

samples!(count_f32: f32);
samples!(count_f64: f64);
samples!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// Counting at a precision of its own: two passes that the compiler turns into vector instructions,
/// and an increment a value.
macro_rules! counting {
    ($name:ident, $wide:ident, $body:ident, $number:ty) => {
        fn $name(values: &[$number], counts: &mut [u64]) -> Option<(f64, f64)> {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                #[allow(unsafe_code, reason = "vectors of twice the width; a third less time")]
                // SAFETY: the processor was just seen to have AVX2, all that the function requires.
                return unsafe { $wide(values, counts) };
            }
            $body(values, counts)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $wide(values: &[$number], counts: &mut [u64]) -> Option<(f64, f64)> {
            $body(values, counts)
        }

        #[inline(always)]
        fn $body(values: &[$number], counts: &mut [u64]) -> Option<(f64, f64)> {
            const LANES: usize = 16;
            let first = *values.first()?;
            let (mut min, mut max, mut nothing) = ([first; LANES], [first; LANES], [0.0; LANES]);
            let (chunks, rest) = values.as_chunks::<LANES>();
            let lesser = |a: $number, b: $number| if a < b { a } else { b };
            let greater = |a: $number, b: $number| if a > b { a } else { b };
            for chunk in chunks {
                min = std::array::from_fn(|lane| lesser(chunk[lane], min[lane]));
                max = std::array::from_fn(|lane| greater(chunk[lane], max[lane]));
                // Stays 0 while all are finite.
                nothing = std::array::from_fn(|lane| nothing[lane] + chunk[lane] * 0.0);
            }
            for &value in rest {
                min[0] = min[0].min(value);
                max[0] = max[0].max(value);
                nothing[0] += value * 0.0;
            }
            let min = min.into_iter().fold(first, <$number>::min);
            let max = max.into_iter().fold(first, <$number>::max);
            let scale = counts.len() as $number / (max - min);
            let divisible = min < max && (max - min).is_finite() && scale.is_finite();
            if nothing.iter().sum::<$number>() != 0.0 || !divisible || counts.len() > TABLE {
                return None;
            }

            // Several tables, so that neighbours in one bucket do not wait for each other's increment.
            let mut tables = [[0_u32; TABLE]; 8];
            let last = (counts.len() - 1) as i32;
            let bucket = |value: $number| {
                let position = (value - min) * scale;
                #[allow(
                    unsafe_code,
                    reason = "`as` saturates, a scalar at a time: three times slower"
                )]
                // SAFETY: all values are finite and between `min` and `max`, so the position is
                // between 0 and the number of buckets, at most 256, but for rounding.
                let bucket = unsafe { position.to_int_unchecked::<i32>() };
                bucket.min(last) as u8
            };
            let mut buckets = [0_u8; BLOCK];
            let (blocks, rest) = values.as_chunks::<BLOCK>();
            for block in blocks {
                for (bucket_of, &value) in buckets.iter_mut().zip(block) {
                    *bucket_of = bucket(value);
                }
                for eight in buckets.as_chunks::<8>().0 {
                    for (table, &bucket) in tables.iter_mut().zip(eight) {
                        table[usize::from(bucket)] += 1;
                    }
                }
            }
            for &value in rest {
                tables[0][usize::from(bucket(value))] += 1;
            }
            for (index, count) in counts.iter_mut().enumerate() {
                *count += tables
                    .iter()
                    .map(|table| u64::from(table[index]))
                    .sum::<u64>();
            }
            Some((min.into(), max.into()))
        }
    };
}

counting!(count_f32, count_f32_wide, count_f32_body, f32);
counting!(count_f64, count_f64_wide, count_f64_body, f64);

/// As many buckets as a byte can number.
const TABLE: usize = 256;
/// Values whose buckets are found before they are counted.
const BLOCK: usize = 64;
