//! The same series of several runs, such as those of several seeds, as statistics at each step.
//!
//! NaN and infinities are never left out: what one replicate has at a step shows in the statistics of that step.

use std::io;

use super::names::Names;
use super::sorted::{Cursor, Point, Sorted, Sorter};
use crate::flow::Event;
use crate::types::{RunName, Step, Tag};

/// What is done at a step that not every replicate has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Align {
    /// A replicate has a value at every step between its first and its last: linear between its neighbours.
    #[default]
    Interpolate,
    /// The step counts the replicates that have it.
    Union,
    /// The step is left out.
    Intersect,
}

/// Takes the scalars of replicates.
///
/// ```
/// use modelpulse::{flow::Event, replay::{Align, Aggregator}};
/// let mut seeds = Aggregator::default();
/// for (seed, step, value) in [("a", 0, 1.0), ("a", 2, 3.0), ("b", 0, 3.0), ("b", 1, 4.0), ("b", 2, 5.0)] {
///     seeds.add(seed, &Event::new("train", "loss", step, 1.7e9, value))?;
/// }
/// let mut means = Vec::new();
/// seeds.finish(Align::Interpolate, &[0.5], |row| {
///     assert_eq!((row.count, row.quantiles[0]), (2, row.mean));
///     means.push((row.step.as_i64(), row.mean));
///     Ok::<(), std::io::Error>(())
/// })?;
/// assert_eq!(means, [(0, 2.0), (1, 3.0), (2, 4.0)]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Aggregator {
    series: Names<(RunName, Tag)>,
    replicates: Names<String>,
    sorter: Sorter,
}

/// The statistics of a series at a step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Aggregate<'a> {
    /// The run, below that of the replicate.
    pub run: &'a RunName,
    /// The tag.
    pub tag: &'a Tag,
    /// The step.
    pub step: Step,
    /// The latest of the wall times that were logged with this step.
    pub wall_time: f64,
    /// How many replicates have a value.
    pub count: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of a sample, with n − 1 below the line; `None` of one replicate.
    pub std: Option<f64>,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The quantiles that were asked for, linear between the neighbouring values (type 7 of Hyndman and Fan 1996,
    /// numpy's default).
    pub quantiles: &'a [f64],
}

impl Aggregator {
    /// Takes an event of a replicate; one that is no scalar is passed over. Of several values of one step the last one
    /// counts.
    ///
    /// # Errors
    /// Where the file that holds what does not fit in memory cannot be written.
    pub fn add(&mut self, replicate: &str, event: &Event) -> io::Result<()> {
        let Some(value) = event.value.number() else {
            return Ok(());
        };
        self.sorter.push(Point {
            group: self.series.number(&(event.run.clone(), event.tag.clone())),
            part: self.replicates.number(&replicate.to_owned()),
            step: event.step.as_i64(),
            item: 0,
            wall_time: event.wall_time,
            value,
        })
    }

    /// How many replicates there are.
    pub fn replicates(&self) -> usize {
        self.replicates.sorted().len()
    }

    /// Gives each row to `row`, by run, tag and step.
    ///
    /// # Errors
    /// The first error of `row`, or that of the file that holds what does not fit in memory.
    pub fn finish<E: From<io::Error>>(
        self,
        align: Align,
        quantiles: &[f64],
        mut row: impl FnMut(&Aggregate<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sorted = self.sorter.finish()?;
        for ((run, tag), number) in self.series.sorted() {
            let mut lines = Line::all(&sorted, number)?;
            let mut values = Vec::new();
            while let Some(step) = lines.iter().filter_map(Line::next_step).min() {
                values.clear();
                let mut wall_time = f64::NEG_INFINITY;
                for line in &mut lines {
                    if line.next_step() == Some(step) {
                        let point = line.take()?;
                        values.extend(point.map(|point| point.value));
                        // A time that is none does not win.
                        wall_time = point.map_or(wall_time, |point| point.wall_time.max(wall_time));
                    } else if align == Align::Interpolate {
                        values.extend(line.between(step));
                    }
                }
                if align == Align::Intersect && values.len() < lines.len() {
                    continue;
                }
                let of_quantiles = Statistics::of(&mut values, quantiles);
                row(&Aggregate {
                    run,
                    tag,
                    step: step.into(),
                    wall_time,
                    count: values.len(),
                    mean: of_quantiles.mean,
                    std: of_quantiles.std,
                    min: of_quantiles.min,
                    max: of_quantiles.max,
                    quantiles: &of_quantiles.quantiles,
                })?;
            }
        }
        Ok(())
    }
}

/// The points of one replicate, one step after the other.
struct Line<'a> {
    points: Cursor<'a>,
    last: Option<Point>,
    next: Option<Point>,
}

impl<'a> Line<'a> {
    fn all(sorted: &'a Sorted, series: u32) -> io::Result<Vec<Self>> {
        let line = |part| {
            let mut line = Self {
                points: sorted.part(series, part),
                last: None,
                next: None,
            };
            line.take()?;
            Ok(line)
        };
        sorted.parts(series).map(line).collect()
    }

