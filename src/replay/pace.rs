//! The time that a log took, taken again.
//!
//! Only the differences of wall times count; where they go back, or are none, nothing is waited for.

use std::time::{Duration, Instant};

use crate::flow::{Event, SinkError, Source};

/// Waits for wall times.
#[derive(Debug)]
pub(super) struct Pace {
    speed: f64,
    /// When the first event came, and the wall time that it had.
    began: Option<(Instant, f64)>,
}

impl Pace {
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, began: None }
    }

    /// How long it is from now until `wall_time` is due.
    pub(super) fn rest(&mut self, wall_time: f64) -> Duration {
        if !wall_time.is_finite() {
            return Duration::ZERO;
        }
        let (began, first) = *self.began.get_or_insert((Instant::now(), wall_time));
        let due = Duration::try_from_secs_f64((wall_time - first) / self.speed);
        due.unwrap_or_default().saturating_sub(began.elapsed())
    }
}

/// A source that gives its instants in the time that they took when they were logged, `speed` times faster.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{flow::Source, log::{LogReader, Writer}, replay::Paced};
/// let writer = Writer::create(dir.path())?;
/// (0..3_i64).for_each(|step| writer.run("train").log_at("loss", step, 1.7e9 + step as f64, 0.5));
/// writer.finish()?;
/// let began = std::time::Instant::now();
/// let mut paced = Paced::new(LogReader::open(dir.path())?, 100.0);
/// while paced.next_instant()?.is_some() {}
/// assert!(began.elapsed().as_secs_f64() >= 0.02);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct Paced<S> {
    source: S,
    pace: Pace,
}

impl<S: Source> Paced<S> {
    /// The instants of `source`, each when it is due. At a speed of 1 an hour takes an hour; one that is not
    /// positive waits for nothing.
    pub fn new(source: S, speed: f64) -> Self {
        let pace = Pace::new(speed);
        Self { source, pace }
    }
}

impl<S: Source> Source for Paced<S> {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        let instant = self.source.next_instant()?;
        if let Some(first) = instant.as_ref().and_then(|instant| instant.first()) {
            std::thread::sleep(self.pace.rest(first.wall_time));
        }
        Ok(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_due_when_it_was_logged() {
        let mut pace = Pace::new(2.0);
        assert_eq!(pace.rest(1000.0), Duration::ZERO);
        let rest = pace.rest(1200.0).as_secs_f64();
        assert!((99.0..=100.0).contains(&rest), "{rest}");
        for time in [999.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(pace.rest(time), Duration::ZERO);
        }
        assert_eq!(Pace::new(0.0).rest(5.0), Duration::ZERO);
    }
}
