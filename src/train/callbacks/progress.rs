//! How far a training has come, on the console.
//!
//! A bar where somebody looks at a terminal, a line an epoch elsewhere; both on standard error.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::train::{
    BatchEnd, CheckpointLoaded, Control, EpochEnd, EpochStart, Exception, FitEnd, FitStart, Hook,
    HookError, Outcome,
};

/// Shows how far the training has come, what the last epoch came to, and how long the rest takes.
///
/// ```
/// use modelpulse::train::callbacks::Progress;
/// let hook = Progress::new();
/// let to_a_file = Progress::lines(std::io::sink());
/// ```
#[must_use]
pub struct Progress {
    bar: ProgressBar,
    lines: Option<Box<dyn Write + Send>>,
    epochs: usize,
    batches: usize,
    /// What the last epoch came to.
    last: String,
}

/// Lets others print while a bar is shown; see [`Progress::screen`].
///
/// ```
/// use modelpulse::train::callbacks::Progress;
/// let progress = Progress::new();
/// let screen = progress.screen();
/// screen.print(|| println!("a line that no bar runs through"));
/// ```
#[derive(Debug, Clone)]
pub struct Screen(ProgressBar);

impl Screen {
    /// Takes the bar away while `print` prints.
    pub fn print<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// A bar if standard error is a terminal, else lines to standard error.
    pub fn new() -> Self {
        if std::io::stderr().is_terminal() {
            Self::bar()
        } else {
            Self::lines(std::io::stderr())
        }
    }

    /// A bar on standard error, hidden where that is no terminal.
    pub fn bar() -> Self {
        let style = "{bar:30} {percent:>3} %  {msg}  {elapsed} (left {eta})";
        let style = ProgressStyle::with_template(style);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::with(ProgressBar::no_length().with_style(style), None)
    }

    /// A line an epoch to `out`; that it cannot be written is no failure.
    pub fn lines(out: impl Write + Send + 'static) -> Self {
        Self::with(hidden(), Some(Box::new(out)))
    }

    /// Nothing.
    pub fn hidden() -> Self {
        Self::with(hidden(), None)
    }

    fn with(bar: ProgressBar, lines: Option<Box<dyn Write + Send>>) -> Self {
        Self {
            bar,
            lines,
            epochs: 0,
            batches: 0,
            last: String::new(),
        }
    }

    /// What others print through, while the bar is shown.
    pub fn screen(&self) -> Screen {
        Screen(self.bar.clone())
    }
}

fn hidden() -> ProgressBar {
    ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress")
            .field("epochs", &self.epochs)
            .finish_non_exhaustive()
    }
}

/// Loss and accuracy, as far as there are such.
fn shown(split: &str, outcome: &Outcome) -> String {
    let metrics = ["loss", "accuracy"].into_iter().filter_map(|name| {
        let value = outcome.metrics.get(name)?;
        Some(format!(" {name} {value:.4}"))
    });
    let metrics: String = metrics.collect();
    match metrics.is_empty() {
        true => metrics,
        false => format!("  {split}{metrics}"),
    }
}

impl Hook for Progress {
    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        (self.epochs, self.batches) = (at.epochs, at.batches);
        self.bar.set_length((at.epochs * at.batches) as u64);
        Ok(Control::Continue)
    }

    fn checkpoint_loaded(&mut self, at: &CheckpointLoaded<'_>) -> Result<Control, HookError> {
        self.bar.set_position(at.steps as u64);
        // What was done by another process says nothing of how long the rest takes.
        self.bar.reset_eta();
        Ok(Control::Continue)
    }

    fn epoch_start(&mut self, at: &EpochStart<'_>) -> Result<Control, HookError> {
        let Self {
            bar, epochs, last, ..
        } = self;
        bar.set_message(format!("epoch {}/{epochs}{last}", at.epoch + 1));
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, _: &BatchEnd<'_>) -> Result<Control, HookError> {
        self.bar.inc(1);
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        self.last = shown("eval", at.eval);
        let Self { epochs, lines, .. } = self;
        if let Some(out) = lines {
            let width = epochs.to_string().len();
            let (train, eval) = (shown("train", at.train), &self.last);
            let rate = at.train.items as f64 / at.train.time.as_secs_f64();
            let rate = match rate.is_finite() {
                true => format!("  {rate:.0} samples/s"),
                false => String::new(),
            };
            let _ = writeln!(
                out,
                "epoch {:>width$}/{epochs}{train}{eval}{rate}",
                at.epoch + 1
            );
        }
        Ok(Control::Continue)
    }

    fn exception(&mut self, _: &Exception<'_>) -> Result<(), HookError> {
        self.bar.abandon();
        Ok(())
    }

    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        let message = format!("{} epochs{}", at.epochs, self.last);
        match at.stopped {
            // The bar stays where the training ended.
            Some(_) => self.bar.abandon_with_message(message),
            None => self.bar.finish_with_message(message),
        }
        if let (Some(out), Some(reason)) = (&mut self.lines, at.stopped) {
            let _ = writeln!(out, "stopped after {} epochs: {reason}", at.epochs);
        }
        Ok(())
    }
}
