//! The loop that calls hooks, whoever writes the training.
//!
//! Hooks see one order of calls, the one that [`Hook`] documents; the trainer of a framework drives the
//! same loop that a hand-written one does.

mod checkpoint;
mod clock;
mod epoch;
mod failure;
mod hooks;
mod shown;
mod step;

pub use failure::{HookFailure, OnError};

use std::time::{Duration, Instant};

use self::clock::{Clock, Phase};
use self::hooks::Hooks;
use self::shown::Parameters;
use super::hook::Asks;
use super::{Control, Exception, FitEnd, FitStart, Hook, Needs, Session, Trainee};

/// A batch that begins: how many items, and which, if the loop knows.
///
/// ```
/// use modelpulse::train::Batch;
/// assert_eq!(Batch::of(&[7, 3, 5]).items, Batch::from(3).items);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Batch<'a> {
    /// How many items it has.
    pub items: usize,
    /// Which items of the split they are; empty where nobody knows.
    pub indices: &'a [u32],
}

impl<'a> Batch<'a> {
    /// The items `indices` of the split.
    pub fn of(indices: &'a [u32]) -> Self {
        Self {
            items: indices.len(),
            indices,
        }
    }
}

impl From<usize> for Batch<'_> {
    #[inline]
    fn from(items: usize) -> Self {
        Self {
            items,
            indices: &[],
        }
    }
}

/// What a loop came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoopReport {
    /// How many epochs ended, those before a resumption included.
    pub epochs: usize,
    /// How many steps there were, those before a resumption included.
    pub steps: usize,
    /// Why it stopped before its last epoch, if it did.
    pub stopped: Option<String>,
    /// What hooks failed with.
    pub hook_failures: Vec<HookFailure>,
    /// How long it took.
    pub time: Duration,
    /// How much of that was spent in hooks, but for steps of which no hook needed anything.
    pub hook_time: Duration,
}

/// Calls hooks along a training loop.
///
/// Call its methods where the loop is there; the order is the one that [`Hook`] documents.
///
/// ```
/// # use modelpulse::train::{HookError, TensorVisitor};
/// use modelpulse::train::{Control, EpochEnd, Hook, Loop, Means, Outcome, Trainee};
///
/// /// Learns y = 2x.
/// struct Line { slope: f64, rate: f64 }
/// impl Trainee for Line {
///     fn learning_rate(&self) -> f64 { self.rate }
///     fn set_learning_rate(&mut self, rate: f64) { self.rate = rate; }
/// }
/// struct CloseEnough;
/// impl Hook for CloseEnough {
///     fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
///         let loss = at.train.metrics["loss"];
///         Ok(if loss < 1e-6 { Control::Stop("close enough".into()) } else { Control::Continue })
///     }
/// }
///
/// let mut line = Line { slope: 0.0, rate: 0.1 };
/// let data: [&[f64]; 2] = [&[1.0, 2.0], &[3.0]];
/// let mut fit = Loop::new().hook(CloseEnough);
/// fit.start(&mut line, 100, data.len());
/// while fit.epoch_start(&mut line) {
///     let mut means = Means::default();
///     for batch in data {
///         fit.batch_start(&mut line, batch.len());
///         let error = |x: &f64| line.slope * x - 2.0 * x;
///         let items = batch.len() as f64;
///         let loss = batch.iter().map(|x| error(x).powi(2)).sum::<f64>() / items;
///         let gradient = batch.iter().map(|x| 2.0 * error(x) * x).sum::<f64>() / items;
///         means.add(batch.len(), [("loss", loss)]);
///         if fit.after_loss(&mut line, Some(loss)) && fit.after_backward(&mut line) && fit.before_step(&mut line) {
///             line.slope -= line.rate * gradient;
///             fit.after_step(&mut line);
///         }
///         if !fit.batch_end(&mut line) {
///             break;
///         }
///     }
///     fit.epoch_end(&mut line, &Outcome::from(&means), &Outcome::default());
/// }
/// let report = fit.end(&mut line)?;
/// assert_eq!(report.stopped.as_deref(), Some("close enough"));
/// assert!((line.slope - 2.0).abs() < 1e-3);
/// # Ok::<(), modelpulse::train::HookFailure>(())
/// ```
#[derive(Debug, Default)]
pub struct Loop {
    hooks: Hooks,
    asks: Asks,
    /// How many epochs are planned.
    epochs: usize,
    /// Batches of the running epoch that ended.
    batch: usize,
    updates: usize,
    items: usize,
    /// Within an epoch: between `epoch_start` and `epoch_end`.
    running: bool,
    ended: bool,
    /// What hooks need of the step that runs or comes, and of the epoch.
    needs: Needs,
    epoch_needs: Needs,
    loss: Option<f64>,
    /// Of the step that runs.
    learning_rate: f64,
    eval_batch: usize,
    eval_first: usize,
    clock: Clock,
    /// Whether logging calls are timed, and how long they had taken at the last batch's end.
    log_clock: bool,
    logged: Duration,
    began: Option<Instant>,
}

