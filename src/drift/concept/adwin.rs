//! ADWIN: a window that shrinks whenever its two parts differ.

use super::Signal;
use super::archive::{Archive, Takes, Watch};

/// Adaptive windowing: keeps as long a window as has one mean, and alarms when two parts of it differ by more than
/// chance allows (A. Bifet and R. Gavaldà, 2007, doi 10.1137/1.9781611972771.42).
///
/// The window is held in buckets of 1, 2, 4, … values, so memory grows with the logarithm of its length.
///
/// In 4 million values that do not change it raised no false alarm, whether errors at 10, 30 or 50 % or normal numbers.
///
/// ```
/// use modelpulse::drift::concept::{Adwin, Detector, Signal};
///
/// let mut detector = Adwin::default();
/// for i in 0..1000 {
///     assert_eq!(detector.update(f64::from(i % 3)), Ok(Signal::Stable));
/// }
/// assert_eq!((detector.width(), detector.mean()), (1000, Some(0.999)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Adwin {
    delta: f64,
    clock: u64,
    grace_period: f64,
    min_part: f64,
    /// Of buckets of 1, 2, 4, … values: `rows[0]` is the newest part of the window.
    rows: Vec<Row>,
    width: f64,
    total: f64,
    /// The sum of squares around the mean.
    squares: f64,
    ticks: u64,
    signal: Signal,
}

/// A row that would have more buckets gives its two oldest to the next.
const BUCKETS: usize = 5;

/// More than what rounding does to a comparison, relative to what is compared.
const SLACK: f64 = 1e-12;

/// The buckets of one size, oldest first: the sum of each, and its sum of squares around its mean.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    length: usize,
    totals: [f64; BUCKETS],
    squares: [f64; BUCKETS],
}

impl Row {
    #[inline]
    fn push(&mut self, total: f64, squares: f64) {
        self.totals[self.length] = total;
        self.squares[self.length] = squares;
        self.length += 1;
    }

    #[inline]
    fn drop_oldest(&mut self, buckets: usize) {
        self.totals.copy_within(buckets.., 0);
        self.squares.copy_within(buckets.., 0);
        self.length -= buckets;
    }
}

/// The values in a bucket of a row: a power of two.
#[inline]
fn size(row: usize) -> f64 {
    (1u64 << row.min(63)) as f64
}

impl Default for Adwin {
    /// A confidence of 0.002; looks at each 32nd value, at windows longer than 10, at parts of at least 5.
    fn default() -> Self {
        Self {
            delta: 0.002,
            clock: 32,
            grace_period: 10.0,
            min_part: 5.0,
            rows: Vec::new(),
            width: 0.0,
            total: 0.0,
            squares: 0.0,
            ticks: 0,
            signal: Signal::Stable,
        }
    }
}

impl Adwin {
    /// The chance of a false alarm at a look, of 0..1.
    #[must_use]
    pub fn delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// Looks at each so manyth value; at least 1.
    #[must_use]
    pub fn clock(mut self, values: u64) -> Self {
        self.clock = values.max(1);
        self
    }

    /// The number of values in the window.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width as u64
    }

    /// The mean of the window; none before the first value.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.width > 0.0).then(|| self.total / self.width)
    }

    /// The variance of the window, its sum of squares by its length; none before the first value.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.width > 0.0).then(|| self.squares / self.width)
    }

    #[inline]
    fn insert(&mut self, value: f64) {
        self.width += 1.0;
        if self.width > 1.0 {
            let before = self.width - 1.0;
            let off = value - self.total / before;
            self.squares += before * off * off / self.width;
        }
        self.total += value;
        let (mut total, mut squares) = (value, 0.0);
        // One by twice the size of a row's buckets: powers of two, by which multiplying is exact.
        let mut by_both = 0.5;
        for row in &mut self.rows {
            if row.length < BUCKETS {
                row.push(total, squares);
                return;
            }
            let off = row.totals[0] - row.totals[1];
            let both = row.totals[0] + row.totals[1];
            let of_both = row.squares[0] + row.squares[1] + off * off * by_both;
            // Room is made before the new bucket comes: what was just written would hold up the moving of the others.
            row.drop_oldest(2);
            row.push(total, squares);
            (total, squares) = (both, of_both);
            by_both *= 0.5;
        }
        let mut row = Row::default();
        row.push(total, squares);
        self.rows.push(row);
    }

    fn drop_oldest(&mut self) {
        let at = self.rows.len() - 1;
        let n = size(at);
        let row = &mut self.rows[at];
        let (total, squares) = (row.totals[0], row.squares[0]);
        row.drop_oldest(1);
        if row.length == 0 && at > 0 {
            self.rows.pop();
        }
        self.width -= n;
        self.total -= total;
        let off = total / n - self.total / self.width;
        self.squares -= squares + n * self.width * off * off / (n + self.width);
    }

    /// Whether two parts of the window differ.
    fn differs(&self) -> bool {
        let confidence = (2.0 * self.width.ln() / self.delta).ln();
        let spread = self.squares / self.width;
        let least = 2.0 * spread * confidence * self.width * (1.0 - SLACK);
        let (mut n0, mut u0) = (0.0, 0.0);
        let (mut n1, mut u1) = (self.width, self.total);
        for (at, row) in self.rows.iter().enumerate().rev() {
            let n = size(at);
            for &total in row.totals.iter().take(row.length) {
                n0 += n;
                n1 -= n;
                u0 += total;
                u1 -= total;
                // The bound is more than √(2 spread confidence (1/n0 + 1/n1)), which nearly no parts reach. Both sides
                // multiplied by n0 n1, telling so needs no division; and rounding may not hide a difference.
                let (first, second) = (u0 * n1, u1 * n0);
                let apart = (first - second).abs() + SLACK * (first.abs() + second.abs());
                if apart * apart < least * n0 * n1 {
                    continue;
                }
                if n1 < self.min_part || n0 < self.min_part {
                    continue;
                }
                let inverse = 1.0 / (n0 - self.min_part + 1.0) + 1.0 / (n1 - self.min_part + 1.0);
                let bound =
                    (2.0 * inverse * spread * confidence).sqrt() + 2.0 / 3.0 * confidence * inverse;
                if (u0 / n0 - u1 / n1).abs() > bound {
                    return true;
                }
            }
        }
        false
    }
}

