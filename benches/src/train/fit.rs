//! The trainings that are measured: the embedded digits, a perceptron, and what is hooked in.

use std::time::Instant;

use anyhow::{Context, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::health::{Checkup, NanGuard, OnNan};
use modelpulse::summary::SessionStatus;
use modelpulse::train::callbacks::{
    ConfusionMatrices, Curves, GraphOnce, Histograms, LearningRate, Pixels, Scalars, Throughput,
    WorstExamples,
};
use modelpulse::train::candle::{LabelledTensors, Mlp, Parameters, Pass, Trainer};
use modelpulse::train::{Predictions, Task, task_metrics};
use tempfile::TempDir;

use super::{FIT_SECONDS, HOOK_SHARE, LOOP_SECONDS, METRICS_SHARE};
use crate::clock;
use crate::contest::Sample;

/// What is hooked into a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hooks {
    None,
    Scalars,
    /// As `modelpulse train` does by default.
    Everything,
}

/// How large a training is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) hidden: &'static [usize],
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    /// Steps between histograms; each epoch where it is not said.
    pub(super) histograms: Option<usize>,
}

impl Shape {
    /// What `modelpulse train` trains: 4,810 parameters.
    pub(super) const DEFAULT: Self = Self {
        name: "train",
        hidden: &[64],
        epochs: 20,
        batch_size: 32,
        histograms: None,
    };
    /// 994,570 parameters, 225 steps.
    pub(super) const MILLION: Self = Self {
        name: "train a million",
        hidden: &[960, 960],
        epochs: 5,
        batch_size: 32,
        histograms: Some(100),
    };
}

/// The data, once for all trainings.
pub(super) struct Digits {
    data: Dataset,
    train: LabelledTensors,
    eval: LabelledTensors,
}

impl Digits {
    pub(super) fn new() -> anyhow::Result<Self> {
        let data = Dataset::digits();
        let (train, eval) = (tensors(data.train())?, tensors(data.eval())?);
        Ok(Self { data, train, eval })
    }

    /// Trains once.
    pub(super) fn train(&self, shape: Shape, hooks: Hooks) -> anyhow::Result<Sample> {
        self.train_with(shape, hooks, |trainer| trainer)
    }

    /// Trains once, with more settings or hooks.
    pub(super) fn train_with(
        &self,
        shape: Shape,
        hooks: Hooks,
        more: impl FnOnce(Trainer) -> Trainer,
    ) -> anyhow::Result<Sample> {
        let dir = TempDir::with_prefix("modelpulse-bench-")?;
        let began = Instant::now();
        let session = match hooks {
            Hooks::None => None,
            Hooks::Scalars | Hooks::Everything => Some(Session::create(dir.path())?),
        };
        let data = &self.data;
        let pixels = data.train().height() * data.train().width();
        let sizes = [&[pixels], shape.hidden, &[data.classes()]].concat();
        let parameters = Parameters::seeded(42);
        let model = Mlp::new(&sizes, parameters.builder(DType::F32, &Device::Cpu))?;
        let settings = ParamsAdamW {
            lr: 0.003,
            ..ParamsAdamW::default()
        };
        let mut optimizer = AdamW::new(parameters.vars(), settings)?;
        let trainer = Trainer::new(data.classes())
            .epochs(shape.epochs)
            .batch_size(shape.batch_size);
        let trainer = match &session {
            Some(session) => self.hook(trainer.session(session), session, shape, hooks),
            None => trainer,
        };
        let ran = clock::thread_seconds();
        let fit = more(trainer).fit(
            &parameters,
            |inputs: &Tensor, pass: &Pass| model.forward_in(inputs, pass),
            &mut optimizer,
            &self.train,
            &self.eval,
        )?;
        let ran = ran.zip(clock::thread_seconds());
        if let Some(session) = session {
            let report = session.finish_as(SessionStatus::Success)?;
            ensure!(
                report.dropped == 0,
                "{} values were dropped",
                report.dropped
            );
        }
        let metrics = self.metrics(&fit.predictions)? * shape.epochs as f64;
        let share = 100.0 * fit.hook_time.as_secs_f64() / fit.time.as_secs_f64();
        Ok(Sample::of(began.elapsed().as_secs_f64())
            .with(FIT_SECONDS, fit.time.as_secs_f64())
            .with(LOOP_SECONDS, ran.map_or(f64::NAN, |(from, to)| to - from))
            .with(HOOK_SHARE, share)
            .with(METRICS_SHARE, 100.0 * metrics / fit.time.as_secs_f64()))
    }

    /// The seconds that the metrics of an epoch take, of both splits: those of the training split are taken of as many
    /// rows, over again what the model said of the held-out ones.
    fn metrics(&self, eval: &Predictions) -> anyhow::Result<f64> {
        let classes = eval.classes();
        let said: Vec<_> = eval.iter().collect();
        let items = 0..self.train.len();
        let rows: Vec<_> = items.zip(said.into_iter().cycle()).collect();
        let labels = rows.iter().map(|(_, (_, label, _))| *label).collect();
        let scores = rows.iter().flat_map(|(_, (.., scores))| *scores).copied();
        let numbers = rows.iter().map(|&(item, _)| item).collect();
        let train = Predictions::new(classes, labels, scores.collect(), numbers);
        let train = train.context("the lengths fit")?;
        let task = Task::Multiclass { classes };
        let began = Instant::now();
        for split in [&train, eval] {
            std::hint::black_box(task_metrics(task, split));
        }
        Ok(began.elapsed().as_secs_f64())
    }

    fn hook(&self, trainer: Trainer, session: &Session, shape: Shape, hooks: Hooks) -> Trainer {
        let trainer = trainer.hook(Scalars::new(session));
        if hooks != Hooks::Everything {
            return trainer;
        }
        let (eval, names) = (self.data.eval(), || self.data.class_names().to_vec());
        let pixels = Pixels {
            pixels: eval.pixels().into(),
            width: eval.width(),
            height: eval.height(),
            max_value: eval.max_value(),
        };
        let histograms = Histograms::new(session);
        trainer
            .hook(match shape.histograms {
                Some(steps) => histograms.every_batches(steps),
                None => histograms,
            })
            .hook(ConfusionMatrices::new(session, names()))
            .hook(Curves::new(session, names()))
            .hook(WorstExamples::new(session, pixels, names()))
            .hook(LearningRate::new(session))
            .hook(GraphOnce::new(session))
            .hook(Throughput::new(session))
            .hook(NanGuard::new(session, OnNan::Stop))
            .hook(Checkup::new(session))
    }
}

fn tensors(images: &Images) -> anyhow::Result<LabelledTensors> {
    let size = images.height() * images.width();
    Ok(LabelledTensors::from_bytes(
        images.pixels(),
        size,
        images.max_value(),
        images.labels(),
        &Device::Cpu,
    )?)
}
