//! A fit that is resumed from a checkpoint gives, bit by bit, what one gives that was never stopped.

use std::path::{Path, PathBuf};

use modelpulse::train::candle::{FitReport, TrainError, Trainer};
use modelpulse::train::{
    AfterLoss, BatchEnd, BeforeStep, Control, EpochEnd, Hook, HookError, Needs, Schedule, State,
};

use crate::support::{ITEMS, Lines, Model, boxed, data};

const EPOCHS: usize = 4;
/// 70 items in batches of 16, five an epoch.
const BATCHES: usize = 5;

/// Writes down every loss, with what it remembers of those before.
struct Losses {
    lines: Lines,
    sum: f64,
}

impl Hook for Losses {
    fn needs(&self, _: usize) -> Needs {
        Needs::LOSS
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("sum", self.sum);
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.sum = state.number("sum").ok_or("no sum")?;
        Ok(())
    }

    fn after_loss(&mut self, at: &AfterLoss<'_>) -> Result<Control, HookError> {
        let loss = at.loss.ok_or("no loss")?;
        self.sum += loss;
        let bits = (loss.to_bits(), self.sum.to_bits());
        self.lines.push(format!("{} {bits:x?}", at.step));
        // One update of the accumulated ones is skipped.
        if at.step == 7 {
            at.skip_step("as the test wants");
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let mut sum = 0.0_f64;
        at.gradients
            .visit(&mut |_, _, values| sum += values.iter().sum::<f64>())?;
        self.lines.push(format!(
            "{} {:?} {:?} {:x}",
            at.epoch,
            at.train.metrics,
            at.eval.metrics,
            sum.to_bits()
        ));
        Ok(Control::Continue)
    }

    fn epoch_needs(&self, _: usize) -> Needs {
        Needs::GRADIENTS
    }
}

/// Saves after every step and every epoch, each under its own name.
struct SaveAll(PathBuf);

impl Hook for SaveAll {
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        at.save(self.0.join(format!("step-{}", at.step + 1)));
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        at.save(self.0.join(format!("epoch-{}", at.epoch + 1)));
        Ok(Control::Continue)
    }
}

/// Sets the learning rate of each update.
struct Rate;

impl Hook for Rate {
    fn before_step(&mut self, at: &BeforeStep<'_>) -> Result<Control, HookError> {
        let schedule = Schedule::cosine(0.02, 12).warm_up(3, 0.1);
        at.set_learning_rate(schedule.rate(at.epoch, at.update));
        Ok(Control::Continue)
    }
}

fn trainer(lines: &Lines, accumulate: usize) -> Trainer {
    let losses = Losses {
        lines: lines.clone(),
        sum: 0.0,
    };
    Trainer::new(2)
        .epochs(EPOCHS)
        .batch_size(16)
        .accumulate(accumulate)
        .hook(Rate)
        .hook(vec![boxed(losses)])
}

fn outcome(model: &Model, report: &FitReport) -> String {
    format!(
        "{:?} {:?} {:?}",
        model.bits(),
        report.epochs,
        report.predictions
    )
}

#[test]
fn from_every_step_and_every_epoch() {
    for accumulate in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (lines, mut model) = (Lines::default(), Model::new(2));
        let whole = trainer(&lines, accumulate).hook(SaveAll(dir.path().into()));
        let report = model.fit_spirals(whole).unwrap();
        assert!(
            report.hook_failures.is_empty(),
            "{:?}",
            report.hook_failures
        );
        let (expected, all) = (outcome(&model, &report), lines.take());
        assert_eq!(all.len(), EPOCHS * (BATCHES + 1));

        let steps = (1..=EPOCHS * BATCHES).map(|step| {
            // Behind the lines of the steps and of the epochs before.
            (format!("step-{step}"), step + (step - 1) / BATCHES)
        });
        let epochs = (1..=EPOCHS).map(|epoch| (format!("epoch-{epoch}"), epoch * (BATCHES + 1)));
        for (name, seen) in steps.chain(epochs) {
            let (lines, mut model) = (Lines::default(), Model::new(2));
            let resumed = trainer(&lines, accumulate).resume(dir.path().join(&name));
            let report = model.fit_spirals(resumed).unwrap();
            assert_eq!(
                lines.take(),
                all[seen..],
                "{name}, accumulating {accumulate}"
            );
            assert_eq!(outcome(&model, &report), expected, "{name}");
            assert_eq!(report.steps, EPOCHS * BATCHES);
        }
    }
}

#[test]
fn a_checkpoint_of_another_model_or_a_damaged_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (lines, mut model) = (Lines::default(), Model::new(2));
    let whole = trainer(&lines, 1).hook(SaveAll(dir.path().into()));
    model.fit_spirals(whole).unwrap();

    let path = dir.path().join("epoch-1");
    let resumed = |model: &mut Model, path: &Path| {
        let [train, eval] = ITEMS;
        let trainer = trainer(&Lines::default(), 1).resume(path);
        model.fit(trainer, &data(train), &data(eval)).unwrap_err()
    };
    let says = |error: TrainError, words: &str| {
        let text = error.to_string();
        let named = text.starts_with("cannot resume from ");
        assert!(named && text.contains(words), "{text}");
    };
    let mut other = Model::new(3);
    let before = other.bits();
    says(resumed(&mut other, &path), "layer1.bias");
    assert_eq!(other.bits(), before);
    says(
        resumed(&mut Model::new(2), &dir.path().join("none")),
        "none",
    );

    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    says(resumed(&mut Model::new(2), &path), "damaged");
}

#[test]
fn an_optimizer_that_shows_no_state_trains_and_cannot_be_saved() {
    use candle_nn::{Optimizer, ParamsAdamW};
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(2);
    let mut optimizer =
        candle_nn::AdamW::new(model.parameters.vars(), ParamsAdamW::default()).unwrap();
    let trainer = trainer(&Lines::default(), 1).hook(SaveAll(dir.path().into()));
    let report = trainer
        .fit(
            &model.parameters,
            |inputs, pass| model.mlp.forward_in(inputs, pass),
            &mut optimizer,
            &data(70),
            &data(20),
        )
        .unwrap();
    let [failure] = &report.hook_failures[..] else {
        panic!("{:?}", report.hook_failures);
    };
    assert_eq!((failure.hook.as_str(), failure.point), ("SaveAll", "save"));
    assert!(failure.message.contains("does not show its state"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
