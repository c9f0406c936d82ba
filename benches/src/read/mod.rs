//! `read`: our readers of logs beside their peers and beside the practical limit.
//!
//! Each repetition reads in a process of its own, so that its memory is its own too.

mod child;
mod live;
mod logs;
mod python;
mod scan;

use std::path::Path;

use clap::ValueEnum;
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Work, interleave, rows};
use crate::report::{Bound, OURS, Report};

use child::Reader;
pub(crate) use child::{CHILD_VERB, ChildArgs, child};

/// Our readers of logs beside their peers and beside the practical limit
///
/// Works: 1,000,000 scalars in one file, and 100 runs of 20 series of 1,000 steps, until all points are in memory;
/// 2,000 images of 50 KB, their index alone and all of them streamed; and how soon 'modelpulse tail' shows what was
/// flushed. All of ours check each record's checksum. 'limit' is a scanner by hand: the file mapped into memory, no
/// library, the processor's CRC instruction, no point's place kept. Logs are in the page cache.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Only these works
    #[arg(long, value_name = "WORK,…", value_delimiter = ',')]
    only: Vec<WorkName>,
}

const EXAMPLES: &str = "\
Examples:
  read
  read --quick --only one-file
  read --json > read.json
  MODELPULSE_PYTHON=/usr/bin/python3 read --only runs,images

'export' measures a log as a table.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorkName {
    OneFile,
    Runs,
    Images,
    Live,
}

/// Megabytes that a reader holds at the most, beside what it held before and the file's own pages.
pub(crate) const PEAK: &str = "MB";
const BYTES: &str = "bytes a point";
const RATE: &str = "GB/s";

/// Runs the works that were asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let repetitions = args.common.repetitions(5);
    let pythons = python::found(&mut report);
    for &work in WorkName::value_variants() {
        if !args.only.is_empty() && !args.only.contains(&work) {
            continue;
        }
        eprintln!("measuring {} …", work.name());
        match work {
            WorkName::Live => live::run(&mut report, repetitions)?,
            _ => contest(work, &pythons, repetitions, &mut report)?,
        }
    }
    Ok(report)
}

fn contest(
    work: WorkName,
    pythons: &[python::Peer],
    repetitions: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let (log, part) = (&dir.path().join("log"), &dir.path().join("part"));
    let (values, item) = work.write(log, 1)?;
    let values_of_part = work.write(part, python::PART)?.0;
    let bytes = bytes_below(log)? as f64;
    let mut contenders: Vec<Contender<'_>> = work
        .readers()
        .iter()
        .map(|&reader| reader.contender(log, values, bytes))
        .collect();
    for peer in pythons {
        contenders.push(match peer.is_slow() {
            true => peer.contender(part, values_of_part, python::PART),
            false => peer.contender(log, values, 1),
        });
    }
    // One repetition of a slow reader is long enough.
    let slow = pythons.iter().filter(|peer| peer.is_slow()).count();
    let (fast, slow) = contenders
        .split_at_mut_checked(work.readers().len() + pythons.len() - slow)
        .unwrap_or_default();
    interleave(repetitions, fast)?;
    interleave(1, slow)?;

    let title = Work {
        name: work.name(),
        items: values as f64,
        item,
    };
    let mut rows = rows(title, &contenders);
    for row in &mut rows {
        if work == WorkName::Images {
            // What a point takes is seen where there are many.
            row.extras.retain(|(name, _)| *name != BYTES);
        }
        match (work, &*row.who) {
            (WorkName::OneFile, OURS) => {
                row.goal("× data-server", row.ratio_to_peer, Bound::AtLeast(10.0));
                row.goal("× limit", row.ratio_to_limit, Bound::AtLeast(0.75));
                row.extra_goal(PEAK, Bound::AtMost(25.0));
                row.extra_goal(BYTES, Bound::AtMost(24.0));
            }
            (WorkName::Runs, OURS) => {
                row.goal("× data-server", row.ratio_to_peer, Bound::AtLeast(10.0));
            }
            (WorkName::Images, OURS) => {
                row.goal("× limit", row.ratio_to_limit, Bound::AtLeast(0.8));
            }
            (WorkName::Images, child::STREAMED) => {
                row.extra_goal(RATE, Bound::AtLeast(1.0));
                row.extra_goal(PEAK, Bound::AtMost(64.0));
            }
            _ => {}
        }
    }
    report.add(rows);
    Ok(())
}

impl WorkName {
    fn name(self) -> &'static str {
        match self {
            Self::OneFile => "one_file",
            Self::Runs => "runs",
            Self::Images => "images",
            Self::Live => "live",
        }
    }

    /// Writes the log, or so small a part of it; how many values it has, and what they are.
    fn write(self, dir: &Path, part: usize) -> anyhow::Result<(usize, &'static str)> {
        match self {
            Self::OneFile => {
                let scalars = 1_000_000 / part;
                logs::one_file(dir, scalars).map(|()| (scalars, "scalars"))
            }
            Self::Runs => {
                let runs = 100 / part;
                logs::many_runs(dir, runs).map(|()| (runs * 20_000, "scalars"))
            }
            Self::Images => {
                let images = 2_000 / part;
                logs::images(dir, images).map(|()| (images, "images"))
            }
            Self::Live => Ok((0, "values")),
        }
    }

    /// The readers in Rust that take part.
    fn readers(self) -> &'static [Reader] {
        match self {
            Self::OneFile | Self::Runs => &[Reader::Ours, Reader::Limit, Reader::Tfrecord],
            Self::Images => &[
                Reader::Ours,
                Reader::Streamed,
                Reader::Limit,
                Reader::Tfrecord,
            ],
            Self::Live => &[],
        }
    }
}

fn bytes_below(dir: &Path) -> anyhow::Result<u64> {
    let mut files = Vec::new();
    scan::event_files(dir, &mut files)?;
    let sizes = files.iter().map(|path| Ok(path.metadata()?.len()));
    sizes.sum()
}
