//! How well a model does before its labels are there, and how well it did once they are.
//!
//! Of the same chunk both are logged under one tag and at one step, so that they are curves of one chart. Memory is bounded:
//! labels of so many chunks are waited for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::drift::Undefined;
use crate::drift::performance::{Calibrate, Cbpe, Estimates, Metric, MulticlassCbpe};
use crate::health::{Heard, Observations, Predictions};
use crate::log::last_steps;
use crate::train::{Session, Task};

/// So many chunks wait for their labels.
const WAITING: usize = 100;
/// With fewer labels than that nothing is said of a chunk.
const LEAST: usize = 30;

/// The runs: what is to be expected, between which bounds, and what came true.
const RUNS: [&str; 4] = [
    "live/estimated",
    "live/estimated-lower",
    "live/estimated-upper",
    "live/realised",
];

/// Estimates the metrics of a classifier on observations that have no label yet: confidence-based performance estimation,
/// see [`drift::performance`](crate::drift::performance).
///
/// Of each chunk, `performance/METRIC` is logged to `live/estimated`, and to `live/estimated-lower` and `…-upper` what
/// chance alone would make of it (three standard deviations to either side). When all labels of the chunk are there, or
/// are no longer waited for, what it came to is logged to `live/realised`, under the same tag and at the same step.
///
/// It sees what a shift of the inputs does, not a change of what they mean.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, health::{Observations, Predictions, drift::Performance}, train::Task};
/// let scores: Vec<f32> = (0..200).map(|i| (i as f32 + 0.5) / 200.0).collect();
/// let labels: Vec<usize> = (0..200).map(|i| usize::from(i * 37 % 200 < i)).collect();
/// let reference = Predictions::new(scores.clone(), 1);
/// let session = Session::create(dir.path())?;
/// let live = Observations::new(Task::Binary);
/// Performance::fit(Task::Binary, &reference, &labels)?.chunk(100).start(&live, &session);
/// for (id, score) in scores.iter().enumerate() {
///     live.observe(&id.to_string(), vec![*score])?;
/// }
/// session.finish()?;
/// # let mut log = modelpulse::log::LogReader::open(dir.path())?;
/// # let mut seen = 0;
/// # while let Some(instant) = log.instant()? {
/// #     seen += instant.iter().filter(|it| it.path() == "live/estimated/performance/accuracy").count();
/// # }
/// # assert_eq!(seen, 2);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Performance {
    model: Estimator,
    width: usize,
    chunk: usize,
}

#[derive(Debug, Clone)]
enum Estimator {
    Binary(Box<Cbpe>),
    Classes(Box<MulticlassCbpe>),
}

impl Estimator {
    fn estimate(&self, scores: &[f64]) -> Estimates {
        match self {
            Self::Binary(cbpe) => cbpe.estimate(scores),
            Self::Classes(cbpe) => cbpe.estimate(scores),
        }
    }

    fn realised(&self, labels: &[usize], scores: &[f64]) -> Estimates {
        match self {
            Self::Binary(cbpe) => {
                let labels: Vec<bool> = labels.iter().map(|&label| label > 0).collect();
                cbpe.realised(&labels, scores)
            }
            Self::Classes(cbpe) => cbpe.realised(labels, scores),
        }
    }

    fn sampling_error(&self, metric: Metric, rows: usize) -> Option<f64> {
        match self {
            Self::Binary(cbpe) => cbpe.sampling_error(metric, rows),
            Self::Classes(cbpe) => cbpe.sampling_error(metric, rows),
        }
    }
}

impl Performance {
    /// Learns what scores are worth from rows that the model was not trained on: what it said of them, a probability a
    /// class, and the class of each.
    ///
    /// # Errors
    /// [`Undefined`] where the task has no classes, there are no probabilities, or a class has no rows.
    pub fn fit(task: Task, said: &Predictions, labels: &[usize]) -> Result<Self, Undefined> {
        let (model, width) = match task {
            Task::Binary => {
                let scores: Vec<f64> = said.iter().filter_map(binary).collect();
                let labels: Vec<bool> = labels.iter().map(|&label| label > 0).collect();
                if scores.len() != labels.len() {
                    return Err(Undefined::TooFew);
                }
                let cbpe = Cbpe::fit(&labels, &scores, 0.5, Calibrate::Auto)?;
                (Estimator::Binary(Box::new(cbpe)), 1)
            }
            Task::Multiclass { classes } if said.width() == classes => {
                let scores: Vec<f64> = said.iter().flatten().map(|&score| score.into()).collect();
                let cbpe = MulticlassCbpe::fit(labels, &scores, classes, Calibrate::Auto)?;
                (Estimator::Classes(Box::new(cbpe)), classes)
            }
            _ => return Err(Undefined::Categories),
        };
        Ok(Self {
            model,
            width,
            chunk: 200,
        })
    }

    /// Estimates over so many observations at a time. Default: 200.
    pub fn chunk(mut self, rows: usize) -> Self {
        self.chunk = rows.max(LEAST);
        self
    }

