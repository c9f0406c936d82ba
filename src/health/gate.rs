//! A gate between two versions of a model: is a candidate as good as the baseline, metric by metric?
//!
//! What is compared is where a metric ended and the best that it came to. A candidate whose metric is no number, or
//! is not there, is worse.

use std::collections::BTreeMap;

use super::Direction;
use super::naming::{Grain, grain, split, words};
use crate::flow::{Event, Sink, SinkError};
use crate::train::Split;

/// The course of one metric, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Course {
    /// How many values there were.
    pub count: u64,
    /// The last one.
    pub last: f64,
    /// The smallest number; NaN if there was none.
    pub min: f64,
    /// The largest number; NaN if there was none.
    pub max: f64,
}

impl Course {
    /// The best value of a metric of this direction; NaN if there was none.
    pub fn best(&self, direction: Direction) -> f64 {
        match direction {
            Direction::Up => self.max,
            Direction::Down => self.min,
        }
    }
}

/// The courses of all metrics of a run, by path: a sink.
///
/// ```
/// use modelpulse::flow::{Event, Sink};
/// use modelpulse::health::Courses;
/// let mut courses = Courses::default();
/// for (step, loss) in [(0, 0.5), (1, 0.25), (2, 0.75)] {
///     courses.accept(&[Event::new("eval", "loss", step, 0.0, loss)])?;
/// }
/// let loss = courses.get("eval/loss").unwrap();
/// assert_eq!((loss.last, loss.min, loss.count), (0.75, 0.25, 3));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Courses(BTreeMap<String, Course>);

impl Courses {
    /// The course of the metric at `path`, which is `run/tag`.
    pub fn get(&self, path: &str) -> Option<&Course> {
        self.0.get(path)
    }

    /// All of them, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Course)> {
        self.0.iter().map(|(path, course)| (&path[..], course))
    }

    /// The metrics that tell how good a model is: those whose direction the name tells, without those of single batches;
    /// of the held-out split where there are any, else all.
    pub fn telling(&self) -> Vec<&str> {
        let told = |path: &&str| {
            Direction::of(path).is_some()
                && !words(path)
                    .iter()
                    .any(|word| grain(word) == Some(Grain::Batch))
        };
        let mut metrics: Vec<&str> = self.iter().map(|(path, _)| path).filter(told).collect();
        let held_out = |path: &str| {
            let words = words(path);
            words.iter().any(|word| split(word) == Some(Split::Eval))
        };
        if metrics.iter().any(|path| held_out(path)) {
            metrics.retain(|path| held_out(path));
        }
        metrics
    }
}

impl Sink for Courses {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        for event in instant {
            let Some(value) = event.value.decimal() else {
                continue;
            };
            let course = self.0.entry(event.path()).or_insert(Course {
                count: 0,
                last: value,
                min: f64::NAN,
                max: f64::NAN,
            });
            course.count += 1;
            course.last = value;
            // The other one, where one is NaN.
            course.min = course.min.min(value);
            course.max = course.max.max(value);
        }
        Ok(())
    }
}

/// How much worse a candidate may be: `absolute + relative · |baseline|`.
///
/// ```
/// use modelpulse::health::{Allowance, Direction, GateVerdict};
/// let some = Allowance { absolute: 0.01, relative: 0.0 };
/// assert_eq!(some.judge(Direction::Up, 0.95, 0.94), GateVerdict::Same);
/// assert_eq!(some.judge(Direction::Up, 0.95, 0.93), GateVerdict::Worse);
/// assert_eq!(some.judge(Direction::Down, 0.95, 0.93), GateVerdict::Better);
/// assert_eq!(some.judge(Direction::Down, 0.95, f64::NAN), GateVerdict::Worse);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Allowance {
    /// In the metric's own unit.
    pub absolute: f64,
    /// As a part of the baseline's value.
    pub relative: f64,
}

