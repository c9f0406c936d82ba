//! Two logs side by side: what one has and the other has not, and where their values part.
//!
//! Wall times and the order of tags are no difference; what a series holds at its steps is.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io;

use prost::Message;

use super::names::Names;
use super::sorted::{Cursor, Point, Sorter};
use crate::flow::Event;
use crate::summary::{Tensor, Value};
use crate::types::{RunName, Step, Tag};

/// One of two logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// How far apart two numbers may be and still count as equal: `|a − b| ≤ absolute + relative·|b|`. NaN equals NaN, and
/// an infinity itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tolerance {
    /// In the unit of the values.
    pub absolute: f64,
    /// As a share of B's value.
    pub relative: f64,
}

impl Tolerance {
    fn holds(self, a: f64, b: f64) -> bool {
        a == b
            || (a.is_nan() && b.is_nan())
            || ((a - b).abs() <= self.absolute + self.relative * b.abs() && b.is_finite())
    }
}

/// Takes the events of two logs.
///
/// ```
/// use modelpulse::{flow::Event, replay::{Differ, Side, Tolerance}};
/// let mut differ = Differ::default();
/// for step in 0..5_i64 {
///     let value = |apart: f64| Event::new("train", "loss", step, 1.7e9, 1.0 + if step > 2 { apart } else { 0.0 });
///     differ.add(Side::A, &value(0.0))?;
///     differ.add(Side::B, &value(0.5))?;
/// }
/// let differences = differ.finish(Tolerance::default())?;
/// assert_eq!(differences.series[0].apart, 2);
/// assert_eq!(differences.runs[0].first_step.as_i64(), 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Differ {
    series: Names<(RunName, Tag)>,
    sorter: Sorter,
}

/// What is different.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Differences {
    /// How many series both logs have.
    pub common: usize,
    /// How many values were compared with their counterparts.
    pub compared: u64,
    /// Series that only the first log has, with the number of their values.
    pub only_a: Vec<(RunName, Tag, u64)>,
    /// Series that only the second log has.
    pub only_b: Vec<(RunName, Tag, u64)>,
    /// Series of both logs that are not equal.
    pub series: Vec<SeriesDifference>,
    /// Runs of both logs that part: not where a whole series is missing.
    pub runs: Vec<RunDifference>,
}

/// How a series differs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesDifference {
    /// The run.
    pub run: RunName,
    /// The tag.
    pub tag: Tag,
    /// Values that both logs have at a step.
    pub compared: u64,
    /// Those of them that are apart.
    pub apart: u64,
    /// The largest distance of two numbers; NaN where only one is NaN, or one that is no number is apart.
    pub largest: f64,
    /// Values at steps where the second log has none.
    pub only_a: u64,
    /// Values at steps where the first log has none.
    pub only_b: u64,
    /// The first step that differs.
    pub first_step: Step,
    /// What the logs have there: `None` for no value, or for one that is no number.
    pub first: (Option<f64>, Option<f64>),
}

/// Where a run parts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunDifference {
    /// The run.
    pub run: RunName,
    /// The first step at which any series of it differs.
    pub first_step: Step,
    /// The series that differ there.
    pub tags: Vec<Tag>,
}

impl Differences {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.only_a.is_empty() && self.only_b.is_empty() && self.series.is_empty()
    }
}

/// What stands for a value that is no number.
const NO_NUMBER: u32 = 1;

impl Differ {
    /// Takes an event of one log.
    ///
    /// # Errors
    /// Where the file that holds what does not fit in memory cannot be written.
    pub fn add(&mut self, side: Side, event: &Event) -> io::Result<()> {
        let (item, value) = match event.value.number() {
            Some(number) => (0, number),
            None => (NO_NUMBER, fingerprint(&event.value)),
        };
        self.sorter.push(Point {
            group: self.series.number(&(event.run.clone(), event.tag.clone())),
            part: side as u32,
            step: event.step.as_i64(),
            item,
            wall_time: event.wall_time,
            value,
        })
    }

