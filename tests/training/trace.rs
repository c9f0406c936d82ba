//! Every hook point is called in the documented order, with what it documents.

use std::path::PathBuf;

use candle_core::Tensor;
use modelpulse::train::candle::{Pass, TrainError, Trainer};
use modelpulse::train::{
    AfterBackward, AfterLoss, AfterStep, BatchEnd, BatchStart, BeforeStep, CheckpointLoaded,
    CheckpointSaved, Control, EpochEnd, EpochStart, EvalBatch, EvalEnd, EvalStart, Exception,
    FitEnd, FitStart, Hook, HookError, Needs, Tensors,
};

use crate::support::{Lines, Model, data};

/// Writes down each call.
struct Trace {
    lines: Lines,
    /// At which step, and at which epoch's end, it asks for a checkpoint.
    save: Option<(usize, usize, PathBuf)>,
    /// At which step it has the optimizer's step skipped, and behind what.
    skip: Option<(usize, &'static str)>,
    stop_at: Option<usize>,
}

impl Trace {
    fn new(lines: &Lines) -> Self {
        Self {
            lines: lines.clone(),
            save: None,
            skip: None,
            stop_at: None,
        }
    }

    fn say(&self, line: String) -> Result<Control, HookError> {
        self.lines.push(line);
        Ok(Control::Continue)
    }

    fn skips(&self, step: usize, point: &'static str) -> bool {
        self.skip == Some((step, point))
    }
}

/// How many tensors there are, and numbers in them.
fn count(tensors: &dyn Tensors) -> String {
    let (mut tensor, mut numbers) = (0, 0);
    let seen = tensors.visit(&mut |_, shape, values| {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        tensor += 1;
        numbers += values.len();
    });
    match seen {
        Ok(()) => format!("{tensor}/{numbers}"),
        Err(_) => "hidden".to_owned(),
    }
}

impl Hook for Trace {
    /// Everything of even steps, nothing of odd ones.
    fn needs(&self, step: usize) -> Needs {
        if step.is_multiple_of(2) {
            Needs::LOSS | Needs::PARAMETERS | Needs::GRADIENTS | Needs::ACTIVATIONS | Needs::TIME
        } else {
            Needs::NOTHING
        }
    }

    fn epoch_needs(&self, epoch: usize) -> Needs {
        if epoch == 0 {
            Needs::GRADIENTS | Needs::ACTIVATIONS | Needs::LOSS
        } else {
            Needs::NOTHING
        }
    }

    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        let FitStart {
            epochs,
            batches,
            learning_rate,
            parameters,
            ..
        } = *at;
        let parameters = count(parameters);
        self.say(format!(
            "fit_start {epochs} epochs of {batches}, rate {learning_rate}, parameters {parameters}"
        ))
    }

    fn epoch_start(&mut self, at: &EpochStart<'_>) -> Result<Control, HookError> {
        if at.epoch == 1 {
            at.set_learning_rate(0.01);
        }
        self.say(format!(
            "epoch_start {} step {} rate {}",
            at.epoch, at.step, at.learning_rate
        ))
    }

    fn batch_start(&mut self, at: &BatchStart<'_>) -> Result<Control, HookError> {
        assert_eq!(at.indices.len(), at.items);
        self.say(format!(
            "batch_start {}.{} step {} of {} rate {}",
            at.epoch, at.batch, at.step, at.items, at.learning_rate
        ))
    }

    fn after_loss(&mut self, at: &AfterLoss<'_>) -> Result<Control, HookError> {
        if self.skips(at.step, "after_loss") {
            at.skip_step("as the test wants");
        }
        let loss = at.loss.is_some();
        let activations = count(at.activations);
        self.say(format!("after_loss loss {loss} activations {activations}"))
    }

    fn after_backward(&mut self, at: &AfterBackward<'_>) -> Result<Control, HookError> {
        if self.skips(at.step, "after_backward") {
            at.skip_step("as the test wants");
        }
        let (parameters, gradients) = (count(at.parameters), count(at.gradients));
        self.say(format!(
            "after_backward parameters {parameters} gradients {gradients}"
        ))
    }