    /// From now on, estimates how the observations of `live` do, and logs it to `session`; chunks are counted on behind
    /// those that the log has. Observations without a probability for each class are passed over.
    pub fn start(self, live: &Observations, session: &Session) {
        let steps = last_steps(session.dir()).unwrap_or_default();
        let last = RUNS.iter().filter_map(|run| steps.get(*run));
        let mut watched = Watched {
            first: last.map(|step| step.as_i64() + 1).max().unwrap_or(0),
            estimates: self,
            session: session.clone(),
            gathered: Chunk::default(),
            waiting: BTreeMap::new(),
            places: HashMap::new(),
        };
        live.listen(move |heard| match heard {
            Heard::Observed { id, outputs, .. } => watched.observe(id, outputs),
            Heard::Labelled { id, label, .. } => watched.label(id, *label as usize),
        });
    }
}

/// The score of the positive class.
fn binary(outputs: &[f32]) -> Option<f64> {
    outputs.last().map(|&score| f64::from(score))
}

#[derive(Debug, Default)]
struct Chunk {
    ids: Vec<Arc<str>>,
    scores: Vec<f64>,
    labels: Vec<Option<usize>>,
}

#[derive(Debug)]
struct Watched {
    estimates: Performance,
    session: Session,
    /// The number of the chunk that is gathered.
    first: i64,
    gathered: Chunk,
    /// Chunks that are whole and have rows without a label.
    waiting: BTreeMap<i64, Chunk>,
    /// Chunk and row of those that have no label yet.
    places: HashMap<Arc<str>, (i64, usize)>,
}

impl Watched {
    fn observe(&mut self, id: &str, outputs: &[f32]) {
        let Performance {
            model,
            width,
            chunk: size,
        } = &self.estimates;
        let probability = |score: &f32| (0.0..=1.0).contains(score);
        if !outputs.iter().all(probability) {
            return;
        }
        match model {
            Estimator::Binary(_) => self.gathered.scores.extend(binary(outputs)),
            Estimator::Classes(_) if outputs.len() == *width => {
                let scores = outputs.iter().map(|&score| f64::from(score));
                self.gathered.scores.extend(scores);
            }
            Estimator::Classes(_) => return,
        }
        let id: Arc<str> = id.into();
        let place = (self.first, self.gathered.ids.len());
        self.places.insert(id.clone(), place);
        self.gathered.ids.push(id);
        self.gathered.labels.push(None);
        if self.gathered.ids.len() < *size {
            return;
        }
        let chunk = std::mem::take(&mut self.gathered);
        let number = self.first;
        self.first += 1;
        let estimates = model.estimate(&chunk.scores);
        let rows = chunk.ids.len();
        let mut instant = self.session.instant();
        for metric in Metric::ALL {
            let Ok(value) = estimates.of(metric) else {
                continue;
            };
            let tag = tag(metric);
            instant.scalar(RUNS[0], &tag, number, value);
            if let Some(error) = model.sampling_error(metric, rows) {
                let bounds = [value - 3.0 * error, value + 3.0 * error];
                instant.scalar(RUNS[1], &tag, number, bounds[0].max(0.0));
                instant.scalar(RUNS[2], &tag, number, bounds[1].min(1.0));
            }
        }
        drop(instant);
        self.session.flush_soon();
        self.waiting.insert(number, chunk);
        self.realise(number);
        if self.waiting.len() > WAITING
            && let Some((number, chunk)) = self.waiting.pop_first()
        {
            self.log_realised(number, &chunk);
            for id in &chunk.ids {
                if self.places.get(id).is_some_and(|place| place.0 == number) {
                    self.places.remove(id);
                }
            }
        }
    }

    fn label(&mut self, id: &str, label: usize) {
        let Some((number, row)) = self.places.remove(id) else {
            return;
        };
        let chunk = match self.waiting.get_mut(&number) {
            Some(chunk) => chunk,
            None => &mut self.gathered,
        };
        if let Some(of_row) = chunk.labels.get_mut(row) {
            *of_row = Some(label);
        }
        self.realise(number);
    }

    /// Logs what a chunk came to, if it has all its labels.
    fn realise(&mut self, number: i64) {
        let chunk = self.waiting.get(&number);
        if chunk.is_some_and(|chunk| chunk.labels.iter().all(Option::is_some))
            && let Some(chunk) = self.waiting.remove(&number)
        {
            self.log_realised(number, &chunk);
        }
    }

    fn log_realised(&self, number: i64, chunk: &Chunk) {
        let (mut labels, mut scores) = (Vec::new(), Vec::new());
        let rows = chunk.scores.chunks_exact(self.estimates.width);
        for (label, row) in chunk.labels.iter().zip(rows) {
            if let Some(label) = label {
                labels.push(*label);
                scores.extend_from_slice(row);
            }
        }
        if labels.len() < LEAST {
            return;
        }
        let realised = self.estimates.model.realised(&labels, &scores);
        let mut instant = self.session.instant();
        for metric in Metric::ALL {
            if let Ok(value) = realised.of(metric) {
                instant.scalar(RUNS[3], &tag(metric), number, value);
            }
        }
        drop(instant);
        self.session.flush_soon();
    }
}

fn tag(metric: Metric) -> String {
    format!("performance/{}", metric.name())
}
