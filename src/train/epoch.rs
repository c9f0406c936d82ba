//! An epoch of a session: reduces what batches report to item-weighted means.
//!
//! What an epoch reports is what it logs: the same numbers under the same names, by split.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Session;
use crate::types::Step;

/// Item-weighted means of named values, in the order of their names.
///
/// ```
/// use modelpulse::train::Means;
/// let mut means = Means::default();
/// means.add(3, [("loss", 1.0)]);
/// means.add(1, [("loss", 5.0)]);
/// assert_eq!(means.get("loss"), Some(2.0));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Means {
    /// Sum of value × items, and items, by name.
    sums: BTreeMap<String, (f64, f64)>,
    items: usize,
}

impl Means {
    /// Adds values that are means over `items` items themselves.
    pub fn add<'a>(&mut self, items: usize, values: impl IntoIterator<Item = (&'a str, f64)>) {
        self.items += items;
        let weight = items as f64;
        for (name, value) in values {
            match self.sums.get_mut(name) {
                Some((sum, weights)) => {
                    *sum += value * weight;
                    *weights += weight;
                }
                None => {
                    self.sums.insert(name.to_owned(), (value * weight, weight));
                }
            }
        }
    }

    /// The mean of `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.sums.get(name).map(|(sum, weights)| sum / weights)
    }

    /// All means, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.sums
            .iter()
            .map(|(name, (sum, weights))| (name.as_str(), sum / weights))
    }

    /// How many items were added.
    pub fn items(&self) -> usize {
        self.items
    }
}

/// One epoch; see [`Session::epoch`].
///
/// At its end, or when it is dropped, it logs the mean of each value as `epoch_…` under the run
/// `train` or `eval`, with `time/epoch_seconds` and `time/samples_per_second`, and has the log flushed.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let mut epoch = session.epoch(0);
/// epoch.train_batch(2, [("loss", 1.0)]);
/// epoch.train_batch(2, [("loss", 0.5)]);
/// epoch.log("learning_rate", 1e-3);
/// assert_eq!(epoch.end().train["loss"], 0.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Epoch {
    session: Session,
    number: Step,
    train: Part,
    eval: Part,
    began: Instant,
    ended: bool,
}

/// What an epoch logged, by name without the prefix `epoch_`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EpochReport {
    /// Of the training split.
    pub train: BTreeMap<String, f64>,
    /// Of the held-out split.
    pub eval: BTreeMap<String, f64>,
}

#[derive(Debug, Default)]
struct Part {
    means: Means,
    extra: BTreeMap<String, f64>,
    seconds: f64,
}

impl Part {
    /// Adds the time since `since`, which it moves to now.
    fn clock(&mut self, since: &mut Instant) {
        let now = Instant::now();
        self.seconds += (now - *since).as_secs_f64();
        *since = now;
    }

    fn report(&self) -> BTreeMap<String, f64> {
        let mut report: BTreeMap<String, f64> = self
            .means
            .iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        report.extend(self.extra.clone());
        report
    }
}

impl Epoch {
    pub(super) fn new(session: Session, number: Step) -> Self {
        Self {
            session,
            number,
            train: Part::default(),
            eval: Part::default(),
            began: Instant::now(),
            ended: false,
        }
    }

    /// A training batch of `items` items: its values are logged as `batch_…` under the run `batch`,
    /// at the next global step, and count towards the epoch's means.
    pub fn train_batch<const N: usize>(&mut self, items: usize, values: [(&str, f64); N]) {
        let step = self.session.next_batch_step();
        let mut instant = self.session.instant();
        let mut tag = String::new();
        for (name, value) in values {
            tag.clear();
            tag.push_str("batch_");
            tag.push_str(name);
            instant.scalar("batch", &tag, step, value);
        }
        drop(instant);
        self.train.means.add(items, values);
        self.train.clock(&mut self.began);
    }

    /// An evaluation batch of `items` items: its values count towards the epoch's means.
    pub fn eval_batch<'a>(
        &mut self,
        items: usize,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) {
        self.eval.means.add(items, values);
        self.eval.clock(&mut self.began);
    }

    /// A value of the whole epoch on the training split, such as the learning rate.
    pub fn log(&mut self, name: &str, value: f64) {
        self.train.extra.insert(name.to_owned(), value);
    }

    /// A value of the whole epoch on the held-out split, such as an AUC.
    pub fn log_eval(&mut self, name: &str, value: f64) {
        self.eval.extra.insert(name.to_owned(), value);
    }

    /// Ends the epoch, and returns what it logged.
    pub fn end(mut self) -> EpochReport {
        self.finish()
    }

    fn finish(&mut self) -> EpochReport {
        self.ended = true;
        let report = EpochReport {
            train: self.train.report(),
            eval: self.eval.report(),
        };
        let mut instant = self.session.instant();
        for (run, part, values) in [
            ("train", &self.train, &report.train),
            ("eval", &self.eval, &report.eval),
        ] {
            for (name, value) in values {
                instant.scalar(run, &format!("epoch_{name}"), self.number, *value);
            }
            if part.means.items() > 0 {
                instant.scalar(run, "time/epoch_seconds", self.number, part.seconds);
                let rate = part.means.items() as f64 / part.seconds;
                instant.scalar(run, "time/samples_per_second", self.number, rate);
            }
        }
        instant.flush();
        drop(instant);
        report
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        if !self.ended {
            self.finish();
        }
    }
}
