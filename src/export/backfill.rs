//! A log as time-stamped OpenMetrics, which Prometheus takes as if it had scraped it:
//! `promtool tsdb create-blocks-from openmetrics`.
//!
//! Names, labels and values are those of [`Registry::sink`](crate::health::Registry::sink), so that old and new are one
//! series.

use std::collections::HashMap;
use std::io::Write;

use super::exposition;
use crate::flow::{SinkError, Source};
use crate::health::SeriesNames;
use crate::replay::{Names, Point, Sorter};

/// Writes the scalars of `source` to `out`, each series in the order of its times. Returns how many samples there are.
///
/// Prometheus knows milliseconds: of several values in one, the last is written. Values without a time are left out.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{export::backfill, log::{LogReader, Writer}};
/// let writer = Writer::create(dir.path())?;
/// writer.run("eval").log_at("accuracy", 0, 1.5, 0.7);
/// writer.run("eval").log_at("accuracy", 1, 2.25, 0.8);
/// writer.finish()?;
/// let mut page = Vec::new();
/// assert_eq!(backfill(&mut LogReader::open(dir.path())?, &mut page)?, 2);
/// let expected = "# HELP modelpulse_accuracy The last value of the series of this name, by run\n\
///     ## TYPE modelpulse_accuracy gauge\n\
///     modelpulse_accuracy{run=\"eval\"} 0.7 1.500\n\
///     modelpulse_accuracy{run=\"eval\"} 0.8 2.250\n\
///     ## EOF\n";
/// assert_eq!(page, expected.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// What `source` or `out` fails with, or the file that holds what does not fit in memory.
pub fn backfill(source: &mut dyn Source, mut out: impl Write) -> Result<u64, SinkError> {
    let (mut names, mut numbers) = (SeriesNames::default(), HashMap::new());
    let (mut series, mut sorter) = (Names::default(), Sorter::default());
    while let Some(instant) = source.next_instant()? {
        for event in instant {
            let (Some(value), true) = (event.value.decimal(), event.wall_time.is_finite()) else {
                continue;
            };
            let key = (event.run, event.tag);
            let group = match numbers.get(&key) {
                Some(&number) => number,
                None => {
                    let name = names.name(&key.0, &key.1);
                    let labels = name.labels();
                    let number = series.number(&(name.metric, labels, name.description));
                    numbers.insert(key, number);
                    number
                }
            };
            sorter.push(Point {
                group,
                part: 0,
                // Saturates.
                step: (event.wall_time * 1e3).round() as i64,
                item: 0,
                wall_time: event.wall_time,
                value,
            })?;
        }
    }
    let sorted = sorter.finish()?;
    let (mut written, mut line) = (0, String::new());
    let mut current = None;
    for ((metric, labels, description), number) in series.sorted() {
        if current.replace(metric) != Some(metric) {
            writeln!(out, "# HELP {metric} {description}\n# TYPE {metric} gauge")?;
        }
        let mut points = sorted.part(number, 0);
        while let Some(point) = points.next()? {
            if points.peek()?.is_some_and(|next| next.step == point.step) {
                continue;
            }
            line.clear();
            exposition::number(point.value, &mut line);
            let (seconds, rest) = (point.step.div_euclid(1000), point.step.rem_euclid(1000));
            if seconds < 0 {
                // Before 1970 there was no Prometheus.
                continue;
            }
            writeln!(out, "{metric}{{{labels}}} {line} {seconds}.{rest:03}")?;
            written += 1;
        }
    }
    out.write_all(b"# EOF\n")?;
    out.flush()?;
    Ok(written)
}
