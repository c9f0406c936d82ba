//! When checkpoints are saved, and which are kept.
//!
//! The loop writes them; each takes its place at once or not at all, so the file of a name is always whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::train::{
    BatchEnd, CheckpointSaved, Control, EpochEnd, FitStart, Hook, HookError, Monitor, State,
};

/// Saves a checkpoint at the end of every epoch as `last.safetensors`; on demand also the best one as
/// `best.safetensors`, and the newest ones under their numbers, such as `step-00001200.safetensors`.
///
/// What a checkpoint holds is the loop's matter: parameters, optimizer, hooks, and where the loop was.
///
/// ```
/// use modelpulse::train::{Monitor, callbacks::Checkpoint};
/// let hook = Checkpoint::new("runs/digits-001/checkpoints")
///     .every_batches(500)
///     .best(Monitor::default())
///     .keep(3);
/// ```
#[must_use]
#[derive(Debug)]
pub struct Checkpoint {
    dir: PathBuf,
    every: usize,
    /// Whether that counts batches, and not epochs.
    by_batch: bool,
    monitor: Option<Monitor>,
    best: Option<f64>,
    keep: usize,
    /// How long after the last one the next is due, and when that was.
    spacing: Duration,
    saved: Option<Instant>,
    epochs: usize,
}

const ENDING: &str = "safetensors";

impl Checkpoint {
    /// Saves into `dir`, which is made if it is not there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            every: 1,
            by_batch: false,
            monitor: None,
            best: None,
            keep: 0,
            spacing: Duration::ZERO,
            saved: None,
            epochs: 0,
        }
    }

    /// Saves every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        (self.every, self.by_batch) = (epochs.max(1), false);
        self
    }

    /// Saves every `batches`-th batch, at least every one, in place of every epoch.
    pub fn every_batches(mut self, batches: usize) -> Self {
        (self.every, self.by_batch) = (batches.max(1), true);
        self
    }

    /// Leaves out what is due sooner after the last one, so that short epochs are not spent on waiting for
    /// the disk; but never the one behind the last epoch that is planned.
    pub fn spaced(mut self, least: Duration) -> Self {
        self.spacing = least;
        self
    }

    /// Also saves, at the end of each epoch that is better than all before by `monitor`, the best.
    pub fn best(mut self, monitor: Monitor) -> Self {
        self.monitor = Some(monitor);
        self
    }

    /// Also keeps the newest `count` under their numbers; older ones are removed.
    pub fn keep(mut self, count: usize) -> Self {
        self.keep = count;
        self
    }

    /// The file of the last checkpoint in `dir`.
    pub fn last_in(dir: impl AsRef<Path>) -> PathBuf {
        file(dir.as_ref(), "last")
    }

    /// The file of the best checkpoint in `dir`.
    pub fn best_in(dir: impl AsRef<Path>) -> PathBuf {
        file(dir.as_ref(), "best")
    }

    /// Asks for the checkpoints behind `steps` steps. The last comes last: where it is, the others are.
    fn save(&mut self, steps: usize, save: impl Fn(PathBuf)) {
        self.saved = Some(Instant::now());
        if self.keep > 0 {
            save(file(&self.dir, &format!("{NUMBERED}{steps:08}")));
        }
        save(Self::last_in(&self.dir));
    }

    /// Whether the last one is long enough ago.
    fn is_due(&self) -> bool {
        let due = |saved: Instant| saved.elapsed() >= self.spacing;
        self.saved.is_none_or(due)
    }

    fn remove_old(&self) -> std::io::Result<()> {
        let mut numbered = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if let Some(step) = number(&path) {
                numbered.push((step, path));
            }
        }
        numbered.sort();
        let old = numbered.len().saturating_sub(self.keep);
        numbered[..old]
            .iter()
            .try_for_each(|(_, path)| fs::remove_file(path))
    }
}

const NUMBERED: &str = "step-";

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.{ENDING}"))
}

/// The number of a numbered checkpoint.
fn number(path: &Path) -> Option<u64> {
    let ending = path.extension()? == ENDING;
    let digits = path.file_stem()?.to_str()?.strip_prefix(NUMBERED)?;
    digits.parse().ok().filter(|_| ending)
}

impl Hook for Checkpoint {
    fn state(&self) -> State {
        let mut state = State::new();
        if let Some(best) = self.best {
            state.set("best", best);
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.best = state.number("best");
        Ok(())
    }

    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        self.epochs = at.epochs;
        self.saved = Some(Instant::now());
        fs::create_dir_all(&self.dir)
            .map_err(|error| format!("cannot make {}: {error}", self.dir.display()))?;
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        let steps = at.step + 1;
        if self.by_batch && steps.is_multiple_of(self.every) && self.is_due() {
            self.save(steps, |path| at.save(path));
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if let Some(monitor) = &self.monitor {
            let Some(value) = monitor.read(at) else {
                return Err(super::no_metric(monitor, at).into());
            };
            let best = self.best.unwrap_or(monitor.mode().worst());
            if monitor.mode().improves(value, best, 0.0) {
                self.best = Some(value);
                at.save(Self::best_in(&self.dir));
            }
        }
        let epochs = at.epoch + 1;
        let last = epochs == self.epochs;
        if !self.by_batch && epochs.is_multiple_of(self.every) && (last || self.is_due()) {
            self.save(at.steps, |path| at.save(path));
        }
        Ok(Control::Continue)
    }

    fn checkpoint_saved(&mut self, at: &CheckpointSaved<'_>) -> Result<Control, HookError> {
        if at.path.parent() == Some(&self.dir) && number(at.path).is_some() {
            self.remove_old()
                .map_err(|error| format!("cannot remove old checkpoints: {error}"))?;
        }
        Ok(Control::Continue)
    }
}
