//! The flags that steer a training: schedule, clipping, early stop, what a NaN does; and what else is logged.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::settings::{positive, positive_number};
use crate::health::{Checkup, Finding, NanGuard, OnNan, Resources};
use crate::summary::HParams;
use crate::train::callbacks::{
    Activations, EarlyStop, GradNorm, GraphOnce, LearningRate, Pixels, PrCurves, Projector,
    Throughput, Timing,
};
use crate::train::candle::Clip;
use crate::train::{Hook, ReduceOnPlateau, Schedule, Session};

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Steering {
    /// How the learning rate moves; it begins, or peaks, at --learning-rate
    #[arg(
        long,
        help_heading = "Steering",
        value_name = "NAME",
        default_value = "constant"
    )]
    schedule: Shape,

    /// Steps of a linear rise to the learning rate, before the schedule begins
    #[arg(
        long,
        help_heading = "Steering",
        value_name = "STEPS",
        default_value = "0"
    )]
    warm_up: usize,

    /// Scale the gradients of a step so that their norm is at most this
    #[arg(long, help_heading = "Steering", value_name = "NORM", value_parser = positive_number, conflicts_with = "clip_value")]
    clip_norm: Option<f64>,

    /// Hold each number of a gradient between -LIMIT and LIMIT
    #[arg(long, help_heading = "Steering", value_name = "LIMIT", value_parser = positive_number)]
    clip_value: Option<f64>,

    /// Stop when the held-out loss has not been lower for that many epochs
    #[arg(long, help_heading = "Steering", value_name = "EPOCHS", value_parser = positive)]
    early_stop: Option<usize>,

    /// At the end, the weights are those of the epoch with the lowest held-out loss
    #[arg(long, help_heading = "Steering", requires = "early_stop")]
    restore_best: bool,

    /// What becomes of a training whose loss or gradients are NaN or infinite
    #[arg(
        long,
        help_heading = "Steering",
        value_name = "ACTION",
        default_value = "stop"
    )]
    on_nan: NanAction,

    /// What to log beside what is always logged, separated by commas
    #[arg(
        long,
        help_heading = "Steering",
        value_name = "WHAT,…",
        value_delimiter = ','
    )]
    also: Vec<Also>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// It stays
    Constant,
    /// A tenth of it after each third of the training
    Step,
    /// Down to a hundredth, by the same factor each step
    Exponential,
    /// Down to 0 by half a cosine
    Cosine,
    /// Up from a 25th over 30 % of the training, and down to next to nothing
    OneCycle,
    /// A tenth of it when the held-out loss has not been lower for more than 3 epochs
    Plateau,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NanAction {
    /// The training stops before the weights are broken
    Stop,
    /// The batch is left out
    Skip,
    /// It is logged, no more
    Warn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Also {
    /// Norms of the gradients, every 10th batch
    GradientNorms,
    /// Which part of each layer's units is dead, each epoch
    DeadUnits,
    /// A precision–recall curve of each class, each epoch
    PrCurves,
    /// What the last layer made of 1000 held-out images, for the projector
    Projector,
    /// Where the time of a step goes
    Timing,
    /// CPU, memory, disks and network, of the process and the machine; GPUs; and whether the training starves: of data, by
    /// its log, of memory
    Resources,
}

impl Steering {
    /// The schedule, for a training of so many steps.
    fn schedule(&self, rate: f64, steps: usize) -> Schedule {
        let steps = steps.saturating_sub(self.warm_up).max(1);
        let schedule = match self.schedule {
            Shape::Constant => Schedule::constant(rate),
            Shape::Step => Schedule::step(rate, steps.div_ceil(3), 0.1),
            Shape::Exponential => Schedule::exponential(rate, 0.01_f64.powf(1.0 / steps as f64)),
            Shape::Cosine => Schedule::cosine(rate, steps),
            Shape::OneCycle => Schedule::one_cycle(rate, steps),
            Shape::Plateau => Schedule::reduce_on_plateau(ReduceOnPlateau::new(rate).patience(3)),
        };
        schedule.warm_up(self.warm_up, 0.0)
    }

    /// How gradients are clipped.
    pub(super) fn clip(&self) -> Option<Clip> {
        self.clip_norm
            .map(Clip::Norm)
            .or(self.clip_value.map(Clip::Value))
    }

    /// The hooks that the flags ask for; `report` is shown each finding.
    pub(super) fn hooks(
        &self,
        session: &Session,
        training: &Training<'_>,
        report: impl FnMut(&Finding) + Send + Clone + 'static,
    ) -> Vec<Box<dyn Hook>> {
        let action = match self.on_nan {
            NanAction::Stop => OnNan::Stop,
            NanAction::Skip => OnNan::SkipStep,
            NanAction::Warn => OnNan::Warn,
        };
        let mut hooks: Vec<Box<dyn Hook>> = vec![
            Box::new(self.schedule(training.learning_rate, training.steps)),
            Box::new(LearningRate::new(session)),
            Box::new(GraphOnce::new(session)),
            Box::new(Throughput::new(session)),
            Box::new(NanGuard::new(session, action).report(report.clone())),
            Box::new(Checkup::new(session).report(report.clone())),
        ];
        if let Some(epochs) = self.early_stop {
            let stop = EarlyStop::default().patience(epochs);
            hooks.push(match self.restore_best {
                true => Box::new(stop.restore_best()),
                false => Box::new(stop),
            });
        }
        for also in Also::value_variants() {
            if self.also.contains(also) {
                hooks.push(also.hook(session, training, report.clone()));
            }
        }
        hooks
    }

    /// As JSON, behind the other settings.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "schedule": name(self.schedule),
            "warm_up": self.warm_up,
            "clip_norm": self.clip_norm,
            "clip_value": self.clip_value,
            "early_stop": self.early_stop,
            "restore_best": self.restore_best,
            "on_nan": name(self.on_nan),
            "also": self.also.iter().map(|&also| name(also)).collect::<Vec<_>>(),
        })
    }

    /// `None` where that is not what [`to_json`](Self::to_json) makes.
    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let count = |name: &str| usize::try_from(json[name].as_u64()?).ok();
        let also = json["also"].as_array()?.iter();
        Some(Self {
            schedule: named(&json["schedule"])?,
            warm_up: count("warm_up")?,
            clip_norm: json["clip_norm"].as_f64(),
            clip_value: json["clip_value"].as_f64(),
            early_stop: count("early_stop"),
            restore_best: json["restore_best"].as_bool()?,
            on_nan: named(&json["on_nan"])?,
            also: also.map(named).collect::<Option<_>>()?,
        })
    }

    /// The flags as hyperparameters.
    pub(super) fn hparams(&self, hparams: HParams) -> HParams {
        let name = self.schedule.to_possible_value();
        let name = name.map_or_else(String::new, |name| name.get_name().to_owned());
        let hparams = hparams.set("schedule", name).set("warm_up", self.warm_up);
        match self.clip() {
            Some(Clip::Norm(norm)) => hparams.set("clip_norm", norm),
            Some(Clip::Value(limit)) => hparams.set("clip_value", limit),
            None => hparams,
        }
    }
}

