//! What a log tells of one training, and in which order a detector would have seen it.
//!
//! Live, a detector sees batches and epochs as they come about; here they are put together from series, whoever wrote
//! them.

use std::collections::BTreeMap;

use super::role::Role;
use crate::health::naming::Grain;
use crate::health::{ClassRecall, Detector, Finding, Gradient, Observation, Place};
use crate::train::Split;

/// A value, and when it came: its number among all values of the log.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    at: u64,
    step: i64,
    value: f64,
}

type Series = Vec<Point>;

/// The series of one training that have a role.
#[derive(Debug, Default)]
pub(super) struct Record {
    losses: BTreeMap<String, (Option<Split>, Option<Grain>, Series)>,
    accuracies: BTreeMap<String, (Option<Split>, Option<Grain>, Series)>,
    /// By parameter; that of all together has no name.
    norms: BTreeMap<Option<String>, Series>,
    /// The same as far as histograms tell.
    histograms: BTreeMap<Option<String>, Series>,
    dead: BTreeMap<String, Series>,
    /// By class: the recall, and the number of items if that is known.
    recalls: BTreeMap<String, (Series, Option<usize>)>,
    pub(super) learning_rate: Option<(f64, f64)>,
    /// What the run itself found.
    pub(super) said: Vec<Finding>,
}

/// A loss without a word on its grain is one of epochs if it has so few values, or not many more than the held-out one.
const FEW: usize = 200;
const PER_EVALUATION: usize = 3;
/// Batches that no evaluation divides are divided into so many stretches.
const STRETCHES: usize = 20;

/// Something that detectors see.
#[derive(Debug, Clone)]
enum Seen {
    Gradients(usize, Vec<Gradient>),
    Batch(usize, f64),
    DeadShare(Place, String, f64),
    Classes(Place, Vec<ClassRecall>),
    Epoch(Place, BTreeMap<String, f64>, BTreeMap<String, f64>),
}

impl Record {
    pub(super) fn push(&mut self, path: String, role: Role, at: u64, step: i64, value: f64) {
        let point = Point { at, step, value };
        match role {
            Role::Loss(split, grain) => {
                let series = self.losses.entry(path);
                series.or_insert((split, grain, Vec::new())).2.push(point);
            }
            Role::Accuracy(split, grain) => {
                let series = self.accuracies.entry(path);
                series.or_insert((split, grain, Vec::new())).2.push(point);
            }
            Role::GradientNorm(name) => self.norms.entry(name).or_default().push(point),
            Role::DeadShare(layer) => self.dead.entry(layer).or_default().push(point),
            Role::Recall(class) => self.recalls.entry(class).or_default().0.push(point),
            Role::LearningRate => {
                let (first, _) = self.learning_rate.unwrap_or((value, value));
                self.learning_rate = Some((first, value));
            }
            Role::Finding(_) => {}
        }
    }

    /// The norm of a gradient, as its histogram tells it.
    pub(super) fn push_histogram(&mut self, name: &str, at: u64, step: i64, value: f64) {
        let series = self.histograms.entry(Some(name.to_owned())).or_default();
        series.push(Point { at, step, value });
    }

    /// How much of a class a curve shows to be recognised, and how many items it has.
    pub(super) fn push_recall(
        &mut self,
        class: &str,
        at: u64,
        step: i64,
        value: f64,
        items: usize,
    ) {
        let (series, known) = self.recalls.entry(class.to_owned()).or_default();
        series.push(Point { at, step, value });
        *known = Some(items);
    }

    /// What there is to judge by, in words; nothing where there is none.
    pub(super) fn looked_at(&self) -> Vec<String> {
        let courses = self.courses();
        let mut parts = Vec::new();
        let count = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        if !courses.train.is_empty() && !courses.derived {
            parts.push(count(courses.train.len(), "training loss"));
        }
        if !courses.fine.is_empty() {
            parts.push(count(courses.fine.len(), "batch loss"));
        }
        if !courses.eval.is_empty() {
            parts.push(count(courses.eval.len(), "held-out loss"));
        }
        for part in &mut parts {
            *part = part.replace("losss", "losses");
        }
        if !self.norms.is_empty() || !self.histograms.is_empty() {
            parts.push("gradients".to_owned());
        }
        if !self.dead.is_empty() {
            parts.push("dead units".to_owned());
        }
        if self.recalls.len() > 1 {
            parts.push("classes".to_owned());
        }
        parts
    }

