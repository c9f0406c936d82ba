//! The peers that a Python reaches: TensorBoard's data server, its own reader, and tbparse.

use std::path::Path;

use anyhow::{Context, ensure};

use super::PEAK;
use crate::contest::{Contender, Sample};
use crate::python;
use crate::report::{READER_PEER, Report};

const SCRIPT: &str = include_str!("read.py");
/// The readers in Python are slower by two orders of magnitude, so they read so small a part of the log.
pub(super) const PART: usize = 10;

/// A reader that is there.
#[derive(Debug)]
pub(super) struct Peer {
    name: &'static str,
    version: String,
}

/// The peers that are there, the fast one first; the report says which are not.
pub(super) fn found(report: &mut Report) -> Vec<Peer> {
    let python = python::python();
    let mut found = Vec::new();
    for name in [READER_PEER, "EventAccumulator", "tbparse"] {
        match python::run(SCRIPT, &python, &[name]) {
            Ok(version) => found.push(Peer { name, version }),
            Err(_) => report.note(format!(
                "{name} is not measured: {} does not have it; MODELPULSE_PYTHON names another Python",
                python.display()
            )),
        }
    }
    for peer in &found {
        report.note(match peer.is_slow() {
            false => format!("{} is tensorboard-data-server {}", peer.name, peer.version),
            true => format!(
                "{} reads a tenth of the log, once; its time is scaled up",
                peer.title()
            ),
        });
    }
    found
}

impl Peer {
    pub(super) fn is_slow(&self) -> bool {
        self.name != READER_PEER
    }

    fn title(&self) -> String {
        match self.name {
            "EventAccumulator" => format!("tensorboard {} (Python)", self.version),
            _ if self.is_slow() => format!("{} {} (Python)", self.name, self.version),
            _ => self.name.to_owned(),
        }
    }

    /// Reads the log of so many values, of which the whole has `scale` times as many.
    pub(super) fn contender<'a>(
        &'a self,
        logdir: &'a Path,
        values: usize,
        scale: usize,
    ) -> Contender<'a> {
        Contender::new(self.title(), move || {
            let arguments = [self.name, python::path(logdir)?];
            let printed = python::run(SCRIPT, &python::python(), &arguments)?;
            let mut words = printed.split_whitespace().map(str::parse::<f64>);
            let mut next = || words.next().context("the script prints three numbers");
            let (seconds, found, mib) = (next()??, next()??, next()??);
            ensure!(
                found == values as f64,
                "{} found {found} values of {values}",
                self.name
            );
            let sample = Sample::of(seconds * scale as f64);
            Ok(match mib {
                0.0 => sample,
                mib => sample.with(PEAK, mib * f64::from(1 << 20) * 1e-6),
            })
        })
    }
}
