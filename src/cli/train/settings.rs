//! What decides a training, as flags and as the file that a resumed one takes them from.
//!
//! All of it is written, defaults too, so that another version's defaults change nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::steering::Steering;
use crate::cli::alerting::{NotifyArgs, RuleArgs};
use crate::train::{Monitor, callbacks::Checkpoint};

/// So long a training may have to do again, if nothing else is said.
const CHECKPOINT_SPACING: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Settings {
    /// A directory with IDX files as MNIST and Fashion-MNIST come, plain or gzip [default: the embedded digits]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,

    /// How often each training image is seen
    #[arg(long, value_name = "N", default_value = "20", value_parser = positive)]
    pub(super) epochs: usize,

    /// Images a training step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub(super) batch_size: usize,

    /// The step size of AdamW
    #[arg(long, value_name = "RATE", default_value = "0.003", value_parser = positive_number)]
    pub(super) learning_rate: f64,

    /// Units of each hidden layer, separated by commas
    #[arg(long, value_name = "N,…", default_value = "64", value_delimiter = ',', value_parser = positive)]
    pub(super) hidden: Vec<usize>,

    /// Decides the first weights and the order of the data
    #[arg(long, value_name = "SEED", default_value = "42")]
    pub(super) seed: u64,

    /// Save a checkpoint every so many epochs, in the run's directory [default: about once a second, and
    /// behind the last epoch]
    #[arg(long, value_name = "N", value_parser = positive)]
    checkpoint_every: Option<usize>,

    /// Also keep the newest N checkpoints, each under the number of its step
    #[arg(long, value_name = "N", value_parser = positive)]
    keep_checkpoints: Option<usize>,

    /// Also keep the checkpoint of the epoch with the lowest held-out loss, as best.safetensors
    #[arg(long)]
    best_checkpoint: bool,

    #[command(flatten)]
    pub(super) rules: RuleArgs,

    #[command(flatten)]
    pub(super) notify: NotifyArgs,

    #[command(flatten)]
    pub(super) steering: Steering,
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

pub(super) fn positive_number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) => Err("must be a positive number".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

impl Settings {
    /// As JSON; paths are absolute, so that the training can go on from anywhere.
    pub(super) fn to_json(&self) -> anyhow::Result<Value> {
        let data = self.data.as_deref().map(absolute).transpose()?;
        let (rules, file, detect) = self.rules.parts();
        let file = file.map(absolute).transpose()?;
        let (alertmanager, webhook) = self.notify.parts();
        Ok(json!({
            "data": data,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "hidden": self.hidden,
            "seed": self.seed,
            "checkpoint_every": self.checkpoint_every,
            "keep_checkpoints": self.keep_checkpoints,
            "best_checkpoint": self.best_checkpoint,
            "rule": rules,
            "rules": file,
            "detect": detect,
            "alertmanager": alertmanager,
            "webhook": webhook,
            "steering": self.steering.to_json(),
        }))
    }

    pub(super) fn from_json(json: &Value) -> anyhow::Result<Self> {
        let missing = |name: &str| anyhow!("it has no setting '{name}'");
        let count = |name: &str, value: &Value| {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            count
                .filter(|&count| count > 0)
                .ok_or_else(|| missing(name))
        };
        let some_count = |name: &str| match &json[name] {
            Value::Null => Ok(None),
            value => count(name, value).map(Some),
        };
        let path = |name: &str| json[name].as_str().map(PathBuf::from);
        let list = |name: &str| json[name].as_array().ok_or_else(|| missing(name));
        let rules = list("rule")?.iter().map(|rule| {
            let text = rule.as_str().ok_or_else(|| missing("rule"))?;
            text.parse().with_context(|| format!("the rule '{text}'"))
        });
        // A run that began before there were any has none.
        let texts = |name: &str| {
            let texts = json[name].as_array().into_iter().flatten();
            texts
                .filter_map(|text| Some(text.as_str()?.to_owned()))
                .collect()
        };
        let detect: Vec<String> = texts("detect");
        let detect = detect.iter().map(|text| {
            let detect = text.parse();
            detect.with_context(|| format!("the detector '{text}'"))
        });
        let rate = json["learning_rate"].as_f64();
        Ok(Self {
            data: path("data"),
            epochs: count("epochs", &json["epochs"])?,
            batch_size: count("batch_size", &json["batch_size"])?,
            learning_rate: rate.ok_or_else(|| missing("learning_rate"))?,
            hidden: list("hidden")?
                .iter()
                .map(|units| count("hidden", units))
                .collect::<anyhow::Result<_>>()?,
            seed: json["seed"].as_u64().ok_or_else(|| missing("seed"))?,
            checkpoint_every: some_count("checkpoint_every")?,
            // A run that began before there were these has none.
            keep_checkpoints: some_count("keep_checkpoints")?,
            best_checkpoint: json["best_checkpoint"] == json!(true),
            rules: RuleArgs::of(
                rules.collect::<anyhow::Result<_>>()?,
                path("rules"),
                detect.collect::<anyhow::Result<_>>()?,
            ),
            notify: NotifyArgs::of(texts("alertmanager"), texts("webhook")),
            steering: Steering::from_json(&json["steering"]).ok_or_else(|| missing("steering"))?,
        })
    }

    /// Which checkpoints are saved in `dir`.
    pub(super) fn checkpoints(&self, dir: &Path) -> Checkpoint {
        let mut hook = Checkpoint::new(dir).keep(self.keep_checkpoints.unwrap_or(0));
        if self.best_checkpoint {
            hook = hook.best(Monitor::default());
        }
        match self.checkpoint_every {
            Some(epochs) => hook.every(epochs),
            None => hook.spaced(CHECKPOINT_SPACING),
        }
    }

    pub(super) fn hidden(&self) -> String {
        let units: Vec<String> = self.hidden.iter().map(usize::to_string).collect();
        units.join(",")
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn settings_come_back_from_their_file() {
        let arguments = "train --data /d --epochs 3 --learning-rate 0.1 --hidden 8,4 --seed 18446744073709551615 \
             --checkpoint-every 2 --rules /r.toml --alertmanager http://a:9093 --webhook https://b/c --schedule one-cycle --warm-up 7 --clip-norm 0.3 --early-stop 2 \
             --restore-best --on-nan skip --also timing,pr-curves --detect adwin,delta=0.01:batch_loss";
        let arguments = arguments
            .split(' ')
            .chain(["--rule", "a/b < 0.30000000000000004"]);
        let settings = Program::parse_from(arguments).settings;
        let text = settings.to_json().unwrap().to_string();
        let back = Settings::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{settings:?}"));
        let default = Program::parse_from(["train"]).settings;
        let back = Settings::from_json(&default.to_json().unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{default:?}"));
        let error = Settings::from_json(&json!({"rule": []})).unwrap_err();
        assert!(error.to_string().contains("'epochs'"), "{error}");
    }
}