/// Calls every hook at a point of the loop `$self`, and takes the time. A `$caller` is told which hook is called.
macro_rules! point {
    ($self:ident, $method:ident, $context:expr $(, $caller:expr)?) => {{
        let at = $context;
        $self.hooks.each(stringify!($method), |_index, hook| {
            $($caller.set(_index);)?
            hook.$method(&at)
        });
        $self.clock.lap(Phase::Hooks);
    }};
}
use point;

impl Loop {
    /// A loop without hooks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a hook; hooks are called in the order in which they were added.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook + 'static) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// What becomes of hooks that fail. Default: [`OnError::Disable`].
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.hooks.on_error = on_error;
        self
    }

    /// The session that the hooks log to. What hooks fail with is logged there too, as text; and before a
    /// checkpoint is saved, all that was logged is handed to the operating system, so that a resumed
    /// loop goes on behind what the log has.
    #[must_use]
    pub fn session(mut self, session: &Session) -> Self {
        self.hooks.session = Some(session.clone());
        self
    }

    /// The fit begins: how many epochs are planned, of how many batches.
    pub fn start(&mut self, trainee: &mut dyn Trainee, epochs: usize, batches: usize) {
        self.epochs = epochs;
        self.began = Some(Instant::now());
        self.clock.start();
        let learning_rate = trainee.learning_rate();
        let parameters = &Parameters::of(trainee, Needs::PARAMETERS);
        let start = FitStart {
            epochs,
            batches,
            learning_rate,
            parameters,
        };
        point!(self, fit_start, start);
    }

    /// Stops the loop as a hook can: at the end of this batch, or of this epoch where none runs.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.hooks.stop.get_or_insert_with(|| reason.into());
    }

    /// Why the loop is to stop, if it is.
    pub fn stopped(&self) -> Option<&str> {
        self.hooks.stop.as_deref()
    }

    /// What a hook failed with, where that is to [end](OnError::Abort) the loop.
    pub fn aborted(&self) -> Option<&HookFailure> {
        self.hooks.abort.as_ref()
    }

    /// The number of the epoch that runs or comes.
    pub fn epoch(&self) -> usize {
        self.hooks.at.epoch
    }

    /// The number of the batch that runs or comes, within its epoch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The loop cannot go on, for this reason; no hook is called any more.
    pub fn fail(mut self, message: &str) {
        self.except(message);
    }

    /// The fit ended.
    ///
    /// # Errors
    /// With [`OnError::Abort`], what a hook failed with.
    pub fn end(mut self, trainee: &mut dyn Trainee) -> Result<LoopReport, HookFailure> {
        if let Some(failure) = self.hooks.abort.take() {
            self.except(&failure.to_string());
            return Err(failure);
        }
        self.clock.start();
        let parameters = &Parameters::of(trainee, Needs::PARAMETERS);
        let stopped = self.hooks.stop.take();
        let end = FitEnd {
            epochs: self.hooks.at.epoch,
            steps: self.hooks.at.step,
            stopped: stopped.as_deref(),
            parameters,
            asks: &self.asks,
        };
        self.hooks.each("fit_end", |index, hook| {
            self.asks.caller.set(index);
            hook.fit_end(&end).map(|()| Control::Continue)
        });
        self.clock.lap(Phase::Hooks);
        self.settle(trainee);
        self.ended = true;
        self.report(stopped)
    }

    /// An evaluation alone ended: no fit did.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn finish(mut self) -> Result<LoopReport, HookFailure> {
        self.ended = true;
        self.report(None)
    }

    fn report(&mut self, stopped: Option<String>) -> Result<LoopReport, HookFailure> {
        match self.hooks.abort.take() {
            Some(failure) => Err(failure),
            None => Ok(LoopReport {
                epochs: self.hooks.at.epoch,
                steps: self.hooks.at.step,
                stopped,
                hook_failures: std::mem::take(&mut self.hooks.failures),
                time: self.began.map_or(Duration::ZERO, |began| began.elapsed()),
                hook_time: self.clock.hooks,
            }),
        }
    }

    fn except(&mut self, message: &str) {
        self.ended = true;
        let exception = Exception {
            epoch: self.hooks.at.epoch,
            steps: self.hooks.at.step,
            message,
        };
        self.hooks.each("exception", |_, hook| {
            hook.exception(&exception).map(|()| Control::Continue)
        });
    }
}

impl Drop for Loop {
    /// A loop that is left by an error or a panic says so to its hooks.
    fn drop(&mut self) {
        if self.began.is_some() && !self.ended {
            self.except(if std::thread::panicking() {
                "the loop panicked"
            } else {
                "the loop was left before its end"
            });
        }
    }
}
