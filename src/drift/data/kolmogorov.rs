//! The distribution of Kolmogorov's distance of n values from their own continuous distribution.
//!
//! The regions and methods are those of R. Simard and P. L'Ecuyer (2011, doi 10.18637/jss.v039.i11).

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

/// The chance of a distance of at least `d`.
pub(super) fn survival(n: usize, d: f64) -> f64 {
    let size = n as f64;
    if n == 0 || d >= 1.0 {
        return 0.0;
    }
    let t = size * d;
    if t <= 0.5 {
        return 1.0;
    }
    if t <= 1.0 {
        // H. Ruben and J. Gambino (1982).
        return 1.0 - (ln_gamma(size + 1.0) - size * size.ln() + size * (2.0 * t - 1.0).ln()).exp();
    }
    if t >= size - 1.0 {
        return (2.0 * (1.0 - d).powf(size)).min(1.0);
    }
    let square = t * d;
    if square >= 370.0 {
        return 0.0;
    }
    // Twice the one-sided chance counts a path that is out on both sides twice; that is below its error from here on.
    if d >= 0.5 || square >= if n <= 140 { 4.0 } else { 2.2 } {
        return (2.0 * one_sided(n, d)).clamp(0.0, 1.0);
    }
    let within = if n <= 140 || (n <= 100_000 && size * d.powf(1.5) <= 1.4) {
        matrix(n, d)
    } else {
        series(size, d)
    };
    (1.0 - within).clamp(0.0, 1.0)
}

/// The chance that the empirical distribution function is somewhere `d` above (N. V. Smirnov, 1944; Z. W. Birnbaum and
/// F. H. Tingey, 1951).
fn one_sided(n: usize, d: f64) -> f64 {
    let size = n as f64;
    let last = (size * (1.0 - d)).floor() as usize;
    let mut total = 0.0;
    // The logarithm of the binomial coefficient, and what its sum has lost to rounding.
    let (mut ln_choose, mut lost) = (0.0_f64, 0.0_f64);
    for j in 0..=last.min(n) {
        let place = j as f64;
        let (low, high) = (d + place / size, 1.0 - d - place / size);
        if j > 0 {
            let more = ((size - place + 1.0) / place).ln() + lost;
            let next = ln_choose + more;
            lost = more - (next - ln_choose);
            ln_choose = next;
        }
        if high > 0.0 {
            total +=
                (ln_choose + (place - 1.0) * low.ln() + (size - place) * high.ln() + lost).exp();
        } else if j == n {
            total += low.powf(place - 1.0);
        }
    }
    d * total
}

/// The chance of a distance below `d`: Durbin's matrix (G. Marsaglia, W. W. Tsang and J. Wang, 2003,
/// doi 10.18637/jss.v008.i18).
fn matrix(n: usize, d: f64) -> f64 {
    let t = n as f64 * d;
    let k = t.ceil() as usize;
    let size = 2 * k - 1;
    let rest = k as f64 - t;
    let mut h = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..size.min(i + 2) {
            h[i * size + j] = 1.0;
        }
    }
    for i in 0..size {
        h[i * size] -= rest.powi(i as i32 + 1);
        h[(size - 1) * size + i] -= rest.powi((size - i) as i32);
    }
    h[(size - 1) * size] += (2.0 * rest - 1.0).max(0.0).powi(size as i32);
    for i in 0..size {
        for j in 0..size.min(i + 1) {
            for g in 1..=i - j + 1 {
                h[i * size + j] /= g as f64;
            }
        }
    }
    let (power, mut exponent) = raised(&h, size, n);
    let mut within = power[(k - 1) * size + k - 1];
    for i in 1..=n {
        within *= i as f64 / n as f64;
        if within < 1e-140 {
            within *= 1e140;
            exponent -= 140;
        }
    }
    within * 10f64.powi(exponent)
}

/// A matrix to a power, and the power of ten that was taken out of it.
fn raised(matrix: &[f64], size: usize, power: usize) -> (Vec<f64>, i32) {
    if power == 1 {
        return (matrix.to_vec(), 0);
    }
    let (half, exponent) = raised(matrix, size, power / 2);
    let mut squared = product(&half, &half, size);
    let mut exponent = 2 * exponent;
    if power % 2 == 1 {
        squared = product(matrix, &squared, size);
    }
    if squared[(size / 2) * size + size / 2] > 1e140 {
        squared.iter_mut().for_each(|value| *value *= 1e-140);
        exponent += 140;
    }
    (squared, exponent)
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut product = vec![0.0; size * size];
    for (row, out) in a.chunks(size).zip(product.chunks_mut(size)) {
        for (&factor, other) in row.iter().zip(b.chunks(size)) {
            for (out, &value) in out.iter_mut().zip(other) {
                *out += factor * value;
            }
        }
    }
    product
}

