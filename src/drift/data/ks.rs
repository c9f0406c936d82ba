//! The Kolmogorov–Smirnov test: the largest distance between two empirical distribution functions.

/// The chance that the distance of two samples of `n` values each is at least `steps` / `n`, both of one continuous
/// distribution (B. V. Gnedenko and V. S. Korolyuk, 1951).
pub(crate) fn exact_of_equal(n: usize, steps: usize) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let (size, step) = (n as f64, steps as f64);
    let mut outside = 0.0;
    for k in (0..=n / steps).rev() {
        let reached = k as f64 * step;
        let mut paths = 1.0;
        for j in 0..steps {
            paths = (size - reached - j as f64) * paths / (size + reached + j as f64 + 1.0);
        }
        outside = paths * (1.0 - outside);
    }
    (2.0 * outside).clamp(0.0, 1.0)
}

/// The distance of two sorted samples of the same length, in steps of 1 / length.
pub(crate) fn steps_of_equal(a: &[f64], b: &[f64]) -> usize {
    let (mut i, mut j, mut most) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let (left, right) = (a[i], b[j]);
        if left <= right {
            i += 1;
        }
        if right <= left {
            j += 1;
        }
        // Between equal values of one sample there is no distance to read.
        let within =
            |sorted: &[f64], next: usize| next < sorted.len() && sorted[next] == sorted[next - 1];
        if (left <= right && within(a, i)) || (right <= left && within(b, j)) {
            continue;
        }
        most = most.max(i.abs_diff(j));
    }
    most
}