    /// Compares.
    ///
    /// # Errors
    /// That of the file that holds what does not fit in memory.
    pub fn finish(self, tolerance: Tolerance) -> io::Result<Differences> {
        let sorted = self.sorter.finish()?;
        let mut found = Differences::default();
        let mut runs: BTreeMap<RunName, RunDifference> = BTreeMap::new();
        for ((run, tag), number) in self.series.sorted() {
            let side = |side: Side| sorted.part(number, side as u32);
            let (mut a, mut b) = (side(Side::A), side(Side::B));
            let only = match (a.peek()?, b.peek()?) {
                (Some(_), None) => Some((&mut a, &mut found.only_a)),
                (None, _) => Some((&mut b, &mut found.only_b)),
                _ => None,
            };
            if let Some((cursor, only)) = only {
                only.push((run.clone(), tag.clone(), count(cursor)?));
                continue;
            }
            found.common += 1;
            let (compared, difference) = compare((run, tag), a, b, tolerance)?;
            found.compared += compared;
            let Some(difference) = difference else {
                continue;
            };
            let first_step = difference.first_step;
            let parts = runs.entry(run.clone()).or_insert_with(|| RunDifference {
                run: run.clone(),
                first_step,
                tags: Vec::new(),
            });
            if first_step < parts.first_step {
                parts.first_step = first_step;
                parts.tags.clear();
            }
            if first_step == parts.first_step {
                parts.tags.push(tag.clone());
            }
            found.series.push(difference);
        }
        found.runs = runs.into_values().collect();
        Ok(found)
    }
}

