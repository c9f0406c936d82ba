//! How well a classifier does: realised where there are labels, estimated where there are scores.

use super::load::{Held, Names};
use super::{DriftCheck, Report};
use crate::drift::Undefined;
use crate::drift::performance::{Calibrate, Cbpe, Estimates, Metric, MulticlassCbpe};
use crate::drift::profile::{Field, Role};

/// How well the model did on the reference, does by its own confidence, and did where labels are known.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Performance {
    /// The classes, the positive one last of two.
    pub classes: Vec<String>,
    /// On the reference.
    pub reference: Estimates,
    /// On the current rows, as their scores have it.
    pub estimated: Estimates,
    /// On the current rows, as their labels have it.
    pub realised: Option<Estimates>,
    /// By how much chance alone moves each metric on as many rows (a standard deviation); in the order of
    /// [`Metric::ALL`].
    pub errors: [Option<f64>; 7],
    /// Chunk after chunk of the current rows.
    pub chunks: Vec<ChunkPerformance>,
}

/// The same of a chunk of rows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChunkPerformance {
    /// The first row, counted from 0, among those with scores.
    pub first_row: usize,
    /// How many rows.
    pub rows: usize,
    /// As the scores have it.
    pub estimated: Estimates,
    /// As the labels have it.
    pub realised: Option<Estimates>,
}

impl Performance {
    /// Whether an estimate is further from the reference than chance moves it, three standard deviations.
    #[must_use]
    pub fn alarms(&self, metric: Metric) -> bool {
        let error = self.errors[metric as usize];
        match (self.reference.of(metric), self.estimated.of(metric), error) {
            (Ok(before), Ok(now), Some(error)) => (now - before).abs() > 3.0 * error,
            _ => false,
        }
    }
}

/// So many chunks.
const CHUNKS: usize = 10;
/// More classes are not looked at.
const MOST_CLASSES: usize = 100;
/// Fewer rows of the reference say nothing of scores.
const LEAST: usize = 100;
const POSITIVE: [&str; 5] = ["1", "true", "yes", "positive", "pos"];

/// Rows with what a classifier says of them: the class each is of, where that is known, and the scores.
struct Rows {
    labels: Vec<Option<usize>>,
    /// Of two classes the score of the positive one, else one a class, one row behind the other.
    scores: Vec<f64>,
}

enum Model {
    Two(Cbpe),
    Many(MulticlassCbpe),
}

impl Model {
    fn estimate(&self, scores: &[f64]) -> Estimates {
        match self {
            Self::Two(cbpe) => cbpe.estimate(scores),
            Self::Many(cbpe) => cbpe.estimate(scores),
        }
    }

    fn realised(&self, labels: &[usize], scores: &[f64]) -> Estimates {
        match self {
            Self::Two(cbpe) => {
                let labels: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
                cbpe.realised(&labels, scores)
            }
            Self::Many(cbpe) => cbpe.realised(labels, scores),
        }
    }
}

/// None where there is no classifier's label and scores in the reference, or no scores now.
pub(super) fn performance(
    asked: &DriftCheck,
    fields: [&[Field]; 2],
    held: [&[Held]; 2],
) -> Option<Performance> {
    let named = |side: usize, name: &str| {
        let at = fields[side].iter().position(|field| field.name() == name)?;
        held[side].get(at)
    };
    let of = |role: Role| {
        fields[0]
            .iter()
            .filter(move |field| field.role() == role)
            .map(Field::name)
    };
    let labels: Vec<&str> = of(Role::Label).collect();
    let scores: Vec<&str> = of(Role::Score).collect();
    let ([label], false) = (&labels[..], scores.is_empty()) else {
        return None;
    };
    let truth = texts(named(0, label)?);
    let classes = classes(asked, &truth, &scores)?;
    let scores: Vec<&str> = match (&scores[..], classes.len()) {
        (_, n) if n > 2 => ordered(&scores, &classes)?,
        ([only], _) => vec![*only],
        ([_, _], _) => vec![ordered(&scores, &classes)?[1]],
        _ => return None,
    };
    let side = |side: usize| -> Option<Rows> {
        let columns: Option<Vec<&[f64]>> = scores
            .iter()
            .map(|name| match named(side, name)? {
                Held::Numbers(numbers) => Some(&numbers[..]),
                Held::Names(_) => None,
            })
            .collect();
        let labels = named(side, label).map(texts);
        Some(rows(&columns?, labels.as_deref(), &classes))
    };
    let (before, now) = (side(0)?, side(1)?);
    let width = scores.len();
    let (labels, known) = before.known(width);
    if labels.len() < LEAST || now.labels.len() < CHUNKS {
        return None;
    }
    let model = fit(&labels, &known, classes.len(), asked.threshold).ok()?;
    let whole = now.realised(&model, width, 0..now.labels.len());
    let size = now.labels.len().div_ceil(CHUNKS);
    let chunks = (0..now.labels.len()).step_by(size).map(|first| {
        let end = (first + size).min(now.labels.len());
        ChunkPerformance {
            first_row: first,
            rows: end - first,
            estimated: model.estimate(&now.scores[first * width..end * width]),
            realised: now.realised(&model, width, first..end),
        }
    });
    let error = |metric| match &model {
        Model::Two(cbpe) => cbpe.sampling_error(metric, now.labels.len()),
        Model::Many(cbpe) => cbpe.sampling_error(metric, now.labels.len()),
    };
    Some(Performance {
        reference: model.realised(&labels, &known),
        estimated: model.estimate(&now.scores),
        realised: whole,
        errors: Metric::ALL.map(error),
        chunks: chunks.collect(),
        classes,
    })
}