/// A value as the flag is given it.
fn name(value: impl ValueEnum) -> String {
    let name = value.to_possible_value();
    name.map_or_else(String::new, |name| name.get_name().to_owned())
}

fn named<T: ValueEnum>(json: &Value) -> Option<T> {
    T::from_str(json.as_str()?, false).ok()
}

/// What hooks want to know of a training.
pub(super) struct Training<'a> {
    pub(super) learning_rate: f64,
    /// All steps of all epochs.
    pub(super) steps: usize,
    pub(super) class_names: &'a [String],
    /// The held-out images.
    pub(super) pixels: Pixels,
}

impl Also {
    fn hook(
        self,
        session: &Session,
        training: &Training<'_>,
        report: impl FnMut(&Finding) + Send + 'static,
    ) -> Box<dyn Hook> {
        let names = training.class_names.to_vec();
        match self {
            Self::GradientNorms => Box::new(GradNorm::new(session)),
            Self::DeadUnits => Box::new(Activations::new(session)),
            Self::PrCurves => Box::new(PrCurves::new(session, names)),
            Self::Projector => {
                let projector = Projector::new(session).labels(names);
                Box::new(projector.pictures(training.pixels.clone()))
            }
            Self::Timing => Box::new(Timing::new(session)),
            Self::Resources => Box::new(Resources::new(session).report(report)),
        }
    }
}
