//! What a series tells of a training, by the names that writers of logs give.
//!
//! A series whose name leaves it open has no role: what the doctor says, it says of what it knows.

use crate::health::naming::{Grain, grain, split, words};
use crate::train::Split;

/// What a series tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// The loss as a whole, of a split and at a grain as far as the name tells.
    Loss(Option<Split>, Option<Grain>),
    /// The accuracy, likewise.
    Accuracy(Option<Split>, Option<Grain>),
    /// The norm of a parameter's gradient, or of all.
    GradientNorm(Option<String>),
    /// The share of a layer's units that are dead.
    DeadShare(String),
    /// How much of a class is recognised.
    Recall(String),
    LearningRate,
    /// What the run itself found, by the name of its kind.
    Finding(String),
}

/// Words that change nothing about what a loss or an accuracy is.
const FILLERS: &[&str] = &[
    "total",
    "mean",
    "avg",
    "average",
    "overall",
    "running",
    "smooth",
    "smoothed",
    "cross",
    "entropy",
    "ce",
    "crossentropy",
    "mse",
    "nll",
    "categorical",
    "sparse",
    "binary",
    "multiclass",
    "top1",
    "vs",
    "per",
    "metrics",
    "metric",
    "scalars",
    "global",
];

/// Words of a recall that is not that of one class.
const OF_ALL: &[&str] = &[
    "macro", "micro", "weighted", "mean", "avg", "average", "samples", "at", "k", "top", "top1",
    "top5", "overall", "total", "curve",
];

/// The training that a series belongs to, by the path of its directory, and what it tells of it.
pub(super) fn of(run: &str, tag: &str) -> Option<(String, Role)> {
    let (training, own) = training(run, tag);
    if let Some(kind) = tag.strip_prefix("health/findings/") {
        return Some((training, Role::Finding(kind.to_owned())));
    }
    if tag.starts_with("health/") || tag.starts_with("time/") {
        return None;
    }
    let mut words = words(own);
    words.extend(self::words(tag));
    let split = words.iter().find_map(|word| split(word));
    let grain = words.iter().find_map(|word| grain(word));
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let rest: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| self::split(word).is_none() && self::grain(word).is_none())
        .collect();
    let only = |names: &[&str]| {
        rest.iter().any(|word| names.contains(word))
            && rest
                .iter()
                .all(|word| names.contains(word) || FILLERS.contains(word))
    };
    let role = if only(&["loss", "nll", "objective", "cost"]) {
        Role::Loss(split, grain)
    } else if only(&["accuracy", "acc"]) {
        Role::Accuracy(split, grain)
    } else if has(&["grad", "grads", "gradient", "gradients"]) && has(&["norm"]) {
        Role::GradientNorm(parameter(tag, &rest))
    } else if has(&["dead"]) && has(&["units", "unit", "relu", "relus", "neurons", "neuron"]) {
        Role::DeadShare(below(tag).to_owned())
    } else if has(&["recall"]) && !has(OF_ALL) {
        let class = rest
            .iter()
            .filter(|word| !["recall", "class", "label"].contains(word));
        let class: Vec<&str> = class.copied().collect();
        if class.is_empty() {
            return None;
        }
        Role::Recall(class.join(" "))
    } else if rest == ["lr"] || rest == ["learning", "rate"] {
        Role::LearningRate
    } else {
        return None;
    };
    Some((training, role))
}

/// The directory of the training that a run is part of, and the part of the run's path that tells of its role.
pub(super) fn training<'a>(run: &'a str, tag: &str) -> (String, &'a str) {
    let (above, last) = run.rsplit_once('/').unwrap_or((".", run));
    let of_tag = words(tag);
    let parts = words(last);
    let tells =
        |word: &String| split(word).is_some() || grain(word).is_some() || of_tag.contains(word);
    let splits = parts
        .iter()
        .any(|word| split(word).is_some() || grain(word).is_some());
    if splits && parts.iter().all(tells) {
        (above.to_owned(), last)
    } else {
        (run.to_owned(), "")
    }
}

/// What stands behind the first `/` of a tag, or the whole.
pub(super) fn below(tag: &str) -> &str {
    tag.split_once('/').map_or(tag, |(_, below)| below)
}

/// The parameter whose norm this is; `None` where it is that of all.
fn parameter(tag: &str, rest: &[&str]) -> Option<String> {
    let of_all = |word: &&str| {
        let known = [
            "grad",
            "grads",
            "gradient",
            "gradients",
            "norm",
            "total",
            "global",
            "l2",
            "all",
        ];
        known.contains(word) || word.chars().all(char::is_numeric)
    };
    (!rest.iter().all(of_all)).then(|| below(tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Split::{Eval, Train};

    #[test]
    fn roles_are_those_of_common_writers() {
        use Grain::{Batch, Epoch};
        let loss = |split, grain| Some(Role::Loss(split, grain));
        for (run, tag, training, role) in [
            // Ours and Keras's.
            ("a/train", "epoch_loss", "a", loss(Some(Train), Some(Epoch))),
            (
                "validation",
                "epoch_loss",
                ".",
                loss(Some(Eval), Some(Epoch)),
            ),
            ("a/batch", "batch_loss", "a", loss(None, Some(Batch))),
            (
                "validation",
                "evaluation_loss_vs_iterations",
                ".",
                loss(Some(Eval), Some(Batch)),
            ),
            (
                "train",
                "epoch_sparse_categorical_accuracy",
                ".",
                Some(Role::Accuracy(Some(Train), Some(Epoch))),
            ),
            // Lightning.
            (
                "version_0",
                "train_loss_step",
                "version_0",
                loss(Some(Train), Some(Batch)),
            ),
            ("version_0", "val_loss", "version_0", loss(Some(Eval), None)),
            (
                "version_0",
                "grad_2.0_norm_total",
                "version_0",
                Some(Role::GradientNorm(None)),
            ),
            ("version_0", "lr-Adam", "version_0", None),
            // PyTorch.
            (".", "Loss/train", ".", loss(Some(Train), None)),
            (".", "Loss/test", ".", loss(Some(Eval), None)),
            ("Loss_train", "Loss", ".", loss(Some(Train), None)),
            // transformers.
            (".", "eval/loss", ".", loss(Some(Eval), None)),
            (".", "train/grad_norm", ".", Some(Role::GradientNorm(None))),
            (".", "train/learning_rate", ".", Some(Role::LearningRate)),
            // Parts of a loss, and other things, have no role.
            (".", "losses/discriminator_loss", ".", None),
            (".", "train/epoch", ".", None),
            (".", "recall/macro", ".", None),
            (".", "val_recall", ".", None),
            (
                ".",
                "recall/class_3",
                ".",
                Some(Role::Recall("3".to_owned())),
            ),
            (
                "a/eval",
                "dead_units/layer0",
                "a",
                Some(Role::DeadShare("layer0".to_owned())),
            ),
            (
                "a/batch",
                "gradient_norm/layer0.weight",
                "a",
                Some(Role::GradientNorm(Some("layer0.weight".to_owned()))),
            ),
            (
                "a/batch",
                "health/findings/not_finite",
                "a",
                Some(Role::Finding("not_finite".to_owned())),
            ),
            ("a/train", "time/epoch_seconds", "a", None),
        ] {
            let found = of(run, tag);
            match role {
                Some(role) => assert_eq!(found, Some((training.to_owned(), role)), "{run} {tag}"),
                None => assert_eq!(found, None, "{run} {tag}"),
            }
        }
    }
}