    fn courses(&self) -> Courses<'_> {
        let is_train = |split: &Option<Split>| *split != Some(Split::Eval);
        let longest = |wanted: &dyn Fn(Option<Split>, Option<Grain>, usize) -> bool| -> &[Point] {
            let all = self.losses.values();
            let fits = all.filter(|(split, grain, series)| wanted(*split, *grain, series.len()));
            fits.map(|(_, _, series)| &series[..])
                .max_by_key(|series| series.len())
                .unwrap_or(&[])
        };
        let eval =
            longest(&|split, grain, _| split == Some(Split::Eval) && grain != Some(Grain::Batch));
        let eval = match eval {
            [] => longest(&|split, _, _| split == Some(Split::Eval)),
            eval => eval,
        };
        let few = match eval.len() {
            0 => FEW,
            count => PER_EVALUATION * count,
        };
        let mut train = longest(&|split, grain, _| is_train(&split) && grain == Some(Grain::Epoch));
        if train.is_empty() {
            train =
                longest(&|split, grain, count| is_train(&split) && grain.is_none() && count <= few);
        }
        let mut fine = longest(&|split, grain, _| is_train(&split) && grain == Some(Grain::Batch));
        if fine.is_empty() {
            fine =
                longest(&|split, grain, count| is_train(&split) && grain.is_none() && count > few);
        }
        let derived = train.is_empty() && !fine.is_empty();
        let train = if derived {
            stretches(fine, eval)
        } else {
            train.to_vec()
        };
        let on_epochs = !derived && on_epochs(&train);
        Courses {
            fine,
            train,
            eval,
            derived,
            on_epochs,
        }
    }

    /// The accuracy of a split.
    fn accuracy(&self, wanted: Split) -> Series {
        let all = self.accuracies.values();
        let fits = all.filter(|(split, grain, _)| {
            *grain != Some(Grain::Batch)
                && (*split == Some(wanted) || (split.is_none() && wanted == Split::Train))
        });
        let longest = fits
            .map(|(_, _, series)| series)
            .max_by_key(|series| series.len());
        let mut series = longest.cloned().unwrap_or_default();
        // In percent.
        if series.iter().any(|point| point.value > 1.5) {
            series.iter_mut().for_each(|point| point.value /= 100.0);
        }
        series
    }

    /// Shows the detectors all there is to see, and hands what they find to `found`.
    pub(super) fn show(
        &self,
        detectors: &mut [Box<dyn Detector>],
        mut found: impl FnMut(usize, Finding),
    ) {
        let mut all = self.all();
        all.sort_by_key(|(at, rank, _)| (*at, *rank));
        for (_, _, seen) in &all {
            for (index, detector) in detectors.iter_mut().enumerate() {
                found_by(detector.as_mut(), seen, |finding| found(index, finding));
            }
        }
    }

    /// Whether there are losses of single batches.
    pub(super) fn has_batches(&self) -> bool {
        !self.courses().fine.is_empty()
    }

    /// All there is to see, each with its time and its place within that.
    fn all(&self) -> Vec<(u64, u8, Seen)> {
        let courses = self.courses();
        let place = |step: i64| {
            let number = usize::try_from(step).unwrap_or(0);
            match courses.on_epochs {
                true => Place::Epoch(number),
                false => Place::Step(number),
            }
        };
        let step = |point: &Point| usize::try_from(point.step).unwrap_or(0);
        let mut all = Vec::new();
        let norms = match self.norms.is_empty() {
            true => &self.histograms,
            false => &self.norms,
        };
        for (at, step, gradients) in looks(norms) {
            all.push((at, 0, Seen::Gradients(step, gradients)));
        }
        let batches = match courses.fine {
            [] => &courses.train,
            fine => fine,
        };
        all.extend(
            batches
                .iter()
                .map(|point| (point.at, 1, Seen::Batch(step(point), point.value))),
        );
        for (layer, series) in &self.dead {
            for point in series {
                let seen = Seen::DeadShare(place(point.step), layer.clone(), point.value);
                all.push((point.at, 2, seen));
            }
        }
        if self.recalls.len() > 1 {
            let mut evaluations: BTreeMap<i64, (u64, Vec<ClassRecall>)> = BTreeMap::new();
            for (name, (series, items)) in &self.recalls {
                for point in series {
                    let (at, classes) = evaluations.entry(point.step).or_default();
                    *at = (*at).max(point.at);
                    classes.push(ClassRecall {
                        name: name.clone(),
                        recall: point.value,
                        items: *items,
                    });
                }
            }
            for (step, (at, classes)) in evaluations {
                all.push((at, 3, Seen::Classes(place(step), classes)));
            }
        }
        let accuracies = [Split::Train, Split::Eval].map(|split| self.accuracy(split));
        for (index, point) in courses.train.iter().enumerate() {
            let beside = |series: &[Point]| beside(series, point, index, courses.train.len());
            let metrics = |loss: Option<Point>, accuracy: Option<Point>| {
                let named = [("loss", loss), ("accuracy", accuracy)].into_iter();
                named
                    .filter_map(|(name, point)| Some((name.to_owned(), point?.value)))
                    .collect()
            };
            let eval = beside(courses.eval);
            let [train_accuracy, eval_accuracy] =
                accuracies.each_ref().map(|series| beside(series));
            let at = eval.map_or(point.at, |eval| eval.at.max(point.at));
            let train = metrics(Some(*point), train_accuracy);
            let seen = Seen::Epoch(place(point.step), train, metrics(eval, eval_accuracy));
            all.push((at, 4, seen));
        }
        all
    }
}

