//! What a series is, told by its name: of which split, how often it is written, and whether more of it is better.
//!
//! Names are those that writers of logs give: Keras (`epoch_loss` in a run `validation`), Lightning
//! (`train_loss_step`, `val_acc`), PyTorch's examples (`Loss/train`), transformers (`eval/loss`). Where a name leaves it
//! open, nothing is guessed.

use crate::train::Split;

/// The words of a path, in small letters: `valLoss/step_2` is `val`, `loss`, `step`, `2`.
pub(super) fn words(path: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut small = false;
    for letter in path.chars() {
        let ends = !letter.is_alphanumeric() || (small && letter.is_uppercase());
        if ends && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        small = letter.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The split that a word names.
pub(super) fn split(word: &str) -> Option<Split> {
    match word {
        "train" | "training" | "fit" => Some(Split::Train),
        "val" | "valid" | "validation" | "eval" | "evaluation" | "test" | "testing" | "dev"
        | "heldout" | "holdout" => Some(Split::Eval),
        _ => None,
    }
}

/// How often a series has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Every batch, or every so many.
    Batch,
    /// Every epoch.
    Epoch,
}

/// The grain that a word names.
pub(super) fn grain(word: &str) -> Option<Grain> {
    match word {
        "batch" | "step" | "iter" | "iteration" | "iterations" => Some(Grain::Batch),
        "epoch" | "epochs" => Some(Grain::Epoch),
        _ => None,
    }
}

/// Whether a metric is better when there is more of it, or less.
///
/// ```
/// use modelpulse::health::Direction;
/// assert_eq!(Direction::of("eval/epoch_accuracy"), Some(Direction::Up));
/// assert_eq!(Direction::of("val_loss"), Some(Direction::Down));
/// assert_eq!(Direction::of("score/brier_loss"), Some(Direction::Down));
/// assert_eq!(Direction::of("learning_rate"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// More is better: accuracy, AUC, F1 …
    Up,
    /// Less is better: losses, errors, latencies …
    Down,
}

/// Of these less is better, whatever else stands in the name.
const DOWN: &[&str] = &[
    "loss",
    "losses",
    "error",
    "errors",
    "err",
    "mse",
    "rmse",
    "mae",
    "mape",
    "smape",
    "msle",
    "rmsle",
    "nll",
    "crossentropy",
    "perplexity",
    "ppl",
    "cost",
    "brier",
    "ece",
    "mce",
    "wer",
    "cer",
    "eer",
    "fid",
    "kid",
    "hinge",
    "deviance",
    "divergence",
    "kl",
    "fpr",
    "fnr",
    "latency",
    "bpc",
    "bpb",
];

/// Of these more is.
const UP: &[&str] = &[
    "accuracy",
    "acc",
    "top1",
    "top5",
    "auc",
    "auroc",
    "auprc",
    "roc",
    "ap",
    "map",
    "precision",
    "recall",
    "f1",
    "f2",
    "fbeta",
    "score",
    "r2",
    "iou",
    "miou",
    "dice",
    "jaccard",
    "bleu",
    "rouge",
    "meteor",
    "kappa",
    "mcc",
    "correlation",
    "pearson",
    "spearman",
    "specificity",
    "sensitivity",
    "tpr",
    "tnr",
    "psnr",
    "ssim",
    "ndcg",
    "mrr",
    "reward",
    "elbo",
    "likelihood",
];

impl Direction {
    /// What the name of a series says, by the words in it; a loss or an error is one whatever else it is called.
    pub fn of(name: &str) -> Option<Self> {
        let words = words(name);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        match (has(DOWN), has(UP)) {
            (true, _) => Some(Self::Down),
            (false, true) => Some(Self::Up),
            (false, false) => None,
        }
    }

    /// By how much `new` is worse than `old`; negative where it is better.
    pub fn worse_by(self, old: f64, new: f64) -> f64 {
        match self {
            Self::Up => old - new,
            Self::Down => new - old,
        }
    }

    /// Its name: `up` or `down`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("Loss/valid"), ["loss", "valid"]);
        assert_eq!(words("./valLoss_step-2"), ["val", "loss", "step", "2"]);
        assert_eq!(
            words("grad_2.0_norm_total"),
            ["grad", "2", "0", "norm", "total"]
        );
        assert!(words("//").is_empty());
    }

    #[test]
    fn directions_are_those_of_common_names() {
        use Direction::{Down, Up};
        for (name, direction) in [
            ("eval/epoch_roc_auc", Some(Up)),
            ("metrics/top5_error", Some(Down)),
            ("Accuracy/test", Some(Up)),
            ("valAcc", Some(Up)),
            ("f1_weighted", Some(Up)),
            ("log_loss", Some(Down)),
            ("mean_absolute_error", Some(Down)),
            ("momentum", None),
            ("time/samples_per_second", None),
            // Neither is named in it.
            ("accumulated", None),
            ("mapping", None),
        ] {
            assert_eq!(Direction::of(name), direction, "{name}");
        }
    }
}
