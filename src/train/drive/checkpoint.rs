//! What hooks asked for is done when all of them were called: checkpoints, and parameters that come back.
//!
//! A checkpoint keeps what the loop and its hooks have come to, so that a resumed loop calls what the
//! one that was never stopped would have called.

use std::path::Path;
use std::time::Instant;

use super::clock::Phase;
use super::{Loop, point};
use crate::train::{CheckpointLoaded, CheckpointSaved, HookError, State, Trainee};

impl Loop {
    /// Goes on from the checkpoint `path`, whose parameters and optimizer the trainee has again:
    /// `progress` is what it was [saved](Trainee::save) with. Call it behind [`start`](Self::start).
    ///
    /// # Errors
    /// Where `progress` is not a loop's.
    pub fn resume(
        &mut self,
        trainee: &mut dyn Trainee,
        path: &Path,
        progress: &State,
    ) -> Result<(), HookError> {
        let count = |name: &str| match progress.number(name) {
            Some(count) if count >= 0.0 && count.fract() == 0.0 => Ok(count as usize),
            _ => Err(format!("the checkpoint has no count of {name}")),
        };
        self.hooks.at.epoch = count("epochs")?;
        self.batch = count("batches")?;
        self.hooks.at.step = count("steps")?;
        self.updates = count("updates")?;
        self.running = self.batch > 0;
        if let Some(rate) = progress.number("learning_rate") {
            trainee.set_learning_rate(rate);
        }
        if let Some(session) = &self.hooks.session {
            session.resume_at(self.hooks.at.epoch, self.hooks.at.step);
        }
        self.clock.start();
        self.hooks.load(&progress.under("hook"));
        let loaded = CheckpointLoaded {
            path,
            epochs: self.hooks.at.epoch,
            steps: self.hooks.at.step,
        };
        point!(self, checkpoint_loaded, loaded);
        Ok(())
    }

    /// What a checkpoint is to keep of the loop and its hooks.
    fn progress(&mut self, trainee: &dyn Trainee) -> State {
        let mut progress = State::new();
        progress.set("epochs", self.hooks.at.epoch as f64);
        progress.set("batches", self.batch as f64);
        progress.set("steps", self.hooks.at.step as f64);
        progress.set("updates", self.updates as f64);
        let rate = trainee.learning_rate();
        if !rate.is_nan() {
            progress.set("learning_rate", rate);
        }
        progress.nest("hook", self.hooks.state());
        progress
    }

    /// Does what hooks asked for.
    #[inline]
    pub(super) fn settle(&mut self, trainee: &mut dyn Trainee) {
        if self.asks.save.get_mut().is_empty() && self.asks.restore.get_mut().is_none() {
            return;
        }
        self.settle_now(trainee);
    }

    #[cold]
    fn settle_now(&mut self, trainee: &mut dyn Trainee) {
        self.clock.start();
        if let Some((caller, parameters)) = self.asks.restore.take()
            && let Err(error) = trainee.restore(&parameters)
        {
            self.hooks.failed(caller, "restore", error.to_string());
        }
        let wanted = self.asks.save.take();
        if wanted.is_empty() {
            return;
        }
        // What the checkpoint stands for must not be lost where the checkpoint is not.
        if let Some(session) = &self.hooks.session {
            session.flush();
        }
        let progress = self.progress(trainee);
        for (caller, path) in wanted {
            let since = Instant::now();
            match trainee.save(&path, &progress) {
                Ok(bytes) => {
                    let saved = CheckpointSaved {
                        path: &path,
                        epochs: self.hooks.at.epoch,
                        steps: self.hooks.at.step,
                        bytes,
                        time: since.elapsed(),
                    };
                    point!(self, checkpoint_saved, saved);
                }
                Err(error) => {
                    self.hooks.failed(caller, "save", error.to_string());
                }
            }
        }
        self.clock.lap(Phase::Hooks);
    }
}