    fn next_step(&self) -> Option<i64> {
        self.next.map(|point| point.step)
    }

    /// Takes the point of the next step: the last one that has it.
    fn take(&mut self) -> io::Result<Option<Point>> {
        let mut next = self.points.next()?;
        while let (Some(point), Some(behind)) = (next, self.points.peek()?) {
            if point.step != behind.step {
                break;
            }
            next = self.points.next()?;
        }
        self.last = std::mem::replace(&mut self.next, next);
        Ok(self.last)
    }

    /// The value at a step between two points.
    fn between(&self, step: i64) -> Option<f64> {
        let (before, behind) = (self.last?, self.next?);
        let distance = |from: i64, to: i64| (i128::from(to) - i128::from(from)) as f64;
        let share = distance(before.step, step) / distance(before.step, behind.step);
        Some(linear(before.value, behind.value, share))
    }
}

/// A value between two; exactly theirs where both are the same, also where they are infinite.
fn linear(a: f64, b: f64, share: f64) -> f64 {
    if a == b || share == 0.0 {
        a
    } else {
        a + (b - a) * share
    }
}

struct Statistics {
    mean: f64,
    std: Option<f64>,
    min: f64,
    max: f64,
    quantiles: Vec<f64>,
}

impl Statistics {
    /// Of at least one value; sorts them.
    fn of(values: &mut [f64], quantiles: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        values.sort_by(f64::total_cmp);
        let any_nan = values.iter().any(|value| value.is_nan());
        let values = &*values;
        let quantile = |&share: &f64| {
            if any_nan || values.is_empty() {
                return f64::NAN;
            }
            let place = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            linear(values[below], values[above], place - place.floor())
        };
        Self {
            mean,
            std: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
            min: quantile(&0.0),
            max: quantile(&1.0),
            quantiles: quantiles.iter().map(quantile).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (i64, usize, f64, Option<f64>);

    fn rows(align: Align, points: &[(&str, i64, f64)]) -> Vec<Row> {
        let mut aggregator = Aggregator::default();
        for (replicate, step, value) in points {
            let event = Event::new("r", "t", *step, *step as f64, *value);
            aggregator.add(replicate, &event).unwrap();
        }
        let mut rows = Vec::new();
        let row = |row: &Aggregate<'_>| {
            rows.push((row.step.as_i64(), row.count, row.mean, row.std));
            Ok::<_, io::Error>(())
        };
        aggregator.finish(align, &[], row).unwrap();
        rows
    }

    #[test]
    fn unequal_steps_are_aligned() {
        let points = [
            ("a", 0, 0.0),
            ("a", 10, 10.0),
            ("b", 5, 1.0),
            ("b", 10, 2.0),
            ("b", 20, 4.0),
        ];
        let half = Some(0.5_f64.sqrt());
        assert_eq!(
            rows(Align::Union, &points)[..3],
            [
                (0, 1, 0.0, None),
                (5, 1, 1.0, None),
                (10, 2, 6.0, Some(32_f64.sqrt()))
            ]
        );
        let interpolated = rows(Align::Interpolate, &points);
        // Before its first step and behind its last one a replicate has no value.
        let counts: Vec<_> = interpolated.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(counts, [(0, 1), (5, 2), (10, 2), (20, 1)]);
        assert_eq!(interpolated[1].2, 3.0);
        assert_eq!(
            rows(Align::Intersect, &points),
            [(10, 2, 6.0, Some(32_f64.sqrt()))]
        );
        let last = [("a", 1, 9.0), ("a", 1, 1.0), ("b", 1, 2.0)];
        assert_eq!(rows(Align::Union, &last), [(1, 2, 1.5, half)]);
    }

    #[test]
    fn what_is_not_finite_shows() {
        let points = [
            ("a", 0, f64::NAN),
            ("b", 0, 1.0),
            ("a", 1, f64::INFINITY),
            ("b", 1, 1.0),
        ];
        let rows = rows(Align::Interpolate, &points);
        assert!(rows[0].2.is_nan() && rows[0].3.unwrap().is_nan());
        assert_eq!(rows[1].2, f64::INFINITY);
        let nan = Statistics::of(&mut [1.0, f64::NAN, 2.0], &[0.5]);
        assert!(
            [nan.min, nan.max, nan.quantiles[0]]
                .iter()
                .all(|it| it.is_nan())
        );
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let mut values = [7.0, 1.0, 4.0, 2.0];
        let found = Statistics::of(&mut values, &[0.0, 0.25, 0.5, 0.9, 1.0]);
        // numpy.quantile([7, 1, 4, 2], [0, .25, .5, .9, 1])
        for (found, expected) in found.quantiles.iter().zip([1.0, 1.75, 3.0, 6.1, 7.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!((found.min, found.max, found.mean), (1.0, 7.0, 3.5));
    }
}