/// How a candidate's value stands to the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateVerdict {
    /// Better by more than the allowance.
    Better,
    /// Within the allowance.
    Same,
    /// Worse by more than the allowance, or no number.
    Worse,
}

impl GateVerdict {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
        }
    }
}

impl Allowance {
    /// The allowance in the metric's own unit.
    pub fn at(self, baseline: f64) -> f64 {
        // Nothing of infinity is nothing.
        match self.relative {
            0.0 => self.absolute,
            relative => self.absolute + relative * baseline.abs(),
        }
    }

    /// Compares a candidate's value with the baseline's.
    pub fn judge(self, direction: Direction, baseline: f64, candidate: f64) -> GateVerdict {
        if candidate.is_nan() {
            return GateVerdict::Worse;
        }
        if baseline.is_nan() {
            return GateVerdict::Better;
        }
        if baseline == candidate {
            return GateVerdict::Same;
        }
        let worse_by = direction.worse_by(baseline, candidate);
        // 0.9 less 0.85 is a little more than 0.05.
        let slack = 1e-9 * baseline.abs().max(candidate.abs()).min(f64::MAX);
        let allowed = self.at(baseline) + slack;
        match worse_by {
            _ if worse_by > allowed || (worse_by.is_infinite() && worse_by > 0.0) => {
                GateVerdict::Worse
            }
            _ if -worse_by > allowed => GateVerdict::Better,
            _ => GateVerdict::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courses(paths: &[&str]) -> Courses {
        let mut courses = Courses::default();
        for path in paths {
            let (run, tag) = path.split_once('/').unwrap();
            courses
                .accept(&[Event::new(run, tag, 0, 0.0, 1.0)])
                .unwrap();
        }
        courses
    }

    #[test]
    fn the_metrics_that_tell_are_those_of_the_held_out_split() {
        let all = [
            "batch/batch_loss",
            "eval/epoch_accuracy",
            "eval/epoch_learning_rate",
            "eval/time/epoch_seconds",
            "train/epoch_loss",
        ];
        assert_eq!(courses(&all).telling(), ["eval/epoch_accuracy"]);
        assert_eq!(
            courses(&["train/epoch_loss", "batch/batch_loss"]).telling(),
            ["train/epoch_loss"]
        );
    }

    #[test]
    fn what_is_allowed_is_not_worse_and_what_is_no_number_is() {
        let judge = |absolute, relative, baseline, candidate| {
            let allowance = Allowance { absolute, relative };
            allowance.judge(Direction::Down, baseline, candidate)
        };
        use GateVerdict::{Better, Same, Worse};
        assert_eq!(judge(0.05, 0.0, 0.85, 0.9), Same);
        assert_eq!(judge(0.0, 0.1, 2.0, 2.2), Same);
        assert_eq!(judge(0.0, 0.1, 2.0, 2.21), Worse);
        assert_eq!(judge(0.0, 0.1, -2.0, -1.9), Same);
        assert_eq!(judge(0.0, 0.0, 0.0, 0.0), Same);
        assert_eq!(judge(1e9, 1e9, 0.0, f64::INFINITY), Worse);
        assert_eq!(judge(0.0, 0.0, f64::INFINITY, 5.0), Better);
        assert_eq!(judge(0.0, 0.5, f64::INFINITY, f64::INFINITY), Same);
        assert_eq!(judge(0.0, 0.0, f64::NAN, 5.0), Better);
        assert_eq!(judge(0.0, 0.0, f64::NAN, f64::NAN), Worse);
    }

    #[test]
    fn a_nan_is_no_best_value_but_may_be_the_last() {
        let mut courses = Courses::default();
        for value in [f64::NAN, 0.5, 0.25, f64::NAN] {
            courses
                .accept(&[Event::new("eval", "loss", 0, 0.0, value)])
                .unwrap();
        }
        let loss = courses.get("eval/loss").unwrap();
        assert_eq!((loss.best(Direction::Down), loss.count), (0.25, 4));
        assert!(loss.last.is_nan());
    }
}
