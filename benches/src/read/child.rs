//! One reader, once, in a process of its own.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use modelpulse::flow::{Event, Source};
use modelpulse::log::{Log, LogReader, Restart};
use tfrecord::protobuf::event::What;
use tfrecord::protobuf::summary::value::Value;
use tfrecord::{EventIter, RecordReaderConfig};

use super::scan::{event_files, scan};
use super::{BYTES, PEAK, RATE};
use crate::contest::{Contender, Sample};
use crate::memory;
use crate::report::{LIMIT, OURS};
use crate::subprocess;

/// The verb under which this program reads a log in a process of its own.
pub(crate) const CHILD_VERB: &str = "read-child";
/// Our reader of whole values, one instant after the other.
pub(super) const STREAMED: &str = "modelpulse, all payloads";

/// Print how many values a reader finds, in how many seconds, and how many MiB it holds at the most and in the end
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    reader: Reader,
    logdir: PathBuf,
}

/// The readers in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reader {
    Ours,
    Streamed,
    Limit,
    Tfrecord,
}

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => OURS,
            Self::Streamed => STREAMED,
            Self::Limit => LIMIT,
            Self::Tfrecord => "tfrecord 0.15",
        }
    }

    /// Reads the log of so many values and bytes.
    pub(super) fn contender(self, logdir: &Path, values: usize, bytes: f64) -> Contender<'_> {
        Contender::new(self.name(), move || {
            let reader = self.to_possible_value().context("every reader is one")?;
            let arguments = [CHILD_VERB.as_ref(), reader.get_name().as_ref()];
            let numbers = subprocess::numbers(arguments.into_iter().chain([logdir.as_os_str()]))?;
            let [found, seconds, memory @ ..] = &numbers[..] else {
                return Err(anyhow!("the reader printed {numbers:?}"));
            };
            ensure!(
                *found == values as f64,
                "{} found {found} values",
                self.name()
            );
            let mut sample = Sample::of(*seconds).with(RATE, bytes * 1e-9 / seconds);
            if let ([peak, kept], true) = (memory, self != Self::Limit) {
                let mb = f64::from(1 << 20) * 1e-6;
                sample = sample.with(PEAK, peak * mb);
                if self == Self::Ours {
                    sample = sample.with(BYTES, kept * mb * 1e6 / values as f64);
                }
            }
            Ok(sample)
        })
    }

    /// Reads the log, and hands what is in memory then to `look`.
    fn read(self, logdir: &Path, look: impl FnOnce()) -> anyhow::Result<usize> {
        match self {
            Self::Ours => {
                let log = Log::open(logdir)?;
                look();
                ensure!(log.problems().next().is_none(), "the log is damaged");
                let mut points = 0;
                for run in log.runs(Restart::KeepAll) {
                    let series = run.tags().into_iter().filter_map(|tag| run.series(tag));
                    points += series.map(|series| series.points().count()).sum::<usize>();
                }
                Ok(points)
            }
            Self::Streamed => {
                let (mut log, mut values) = (LogReader::open(logdir)?, 0);
                while let Some(instant) = log.next_instant().map_err(|error| anyhow!(error))? {
                    values += instant.iter().filter(|event| has_payload(event)).count();
                }
                look();
                Ok(values)
            }
            Self::Limit => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let values = scan(logdir, cores);
                look();
                values
            }
            Self::Tfrecord => tfrecord(logdir, look),
        }
    }
}

fn has_payload(event: &Event) -> bool {
    event.value.tensor().is_some()
}

/// The crate tfrecord, with checksums as it checks them by default; scalars and tensors are kept by tag.
fn tfrecord(logdir: &Path, look: impl FnOnce()) -> anyhow::Result<usize> {
    let mut files = Vec::new();
    event_files(logdir, &mut files)?;
    let (mut count, mut kept) = (0, Vec::new());
    for path in files {
        let mut scalars: HashMap<String, Vec<(f64, i64, f32)>> = HashMap::new();
        let mut others = Vec::new();
        let file = BufReader::with_capacity(256 << 10, File::open(path)?);
        for event in EventIter::from_reader(file, RecordReaderConfig::default()) {
            let event = event?;
            let Some(What::Summary(summary)) = event.what else {
                continue;
            };
            for value in summary.value {
                count += 1;
                match value.value {
                    Some(Value::SimpleValue(number)) => {
                        let point = (event.wall_time, event.step, number);
                        scalars.entry(value.tag).or_default().push(point);
                    }
                    other => others.push(other),
                }
            }
        }
        kept.push((scalars, others));
    }
    look();
    Ok(count)
}

/// The whole of the child process.
pub(crate) fn child(args: &ChildArgs) -> anyhow::Result<()> {
    memory::forget_peak();
    let before = memory::resident_mib();
    let (began, mut seconds, mut after) = (Instant::now(), 0.0, None);
    let values = args.reader.read(&args.logdir, || {
        seconds = began.elapsed().as_secs_f64();
        after = memory::resident_mib();
    })?;
    print!("{values} {seconds}");
    if let (Some((before, _)), Some((kept, peak))) = (before, after) {
        print!(" {} {}", peak - before, kept - before);
    }
    println!();
    Ok(())
}
