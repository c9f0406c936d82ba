//! A series, reduced to what a chart can show of it.
//!
//! Of each column of the chart the first, the least, the largest and the last value stay: the picture is that of all
//! values, and memory does not depend on their number. What is not finite is kept for every column that has it.

use crate::types::RunName;

/// Columns: more than any chart has pixels that can be told apart.
const COLUMNS: usize = 2000;

/// A line of a chart.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Line {
    pub(super) run: RunName,
    pub(super) count: u64,
    pub(super) nonfinite: u64,
    pub(super) last: f64,
    pub(super) last_smoothed: f64,
    range: Option<(f64, f64)>,
    values: Columns,
    /// `None` where nothing is smoothed.
    smoothed: Option<Columns>,
    marks: Vec<Option<(f64, f64)>>,
}

/// Of each column the values that are drawn.
#[derive(Debug, Clone)]
struct Columns(Vec<Option<Column>>);

#[derive(Debug, Clone, Copy)]
struct Column {
    first: (f64, f64),
    least: (f64, f64),
    largest: (f64, f64),
    last: (f64, f64),
}

impl Line {
    pub(in crate::cli) fn new(run: RunName, smoothed: bool) -> Self {
        Self {
            run,
            count: 0,
            nonfinite: 0,
            last: f64::NAN,
            last_smoothed: f64::NAN,
            range: None,
            values: Columns::new(),
            smoothed: smoothed.then(Columns::new),
            marks: vec![None; COLUMNS],
        }
    }

    /// Makes room for a point at `x`; all points come here before the first is added.
    pub(in crate::cli) fn widen(&mut self, x: f64) {
        if x.is_finite() {
            let (from, to) = self.range.unwrap_or((x, x));
            self.range = Some((from.min(x), to.max(x)));
        }
    }

    pub(in crate::cli) fn add(&mut self, x: f64, value: f64, smoothed: f64) {
        self.count += 1;
        (self.last, self.last_smoothed) = (value, smoothed);
        let nonfinite = !value.is_finite();
        self.nonfinite += u64::from(nonfinite);
        let Some((from, to)) = self.range.filter(|_| x.is_finite()) else {
            return;
        };
        let share = if to > from {
            (x - from) / (to - from)
        } else {
            0.0
        };
        let column = ((share * COLUMNS as f64) as usize).min(COLUMNS - 1);
        if nonfinite {
            self.marks[column] = Some((x, value));
            return;
        }
        self.values.add(column, (x, value));
        if let Some(columns) = &mut self.smoothed {
            columns.add(column, (x, smoothed));
        }
    }

    /// Where the points lie from left to right.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// The least and the largest finite value.
    pub(super) fn bounds(&self) -> Option<(f64, f64)> {
        let columns = || self.values.0.iter().flatten();
        let least = columns().map(|column| column.least.1).reduce(f64::min)?;
        let largest = columns().map(|column| column.largest.1).reduce(f64::max)?;
        Some((least, largest))
    }

    /// The finite values, in stretches between which there are others.
    pub(super) fn values(&self) -> Vec<Vec<(f64, f64)>> {
        self.values.stretches(&self.marks)
    }

    /// The smoothed values, likewise.
    pub(super) fn smoothed(&self) -> Option<Vec<Vec<(f64, f64)>>> {
        Some(self.smoothed.as_ref()?.stretches(&self.marks))
    }

    /// What is not finite.
    pub(super) fn marks(&self) -> impl Iterator<Item = (f64, f64)> {
        self.marks.iter().flatten().copied()
    }
}

impl Columns {
    fn new() -> Self {
        Self(vec![None; COLUMNS])
    }

    fn add(&mut self, column: usize, point: (f64, f64)) {
        let Column {
            least,
            largest,
            last,
            ..
        } = self.0[column].get_or_insert(Column {
            first: point,
            least: point,
            largest: point,
            last: point,
        });
        if point.1 < least.1 {
            *least = point;
        }
        if point.1 > largest.1 {
            *largest = point;
        }
        *last = point;
    }

    fn stretches(&self, marks: &[Option<(f64, f64)>]) -> Vec<Vec<(f64, f64)>> {
        let mut stretches = vec![Vec::new()];
        for (column, mark) in self.0.iter().zip(marks) {
            if mark.is_some() {
                stretches.push(Vec::new());
            }
            let (Some(column), Some(stretch)) = (column, stretches.last_mut()) else {
                continue;
            };
            let mut points = [column.first, column.least, column.largest, column.last];
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            for point in points {
                if stretch.last() != Some(&point) {
                    stretch.push(point);
                }
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_marks_survive() {
        let mut line = Line::new("r".into(), true);
        let points: Vec<(f64, f64)> = (0..100_000)
            .map(|step| {
                let value = match step {
                    777 => 1e6,
                    50_000 => f64::NAN,
                    77_777 => -1e6,
                    step => f64::from(step % 10),
                };
                (f64::from(step), value)
            })
            .collect();
        points.iter().for_each(|point| line.widen(point.0));
        points
            .iter()
            .for_each(|&(x, value)| line.add(x, value, value / 2.0));
        assert_eq!((line.count, line.nonfinite), (100_000, 1));
        assert_eq!(line.bounds(), Some((-1e6, 1e6)));
        assert_eq!(
            line.marks().map(|mark| mark.0).collect::<Vec<_>>(),
            [50_000.0]
        );
        let stretches = line.values();
        assert_eq!(stretches.len(), 2);
        let all: Vec<_> = stretches.concat();
        assert!(all.len() <= 4 * COLUMNS && all.is_sorted_by(|a, b| a.0 <= b.0));
        assert_eq!((all[0], all[all.len() - 1]), (points[0], points[99_999]));
        assert!(all.contains(&(777.0, 1e6)) && all.contains(&(77_777.0, -1e6)));
        assert_eq!(line.smoothed().unwrap().concat()[0], (0.0, 0.0));
    }

    #[test]
    fn a_line_of_one_point_or_none_is_no_trouble() {
        let mut line = Line::new("r".into(), false);
        assert_eq!((line.bounds(), line.values().len()), (None, 0));
        line.widen(f64::NAN);
        line.add(f64::NAN, 1.0, 1.0);
        line.widen(5.0);
        line.add(5.0, 2.0, 2.0);
        assert_eq!(line.values(), [[(5.0, 2.0)]]);
        assert!(line.smoothed().is_none());
    }
}
