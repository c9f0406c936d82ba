//! What a fit came to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::train::{HookFailure, Predictions, State, Values};

/// What a fit came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FitReport {
    /// Each epoch that ended, those before a resumption included.
    pub epochs: Vec<EpochOutcome>,
    /// What the model said of the held-out split after the last epoch.
    pub predictions: Predictions,
    /// Training steps, over all epochs.
    pub steps: usize,
    /// Why it stopped before its last epoch, if it did.
    pub stopped: Option<String>,
    /// Whether it stopped because the training loss was not finite.
    pub diverged: bool,
    /// What hooks failed with.
    pub hook_failures: Vec<HookFailure>,
    /// How long it took.
    pub time: Duration,
    /// How much of that was spent in hooks, but for steps of which no hook needed anything.
    pub hook_time: Duration,
}

/// The metrics of both splits after one epoch.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EpochOutcome {
    /// Of the training split, while the model learned.
    pub train: BTreeMap<String, f64>,
    /// Of the held-out split, at the epoch's end.
    pub eval: BTreeMap<String, f64>,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
}

/// What a checkpoint keeps of the epochs: of each metric the epochs that have it, and its values.
pub(super) fn keep(epochs: &[EpochOutcome]) -> State {
    let mut series: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (number, epoch) in epochs.iter().enumerate() {
        let mut add = |name: String, value: f64| {
            let points = series.entry(name).or_default();
            points.extend([number as f64, value]);
        };
        add("learning_rate".to_owned(), epoch.learning_rate);
        for (split, metrics) in [("train", &epoch.train), ("eval", &epoch.eval)] {
            for (name, value) in metrics {
                add(format!("{split}.{name}"), *value);
            }
        }
    }
    let mut state = State::new();
    for (name, points) in series {
        state.insert(&name, &[points.len() / 2, 2], Values::F64(&points));
    }
    state
}

/// The epochs that a checkpoint kept, of which `count` ended.
pub(super) fn kept(state: &State, count: usize) -> Vec<EpochOutcome> {
    let mut epochs = vec![EpochOutcome::default(); count];
    for (name, _, values) in state.iter() {
        let values: Vec<f64> = values.iter().collect();
        for point in values.chunks_exact(2) {
            let Some(epoch) = epochs.get_mut(point[0] as usize) else {
                continue;
            };
            match name.split_once('.') {
                Some(("train", name)) => drop(epoch.train.insert(name.to_owned(), point[1])),
                Some(("eval", name)) => drop(epoch.eval.insert(name.to_owned(), point[1])),
                _ => epoch.learning_rate = point[1],
            }
        }
    }
    epochs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_come_back_from_a_checkpoint() {
        let epoch = |loss: f64, auc: Option<f64>| EpochOutcome {
            train: BTreeMap::from([("loss".to_owned(), loss)]),
            eval: auc
                .map(|auc| ("auc_roc".to_owned(), auc))
                .into_iter()
                .collect(),
            learning_rate: loss / 10.0,
        };
        let epochs = [epoch(0.5, None), epoch(0.25, Some(0.9)), epoch(0.125, None)];
        assert_eq!(kept(&keep(&epochs), 3), epochs);
    }
}