fn count(cursor: &mut Cursor<'_>) -> io::Result<u64> {
    let mut count = 0;
    while cursor.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Goes through both, step by step; of several values of one step the first meets the first and so on.
fn compare(
    (run, tag): (&RunName, &Tag),
    mut a: Cursor<'_>,
    mut b: Cursor<'_>,
    tolerance: Tolerance,
) -> io::Result<(u64, Option<SeriesDifference>)> {
    let mut compared = 0;
    let mut found: Option<SeriesDifference> = None;
    loop {
        let (left, right) = match (a.peek()?, b.peek()?) {
            (None, None) => break,
            (Some(left), Some(right)) if left.step == right.step => (a.next()?, b.next()?),
            (Some(left), Some(right)) if left.step < right.step => (a.next()?, None),
            (Some(_), None) => (a.next()?, None),
            _ => (None, b.next()?),
        };
        let both = left.zip(right);
        compared += u64::from(both.is_some());
        let equal = both.is_some_and(|(left, right)| {
            left.item == right.item
                && match left.item {
                    NO_NUMBER => left.value == right.value,
                    _ => tolerance.holds(left.value, right.value),
                }
        });
        let Some(step) = left.or(right).map(|point| point.step).filter(|_| !equal) else {
            continue;
        };
        let number = |point: Option<Point>| {
            point.and_then(|point| (point.item != NO_NUMBER).then_some(point.value))
        };
        let found = found.get_or_insert_with(|| SeriesDifference {
            run: run.clone(),
            tag: tag.clone(),
            compared: 0,
            apart: 0,
            largest: 0.0,
            only_a: 0,
            only_b: 0,
            first_step: step.into(),
            first: (number(left), number(right)),
        });
        match both {
            Some(_) => {
                found.apart += 1;
                let distance = match (number(left), number(right)) {
                    (Some(left), Some(right)) => (left - right).abs(),
                    _ => f64::NAN,
                };
                // NaN, once there, stays.
                if distance.is_nan() || distance > found.largest {
                    found.largest = distance;
                }
            }
            None if left.is_some() => found.only_a += 1,
            None => found.only_b += 1,
        }
    }
    if let Some(found) = &mut found {
        found.compared = compared;
    }
    Ok((compared, found))
}

/// A number that is the same for equal values, and hardly ever for others.
fn fingerprint(value: &Value) -> f64 {
    let mut hasher = DefaultHasher::new();
    if let Some(tensor) = value.tensor() {
        hasher.write(tensor.plugin().as_bytes());
        write_elements(&mut hasher, tensor);
    }
    // As many bits as a number of double precision holds exactly.
    (hasher.finish() >> 11) as f64
}

/// The elements, however the tensor stores them.
fn write_elements(hasher: &mut DefaultHasher, tensor: &Tensor) {
    for size in tensor.shape().unwrap_or_default() {
        hasher.write_usize(size);
    }
    if let Ok(strings) = tensor.as_strings() {
        for string in strings {
            hasher.write_usize(string.len());
            hasher.write(&string);
        }
        // Hyperparameters stand in the metadata.
        if let Some(data) = tensor.metadata.plugin_data.as_ref() {
            hasher.write(&data.content);
        }
    } else if let Ok(numbers) = tensor.as_f64s() {
        numbers.iter().for_each(|it| hasher.write_u64(it.to_bits()));
        if let Some(data) = tensor.metadata.plugin_data.as_ref() {
            hasher.write(&data.content);
        }
    } else {
        hasher.write(&tensor.tensor.encode_to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Text;

    fn diff(a: &[(&str, i64, f64)], b: &[(&str, i64, f64)], absolute: f64) -> Differences {
        let mut differ = Differ::default();
        for (side, points) in [(Side::A, a), (Side::B, b)] {
            for (tag, step, value) in points {
                let event = Event::new("r", *tag, *step, f64::NAN, *value);
                differ.add(side, &event).unwrap();
            }
        }
        let relative = 0.0;
        differ.finish(Tolerance { absolute, relative }).unwrap()
    }

    #[test]
    fn equal_logs_have_no_difference() {
        let points = [
            ("x", 0, 1.0),
            ("x", 1, f64::NAN),
            ("y", 0, f64::INFINITY),
            ("x", 1, 2.0),
        ];
        let differences = diff(&points, &points, 0.0);
        assert!(differences.is_empty() && differences.runs.is_empty());
        assert_eq!((differences.common, differences.compared), (2, 4));
        assert!(diff(&[], &[], 0.0).is_empty());
    }

    #[test]
    fn the_tolerance_is_held() {
        let (a, b) = (
            [("x", 0, 1.0), ("x", 1, 2.0)],
            [("x", 0, 1.25), ("x", 1, 2.0)],
        );
        assert!(diff(&a, &b, 0.25).is_empty());
        let differences = diff(&a, &b, 0.1);
        assert_eq!(differences.series[0].largest, 0.25);
        assert_eq!(differences.series[0].first, (Some(1.0), Some(1.25)));
        for (a, b) in [
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
            (f64::INFINITY, 1.0),
            (1.0, f64::NEG_INFINITY),
        ] {
            assert!(
                !diff(&[("x", 0, a)], &[("x", 0, b)], 1e300).is_empty(),
                "{a} {b}"
            );
        }
        let infinite = [("x", 0, f64::INFINITY)];
        assert!(diff(&infinite, &infinite, 0.0).is_empty());
        assert!(!diff(&[("x", 0, f64::NEG_INFINITY)], &infinite, f64::INFINITY).is_empty());
    }

    #[test]
    fn missing_series_and_steps_are_told() {
        let a = [("x", 0, 1.0), ("x", 1, 1.0), ("y", 7, 1.0), ("z", 3, 1.0)];
        let b = [
            ("x", 1, 1.0),
            ("x", 2, 1.0),
            ("x", 2, 1.0),
            ("z", 3, 2.0),
            ("w", 0, 0.0),
        ];
        let found = diff(&a, &b, 0.0);
        let names = |only: &[(RunName, Tag, u64)]| -> Vec<String> {
            only.iter()
                .map(|(_, tag, count)| format!("{tag} {count}"))
                .collect()
        };
        assert_eq!(names(&found.only_a), ["y 1"]);
        assert_eq!(names(&found.only_b), ["w 1"]);
        let x = &found.series[0];
        assert_eq!((x.compared, x.apart, x.only_a, x.only_b), (1, 0, 1, 2));
        assert_eq!((x.first_step, x.first), (Step::ZERO, (Some(1.0), None)));
        assert_eq!(found.runs[0].first_step, Step::ZERO);
        assert_eq!(found.runs[0].tags, [Tag::from("x")]);
    }

    #[test]
    fn values_that_are_no_numbers_are_compared() {
        let differ = |a: Value, b: Value| {
            let mut differ = Differ::default();
            differ
                .add(Side::A, &Event::new("r", "t", 0, 0.0, a))
                .unwrap();
            differ
                .add(Side::B, &Event::new("r", "t", 0, 1.0, b))
                .unwrap();
            differ.finish(Tolerance::default()).unwrap()
        };
        let text = |text: &str| Value::from(Text::new(text));
        assert!(differ(text("a"), text("a")).is_empty());
        assert!(differ(text("a"), text("b")).series[0].largest.is_nan());
        assert!(!differ(text("1"), 1.0.into()).is_empty());
    }
}