/// The chance of a distance below `d`, for many values (W. Pelz and I. J. Good, 1976, doi 10.1111/j.2517-6161.1976.tb01579.x).
fn series(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let [z2, z3, z4, z6, z7, z8, z10] = [2, 3, 4, 6, 7, 8, 10].map(|power| z.powi(power));
    let (p2, p4, p6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let mut sums = [0.0; 4];
    let (mut even2, mut even3) = (0.0, 0.0);
    // Of k and of -k - 1 the terms are equal, so each half-integer counts twice.
    for k in (0..30).rev() {
        let half = f64::from(k) + 0.5;
        let (h2, h4, h6) = (half.powi(2), half.powi(4), half.powi(6));
        let weight = 2.0 * (-p2 * h2 / (2.0 * z2)).exp();
        sums[0] += weight / 2.0;
        sums[1] += weight * (p2 * h2 - z2);
        sums[2] += weight
            * (6.0 * z6 + 2.0 * z4 + p2 * (2.0 * z4 - 5.0 * z2) * h2 + p4 * (1.0 - 2.0 * z2) * h4);
        sums[3] += weight
            * (p6 * h6 * (5.0 - 30.0 * z2)
                + p4 * h4 * (-60.0 * z2 + 212.0 * z4)
                + p2 * h2 * (135.0 * z4 - 96.0 * z6)
                - (30.0 * z6 + 90.0 * z8));
        let whole = f64::from(k);
        let (k2, k4) = (whole.powi(2), whole.powi(4));
        let weight = 2.0 * (-p2 * k2 / (2.0 * z2)).exp();
        even2 += weight * p2 * k2;
        even3 += weight * (-p4 * k4 + 3.0 * p2 * k2 * z2);
    }
    let root = (PI / 2.0).sqrt();
    let parts = [
        (2.0 * PI).sqrt() / z * sums[0],
        root / (6.0 * z4) * sums[1],
        root * (sums[2] / (72.0 * z7) - even2 / (36.0 * z3)),
        root * (sums[3] / (6480.0 * z10) + even3 / (216.0 * z6)),
    ];
    let scale = n.sqrt();
    (parts[0] + (parts[1] + (parts[2] + parts[3] / scale) / scale) / scale).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::survival;

    // scipy.stats.kstwo.sf(d, n) of scipy 1.17.1, in each region.
    #[test]
    fn survival_is_that_of_scipy() {
        for (n, d, expected) in [
            (20, 0.3644790803324657, 0.006889047843704477),
            (50000, 0.009643380948344433, 0.00018174383111542667),
            (500000, 0.005187877553144308, 4.081592230327907e-12),
            (100001, 0.004300676114502182, 0.049343859394908596),
            (5, 0.13416407864998736, 0.9998212772701431),
            (140, 0.4080418720142053, 1.3838936395682386e-21),
            (20, 0.06708203932499368, 0.9999223692438118),
            (2000, 0.11657468195165946, 3.893245138927341e-24),
            (100001, 0.0031622618488986627, 0.26943531528151476),
            (1000, 0.10300226337043548, 1.0865640560507803e-09),
            (1000, 0.009486832980505138, 0.9999856452042073),
            (100000, 0.011654557690944454, 3.1578632208263502e-12),
            (300, 0.32463102824187645, 1.2091559183068336e-28),
            (500000, 0.007116600527317618, 2.0111851485012764e-22),
            (139, 0.2544566789039913, 2.018571886329006e-08),
            (20, 0.6264469176698912, 4.065621492567294e-08),
            (1000, 0.051545125860744584, 0.009494900170509754),
            (2, 0.21213203435596423, 1.0),
            (500000, 0.0019233304448274093, 0.04942239943097526),
            (300, 0.12116439703206065, 0.00026952632880695385),
            (1000, 0.08062455168655147, 4.213194134398025e-06),
            (50000, 0.004760240804129522, 0.2065685739181966),
            (100001, 0.0051544868137048195, 0.009812396589106894),
            (1, 0.5127980738136073, 0.9744038523727854),
            (100000, 0.005154512586074457, 0.009812396418590852),
            (1000, 0.03196360472324667, 0.2532055485915624),
            (140, 0.08451542547285165, 0.25530484459737574),
            (100001, 0.004862811296724777, 0.0176055146669075),
            (140, 0.06939722820692354, 0.48867726537748557),
            (50000, 0.01881203753788497, 8.415404961374709e-16),
            (20, 0.45945629017583245, 0.00022084109069692043),
            (141, 0.43086356852235086, 2.680212274397484e-24),
            (500000, 0.004242640687119285, 3.0371983070628784e-08),
            (2, 0.390786617990957, 0.8414330255573468),
        ] {
            let ours = survival(n, d);
            let off = (ours - expected).abs() / expected;
            assert!(off < 1e-6, "{n} {d}: {ours}, scipy {expected}");
        }
    }
}