    fn before_step(&mut self, at: &BeforeStep<'_>) -> Result<Control, HookError> {
        if self.skips(at.step, "before_step") {
            at.skip_step("as the test wants");
        }
        let gradients = count(at.gradients);
        self.say(format!(
            "before_step update {} gradients {gradients}",
            at.update
        ))
    }

    fn after_step(&mut self, at: &AfterStep<'_>) -> Result<Control, HookError> {
        self.say(format!(
            "after_step update {} rate {}",
            at.update, at.learning_rate
        ))
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if let Some((step, _, path)) = &self.save
            && at.step == *step
        {
            at.save(path);
        }
        if let Some(phases) = at.phases {
            assert!(phases.forward.as_nanos() > 0 && phases.hooks.as_nanos() > 0);
            assert!(phases.total() >= phases.forward + phases.backward);
        }
        self.lines.push(format!(
            "batch_end step {} loss {} timed {} skipped {:?}",
            at.step,
            at.loss.is_some(),
            at.phases.is_some(),
            at.skipped
        ));
        Ok(match self.stop_at {
            Some(step) if step == at.step => Control::Stop("enough".into()),
            _ => Control::Continue,
        })
    }

    fn eval_start(&mut self, at: &EvalStart<'_>) -> Result<Control, HookError> {
        self.say(format!("eval_start {} of {}", at.epoch, at.batches))
    }

    fn eval_batch(&mut self, at: &EvalBatch<'_>) -> Result<Control, HookError> {
        let activations = count(at.activations);
        self.say(format!(
            "eval_batch {} first {} of {} loss {} activations {activations}",
            at.batch,
            at.first,
            at.items,
            at.loss.is_some()
        ))
    }

    fn eval_end(&mut self, at: &EvalEnd<'_>) -> Result<Control, HookError> {
        assert!(at.eval.metrics.contains_key("loss"));
        self.say(format!("eval_end {} alone {}", at.epoch, at.alone))
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if let Some((_, epoch, path)) = &self.save
            && at.epoch == *epoch
        {
            at.save(path);
        }
        let gradients = count(at.gradients);
        self.say(format!(
            "epoch_end {} steps {} items {} and {} gradients {gradients}",
            at.epoch, at.steps, at.train.items, at.eval.items
        ))
    }

    fn checkpoint_saved(&mut self, at: &CheckpointSaved<'_>) -> Result<Control, HookError> {
        assert_eq!(at.bytes, std::fs::metadata(at.path)?.len());
        self.say(format!(
            "checkpoint_saved epochs {} steps {}",
            at.epochs, at.steps
        ))
    }

    fn checkpoint_loaded(&mut self, at: &CheckpointLoaded<'_>) -> Result<Control, HookError> {
        self.say(format!(
            "checkpoint_loaded epochs {} steps {}",
            at.epochs, at.steps
        ))
    }

    fn exception(&mut self, at: &Exception<'_>) -> Result<(), HookError> {
        self.lines.push(format!(
            "exception epoch {} steps {}: {}",
            at.epoch, at.steps, at.message
        ));
        Ok(())
    }

    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        self.lines.push(format!(
            "fit_end epochs {} steps {} stopped {:?}",
            at.epochs, at.steps, at.stopped
        ));
        Ok(())
    }
}

/// 70 training items in batches of 40, 20 held out.
fn trainer(trace: Trace) -> Trainer {
    Trainer::new(2).epochs(2).batch_size(40).hook(trace)
}

fn traced(set: impl FnOnce(&mut Trace), also: impl FnOnce(Trainer) -> Trainer) -> Vec<String> {
    let lines = Lines::default();
    let mut trace = Trace::new(&lines);
    set(&mut trace);
    Model::new(2).fit_spirals(also(trainer(trace))).unwrap();
    lines.take()
}

