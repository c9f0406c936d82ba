//! What is counted of a series: memory that does not grow with it.

use crate::types::Step;

#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) ends: Option<((Step, f64), (Step, f64))>,
    pub(super) last_number: Option<f64>,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) numbers: u64,
    pub(super) nonfinite: u64,
    pub(super) course: Course,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            count: 0,
            ends: None,
            last_number: None,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            numbers: 0,
            nonfinite: 0,
            course: Course::default(),
        }
    }
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, step: i64, wall_time: f64, number: Option<f64>) {
        self.count += 1;
        let here = (Step::from(step), wall_time);
        self.ends = Some((self.ends.map_or(here, |(first, _)| first), here));
        self.last_number = number;
        let Some(number) = number else {
            return;
        };
        self.numbers += 1;
        if number.is_finite() {
            self.min = self.min.min(number);
            self.max = self.max.max(number);
        } else {
            self.nonfinite += 1;
        }
        self.course.add(number);
    }

    pub(super) fn append(&mut self, later: &Self) {
        let Some((first, last)) = later.ends else {
            return;
        };
        self.count += later.count;
        self.ends = Some((self.ends.map_or(first, |(first, _)| first), last));
        self.last_number = later.last_number;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.numbers += later.numbers;
        self.nonfinite += later.nonfinite;
        later
            .course
            .parts
            .iter()
            .for_each(|&part| self.course.push(part));
        self.course.push(later.course.open);
    }
}

/// The course of a series: means of stretches, which become longer as it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    parts: Vec<Part>,
    open: Part,
    /// How many numbers make a stretch, less one.
    stretch: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    sum: f64,
    finite: u64,
    all: u64,
}

impl Course {
    const PARTS: usize = 256;

    #[inline]
    fn add(&mut self, number: f64) {
        self.open.all += 1;
        if number.is_finite() {
            self.open.sum += number;
            self.open.finite += 1;
        }
        if self.open.all > self.stretch {
            let part = std::mem::take(&mut self.open);
            self.push(part);
        }
    }

    fn push(&mut self, part: Part) {
        if part.all == 0 {
            return;
        }
        self.parts.push(part);
        if self.parts.len() == Self::PARTS {
            let pairs = self.parts.chunks(2).map(|pair| Part {
                sum: pair.iter().map(|part| part.sum).sum(),
                finite: pair.iter().map(|part| part.finite).sum(),
                all: pair.iter().map(|part| part.all).sum(),
            });
            self.parts = pairs.collect();
            self.stretch = self.stretch * 2 + 1;
        }
    }

    pub(super) fn means(&self) -> Vec<f64> {
        let parts = self.parts.iter().chain([&self.open]);
        parts
            .filter(|part| part.all > 0)
            .map(|part| part.sum / part.finite as f64)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_keeps_its_shape_however_long() {
        let mut course = Course::default();
        (0..100_000).for_each(|index| course.add(f64::from(index)));
        let means = course.means();
        assert!((100..=256).contains(&means.len()), "{}", means.len());
        assert!(means.is_sorted());
        assert!(means[0] < 1000.0 && means[means.len() - 1] > 99_000.0);
    }

    #[test]
    fn what_is_not_finite_is_counted_and_no_bound() {
        let mut tally = Tally::default();
        for number in [f64::NAN, 1.0, f64::INFINITY, -2.0, f64::NEG_INFINITY] {
            tally.add(0, 0.0, Some(number));
        }
        tally.add(1, 1.0, None);
        assert_eq!((tally.min, tally.max, tally.nonfinite), (-2.0, 1.0, 3));
        assert_eq!(
            (tally.count, tally.numbers, tally.last_number),
            (6, 5, None)
        );
    }
}