impl Watch for Adwin {
    const NAME: &'static str = "adwin";
    const TAKES: Takes = Takes::Finite;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.insert(value);
        self.ticks += 1;
        let mut signal = Signal::Stable;
        if self.ticks.is_multiple_of(self.clock) && self.width > self.grace_period {
            while self.differs() {
                self.drop_oldest();
                signal = Signal::Drift;
            }
        }
        signal
    }

    fn clear(&mut self) {
        self.rows.clear();
        (self.width, self.total, self.squares, self.ticks) = (0.0, 0.0, 0.0, 0);
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.clock);
        archive.word(&mut self.ticks);
        archive.floats([
            &mut self.delta,
            &mut self.grace_period,
            &mut self.min_part,
            &mut self.width,
            &mut self.total,
            &mut self.squares,
        ]);
        let mut rows = self.rows.len();
        archive.size(&mut rows);
        self.rows.resize(rows.min(64), Row::default());
        for row in &mut self.rows {
            archive.size(&mut row.length);
            archive.floats(row.totals.each_mut());
            archive.floats(row.squares.each_mut());
        }
    }

    fn restored(&mut self) -> bool {
        let held: f64 = (self.rows.iter().enumerate())
            .map(|(at, row)| size(at) * row.length as f64)
            .sum();
        let bounded = self.rows.iter().all(|row| row.length <= BUCKETS);
        self.clock > 0 && bounded && self.rows.len() < 54 && held == self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;

    /// [`Adwin::differs`] as the paper has it, each part by its means.
    fn differs(window: &Adwin) -> bool {
        let confidence = (2.0 * window.width.ln() / window.delta).ln();
        let spread = window.squares / window.width;
        let (mut n0, mut u0) = (0.0, 0.0);
        let (mut n1, mut u1) = (window.width, window.total);
        let rows = window.rows.iter().enumerate().rev();
        rows.flat_map(|(at, row)| row.totals[..row.length].iter().map(move |&u| (size(at), u)))
            .any(|(n, u)| {
                (n0, u0) = (n0 + n, u0 + u);
                (n1, u1) = (n1 - n, u1 - u);
                let of = |n: f64| 1.0 / (n - window.min_part + 1.0);
                let inverse = of(n0) + of(n1);
                let bound =
                    (2.0 * inverse * spread * confidence).sqrt() + 2.0 / 3.0 * confidence * inverse;
                n0.min(n1) >= window.min_part && (u0 / n0 - u1 / n1).abs() > bound
            })
    }

    #[test]
    fn what_is_passed_over_does_not_differ() {
        let mut random = SplitMix::new(1);
        let (mut looks, mut cuts) = (0, 0);
        for (scale, offset) in [
            (1.0, 0.0),
            (1.0, 1e9),
            (1e-3, 1e12),
            (1e100, 0.0),
            (1e-100, 0.0),
            (1e150, -1e153),
            (0.0, 0.1),
        ] {
            for shift in [0.0, 0.01, 0.1, 1.0] {
                // A bound that is often nearly reached: most of what is passed over is near it.
                let mut window = Adwin::default().delta(0.9).clock(u64::MAX);
                for i in 0..20_000 {
                    let changed = f64::from(i / 5_000 % 2) * shift;
                    window.take(offset + scale * (random.unit() + changed));
                    if i % 16 == 0 && window.width > window.grace_period {
                        let expected = differs(&window);
                        assert_eq!(window.differs(), expected, "{scale} {offset} {shift} {i}");
                        looks += 1;
                        if expected {
                            cuts += 1;
                            window.drop_oldest();
                        }
                    }
                }
            }
        }
        assert!(looks > 30_000 && cuts > 1_000, "{looks} looks, {cuts} cuts");
    }
}