/// The names alone.
fn names(lines: &[String]) -> Vec<&str> {
    let name = |line: &String| line.find(' ').unwrap_or(line.len());
    lines.iter().map(|line| &line[..name(line)]).collect()
}

#[test]
fn a_fit_calls_every_point_in_its_order() {
    // 2 × 8 + 8 weights of the hidden layer, 8 × 2 + 2 of the last; 8 hidden units.
    let expected = "\
fit_start 2 epochs of 2, rate 0.02, parameters 4/42
epoch_start 0 step 0 rate 0.02
batch_start 0.0 step 0 of 40 rate 0.02
after_loss loss true activations 1/320
after_backward parameters 4/42 gradients 4/42
before_step update 0 gradients 4/42
after_step update 0 rate 0.02
batch_end step 0 loss true timed true skipped None
batch_start 0.1 step 1 of 30 rate 0.02
after_loss loss false activations hidden
after_backward parameters hidden gradients hidden
before_step update 1 gradients hidden
after_step update 1 rate 0.02
batch_end step 1 loss false timed false skipped None
eval_start 0 of 1
eval_batch 0 first 0 of 20 loss true activations 1/160
eval_end 0 alone false
epoch_end 0 steps 2 items 70 and 20 gradients 4/42
epoch_start 1 step 2 rate 0.02
batch_start 1.0 step 2 of 40 rate 0.01
after_loss loss true activations 1/320
after_backward parameters 4/42 gradients 4/42
before_step update 2 gradients 4/42
after_step update 2 rate 0.01
batch_end step 2 loss true timed true skipped None
batch_start 1.1 step 3 of 30 rate 0.01
after_loss loss false activations hidden
after_backward parameters hidden gradients hidden
before_step update 3 gradients hidden
after_step update 3 rate 0.01
batch_end step 3 loss false timed false skipped None
eval_start 1 of 1
eval_batch 0 first 0 of 20 loss false activations hidden
eval_end 1 alone false
epoch_end 1 steps 4 items 70 and 20 gradients hidden
fit_end epochs 2 steps 4 stopped None";
    let lines = traced(|_| {}, |trainer| trainer);
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
}

#[test]
fn a_stop_ends_the_batch_and_the_epoch_is_still_evaluated() {
    let lines = traced(|trace| trace.stop_at = Some(0), |trainer| trainer);
    assert_eq!(
        names(&lines)[7..],
        [
            "batch_end",
            "eval_start",
            "eval_batch",
            "eval_end",
            "epoch_end",
            "fit_end"
        ]
    );
    assert_eq!(
        lines.last().unwrap(),
        "fit_end epochs 1 steps 1 stopped Some(\"enough\")"
    );
}

#[test]
fn a_step_is_skipped_wherever_a_hook_asks_for_it() {
    for (point, left) in [
        ("after_loss", &["batch_start", "after_loss"][..]),
        (
            "after_backward",
            &["batch_start", "after_loss", "after_backward"],
        ),
        (
            "before_step",
            &["batch_start", "after_loss", "after_backward", "before_step"],
        ),
    ] {
        let lines = traced(|trace| trace.skip = Some((1, point)), |trainer| trainer);
        let start = lines
            .iter()
            .position(|line| line.contains("step 1 of"))
            .unwrap();
        assert_eq!(names(&lines)[start..start + left.len()], *left);
        assert_eq!(
            lines[start + left.len()],
            "batch_end step 1 loss false timed false skipped Some(\"as the test wants\")"
        );
        // The update's number is free for the next one.
        let mut updates = lines.iter().filter(|line| line.starts_with("after_step"));
        assert!(
            updates.next_back().unwrap().contains("update 2"),
            "{lines:#?}"
        );
    }
}