fn found_by(detector: &mut dyn Detector, seen: &Seen, found: impl FnOnce(Finding)) {
    let finding = match seen {
        Seen::Gradients(step, gradients) => detector.observe(&Observation::Gradients {
            step: *step,
            gradients,
        }),
        Seen::Batch(step, loss) => detector.observe(&Observation::Batch {
            step: *step,
            loss: *loss,
        }),
        Seen::DeadShare(place, layer, share) => detector.observe(&Observation::DeadShare {
            place: *place,
            layer,
            share: *share,
        }),
        Seen::Classes(place, classes) => detector.observe(&Observation::Classes {
            place: *place,
            classes,
        }),
        Seen::Epoch(place, train, eval) => detector.observe(&Observation::Epoch {
            place: *place,
            train,
            eval,
        }),
    };
    if let Some(finding) = finding {
        found(finding);
    }
}

/// The losses of a training.
struct Courses<'a> {
    /// Of batches.
    fine: &'a [Point],
    /// Of epochs, or of stretches of batches.
    train: Series,
    eval: &'a [Point],
    derived: bool,
    on_epochs: bool,
}

/// Whether steps count epochs: each comes, or nearly.
fn on_epochs(series: &[Point]) -> bool {
    let last = series.iter().map(|point| point.step).max().unwrap_or(0);
    last <= 2 * series.len() as i64
}

/// The mean loss of the batches up to each evaluation, or of so many stretches of them.
fn stretches(fine: &[Point], eval: &[Point]) -> Series {
    let mut ends: Vec<u64> = eval.iter().map(|point| point.at).collect();
    if ends.len() < 2 {
        if fine.len() < 5 * STRETCHES {
            return Vec::new();
        }
        let end = |stretch: usize| fine[stretch * fine.len() / STRETCHES - 1].at;
        ends = (1..=STRETCHES).map(end).collect();
    }
    ends.sort_unstable();
    let mut rest = fine;
    let mut means = Vec::new();
    for end in ends {
        let (stretch, behind) = rest.split_at(rest.partition_point(|point| point.at <= end));
        rest = behind;
        if let Some(last) = stretch.last() {
            let sum: f64 = stretch.iter().map(|point| point.value).sum();
            let value = sum / stretch.len() as f64;
            means.push(Point {
                value,
                at: end.max(last.at),
                ..*last
            });
        }
    }
    means
}

/// The value that stands beside that of another series: at the same step; or, if steps are others, the same of as
/// many, or the last before.
fn beside(series: &[Point], point: &Point, index: usize, count: usize) -> Option<Point> {
    let at = series.partition_point(|other| other.step < point.step);
    let same = series.get(at).filter(|other| other.step == point.step);
    let nth = series.get(index).filter(|_| series.len() == count);
    let before = || series.get(at.checked_sub(1)?);
    same.or(nth).or_else(before).copied()
}

/// The gradients of each step.
fn looks(norms: &BTreeMap<Option<String>, Series>) -> Vec<(u64, usize, Vec<Gradient>)> {
    // The norm of all together says less where there is that of each.
    let each = norms.keys().any(Option::is_some);
    let mut steps: BTreeMap<i64, (u64, Vec<Gradient>)> = BTreeMap::new();
    for (name, series) in norms.iter().filter(|(name, _)| name.is_some() || !each) {
        let name = name.as_deref().unwrap_or("all parameters");
        for point in series {
            let (at, gradients) = steps.entry(point.step).or_default();
            *at = (*at).max(point.at);
            gradients.push(Gradient::of_norm(name, point.value));
        }
    }
    let steps = steps.into_iter();
    steps
        .map(|(step, (at, gradients))| (at, usize::try_from(step).unwrap_or(0), gradients))
        .collect()
}
