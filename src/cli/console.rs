//! The console as a sink: one line an epoch.
//!
//! A line is printed when the epoch's scalars are written, so what was seen is never lost.

use std::io::Write;

use crate::flow::{Event, Sink, SinkError};

/// Prints a line for each epoch.
pub(super) struct EpochLines {
    epochs: usize,
}

impl EpochLines {
    pub(super) fn new(epochs: usize) -> Self {
        Self { epochs }
    }
}

impl Sink for EpochLines {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        let find = |run: &str, tag: &str| {
            let event = instant
                .iter()
                .find(|event| event.run.as_str() == run && event.tag.as_str() == tag)?;
            Some((event.step, event.value.scalar()?))
        };
        let Some((epoch, _)) = find("train", "epoch_loss") else {
            return Ok(());
        };
        let width = self.epochs.to_string().len();
        let mut line = format!("epoch {:>width$}/{}", epoch.as_i64() + 1, self.epochs);
        for run in ["train", "eval"] {
            line += &format!("  {run}");
            for name in ["loss", "accuracy"] {
                if let Some((_, value)) = find(run, &format!("epoch_{name}")) {
                    line += &format!(" {name} {value:.4}");
                }
            }
        }
        if let Some((_, rate)) = find("train", "time/samples_per_second") {
            line += &format!("  {rate:.0} samples/s");
        }
        // Nobody may be reading any more; the training goes on.
        let _ = writeln!(std::io::stdout(), "{line}");
        Ok(())
    }
}