#[test]
fn accumulated_batches_share_one_step_of_the_optimizer() {
    let lines = traced(|_| {}, |trainer| trainer.batch_size(20).accumulate(3));
    // Batches of 20, 20, 20 and 10: an update behind the third, and one behind the fourth.
    let epoch = [
        "batch_start after_loss after_backward batch_end",
        "batch_start after_loss after_backward batch_end",
        "batch_start after_loss after_backward before_step after_step batch_end",
        "batch_start after_loss after_backward before_step after_step batch_end",
    ]
    .join(" ");
    let found = names(&lines).join(" ");
    assert_eq!(found.matches(&epoch).count(), 2, "{found}");
    assert!(lines.contains(&"after_step update 3 rate 0.01".to_owned()));
}

#[test]
fn checkpoints_are_saved_behind_all_hooks_and_a_resumed_fit_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let save = |epoch| Some((2, epoch, path.clone()));
    // Two hooks: the first asks, and both are told when the second has been called.
    let second = Lines::default();
    let lines = traced(
        |trace| trace.save = save(0),
        |trainer| trainer.hook(Trace::new(&second)),
    );
    for (line, after) in [
        ("checkpoint_saved epochs 1 steps 2", "epoch_start"),
        ("checkpoint_saved epochs 1 steps 3", "batch_start"),
    ] {
        for lines in [&lines, &second.take()] {
            if lines.is_empty() {
                continue;
            }
            let at = lines.iter().position(|found| found == line).unwrap();
            assert_eq!(names(lines)[at + 1], after);
        }
    }

    // The file is that of step 2, which is the first batch of epoch 1: its start is not called again.
    let lines = Lines::default();
    let resumed = trainer(Trace::new(&lines)).resume(&path);
    Model::new(2).fit_spirals(resumed).unwrap();
    let lines = lines.take();
    assert_eq!(lines[1], "checkpoint_loaded epochs 1 steps 3");
    assert_eq!(lines[2], "batch_start 1.1 step 3 of 30 rate 0.01");
    assert_eq!(
        lines.last().unwrap(),
        "fit_end epochs 2 steps 4 stopped None"
    );
}

#[test]
fn an_evaluation_alone_calls_only_its_points() {
    let lines = Lines::default();
    let model = Model::new(2);
    let outcome = trainer(Trace::new(&lines))
        .evaluate(
            &model.parameters,
            |inputs, pass| model.mlp.forward_in(inputs, pass),
            &data(300),
        )
        .unwrap();
    assert_eq!((outcome.items, outcome.predictions.len()), (300, 300));
    assert!(outcome.metrics.contains_key("accuracy"));
    assert_eq!(
        lines.take(),
        [
            "eval_start 0 of 2",
            "eval_batch 0 first 0 of 256 loss true activations 1/2048",
            "eval_batch 1 first 256 of 44 loss true activations 1/352",
            "eval_end 0 alone true",
        ]
    );
}

#[test]
fn a_model_that_fails_or_panics_ends_in_an_exception() {
    for panics in [false, true] {
        let lines = Lines::default();
        let trainer = trainer(Trace::new(&lines));
        let run = std::panic::AssertUnwindSafe(move || {
            let mut model = Model::new(2);
            let mut calls = 0;
            let mlp = &model.mlp;
            let forward = |inputs: &Tensor, pass: &Pass| {
                calls += 1;
                match (calls, panics) {
                    (2, true) => panic!("as the test wants"),
                    (2, false) => candle_core::bail!("as the test wants"),
                    _ => mlp.forward_in(inputs, pass),
                }
            };
            trainer.fit(
                &model.parameters,
                forward,
                &mut model.optimizer,
                &data(70),
                &data(20),
            )
        });
        let result = std::panic::catch_unwind(run);
        assert_eq!(result.is_err(), panics);
        let lines = lines.take();
        let last = lines.last().unwrap();
        if let Ok(result) = result {
            assert!(matches!(result, Err(TrainError::Candle(_))));
            assert!(
                last.starts_with("exception epoch 0 steps 1: as the test wants"),
                "{last}"
            );
        } else {
            assert_eq!(last, "exception epoch 0 steps 1: the loop panicked");
        }
        assert_eq!(names(&lines)[lines.len() - 2], "batch_start");
    }
}