fn fit(
    labels: &[usize],
    scores: &[f64],
    classes: usize,
    threshold: f64,
) -> Result<Model, Undefined> {
    if classes > 2 {
        return MulticlassCbpe::fit(labels, scores, classes, Calibrate::Auto).map(Model::Many);
    }
    let labels: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    Cbpe::fit(&labels, scores, threshold, Calibrate::Auto).map(Model::Two)
}

impl Rows {
    /// The rows with a label.
    fn known(&self, width: usize) -> (Vec<usize>, Vec<f64>) {
        let rows = self.labels.iter().zip(self.scores.chunks_exact(width));
        let mut labels = Vec::new();
        let mut scores = Vec::new();
        for (label, row) in rows.filter_map(|(label, row)| Some(((*label)?, row))) {
            labels.push(label);
            scores.extend_from_slice(row);
        }
        (labels, scores)
    }

    /// None unless all but a few rows have labels.
    fn realised(
        &self,
        model: &Model,
        width: usize,
        of: std::ops::Range<usize>,
    ) -> Option<Estimates> {
        let rows = Self {
            labels: self.labels[of.clone()].to_vec(),
            scores: self.scores[of.start * width..of.end * width].to_vec(),
        };
        let (labels, scores) = rows.known(width);
        (labels.len() * 20 >= rows.labels.len() * 19 && !labels.is_empty())
            .then(|| model.realised(&labels, &scores))
    }
}

/// Labels as texts; a whole number as such.
fn texts(held: &Held) -> Vec<Option<String>> {
    match held {
        Held::Numbers(numbers) => numbers
            .iter()
            .map(|number| (!number.is_nan()).then(|| number.to_string()))
            .collect(),
        Held::Names(names) => Names::iter(names)
            .map(|name| name.map(str::to_owned))
            .collect(),
    }
}

/// The classes in order, the positive one of two last; none if they are no classes.
fn classes(asked: &DriftCheck, truth: &[Option<String>], scores: &[&str]) -> Option<Vec<String>> {
    let mut classes: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for label in truth.iter().flatten() {
        if seen.insert(label.as_str()) {
            classes.push(label.clone());
        }
        if classes.len() > MOST_CLASSES {
            return None;
        }
    }
    let numbers: Option<Vec<f64>> = classes.iter().map(|class| class.parse().ok()).collect();
    if numbers.is_some() {
        let number = |class: &String| class.parse::<f64>().unwrap_or(f64::NAN);
        classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
    } else {
        classes.sort();
    }
    if classes.len() == 2 && scores.len() <= 2 {
        let is = |class: &String| match &asked.positive {
            Some(positive) => class == positive,
            None => POSITIVE.contains(&class.to_lowercase().as_str()),
        };
        if is(&classes[0]) && !is(&classes[1]) {
            classes.swap(0, 1);
        }
        return Some(classes);
    }
    (classes.len() > 2 && classes.len() == scores.len()).then_some(classes)
}

/// The score columns in the order of the classes: by their endings, or as they are if those are no classes.
fn ordered<'a>(scores: &[&'a str], classes: &[String]) -> Option<Vec<&'a str>> {
    let ends = |name: &str, class: &str| {
        let before = name.strip_suffix(class);
        before.is_some_and(|before| {
            before.ends_with(['_', '.', '-', ' ']) || class.bytes().all(|it| it.is_ascii_digit())
        })
    };
    let found: Option<Vec<&str>> = classes
        .iter()
        .map(|class| {
            let mut fitting = scores.iter().filter(|name| ends(name, class));
            // The shortest: 'score_1' and not 'score_11'.
            fitting
                .clone()
                .min_by_key(|name| name.len())
                .or(fitting.next())
                .copied()
        })
        .collect();
    let distinct = |names: &Vec<&str>| {
        let set: std::collections::HashSet<&&str> = names.iter().collect();
        set.len() == names.len()
    };
    match found.filter(distinct) {
        Some(found) => Some(found),
        None if scores.len() == classes.len() => Some(scores.to_vec()),
        None => None,
    }
}

/// The rows of which all scores are there.
fn rows(columns: &[&[f64]], labels: Option<&[Option<String>]>, classes: &[String]) -> Rows {
    let numbers: std::collections::HashMap<&str, usize> =
        classes.iter().map(String::as_str).zip(0..).collect();
    let mut rows = Rows {
        labels: Vec::new(),
        scores: Vec::new(),
    };
    for row in 0..columns.first().map_or(0, |column| column.len()) {
        if columns.iter().any(|column| !column[row].is_finite()) {
            continue;
        }
        let label = labels.and_then(|labels| labels.get(row)?.as_deref());
        rows.labels
            .push(label.and_then(|label| numbers.get(label).copied()));
        rows.scores.extend(columns.iter().map(|column| column[row]));
    }
    rows
}

impl Report {
    /// The metrics of which there is an estimate, with what they were on the reference.
    pub fn estimates(&self) -> impl Iterator<Item = (Metric, f64, f64)> + '_ {
        let performance = self.performance.iter();
        performance.flat_map(|performance| {
            Metric::ALL.into_iter().filter_map(|metric| {
                let before = performance.reference.of(metric).ok()?;
                Some((metric, before, performance.estimated.of(metric).ok()?))
            })
        })
    }
}
